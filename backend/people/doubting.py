"""A project's suspected label errors, from its stored embeddings."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

from seedqueue.backend import gathering
from seedqueue.backend.context import Context
from seedqueue.backend.judging import targets
from seedqueue.backend.label_config import Labelling
from seedqueue.backend.learn import vectors_apart
from seedqueue.backend.people.suspects import Doubted, Labelled, doubted


def suspects_in(context: Context, project: int, tasks: Sequence[dict[str, Any]], labelling: Labelling) -> Doubted:
    """What confident learning doubts among the labels that heads learn from; tasks: of `annotated_tasks`.

    The audit slice, the locked list and ground truths are not looked at: a label that was mended at a head's hint would
    flatter the head that is judged by it.
    """
    run = context.records.published_run(project)
    if run is None or not run.fingerprint:
        return Doubted(reason=f"there are no embeddings yet: seedqueue seed --project {project}")
    kind = labelling.classification_kind
    if kind is None:
        return Doubted(reason="the label config asks for no classes of images")
    gathered = gathering.gathered_from(context, project, tasks, labelling, run.choices.group_field)
    vectors = vectors_apart(context, run, gathered)
    examples = [one for one in gathered.of("classes") if vectors.has(one.task, one.uri)]
    if not examples:
        return Doubted(reason="no labelled image has an embedding")
    embeddings = vectors.of([(one.task, one.uri) for one in examples])
    groups = vectors.groups(embeddings, [one.group for one in examples], run.choices.near_duplicate)
    truth = targets(examples, len(labelling.classes))
    scaler = vectors.scaler
    labelled = Labelled(tuple(one.task for one in examples), embeddings, truth, groups, scaler.mean, scaler.deviation)
    return doubted(labelled, labelling.classes, kind, context.settings.random_seed)

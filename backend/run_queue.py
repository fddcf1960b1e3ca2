"""A run's queue chosen from its pool: seeds by its selector, audit tasks among them, a head's word where needed."""

from __future__ import annotations

from collections.abc import Sequence
from functools import partial

from seedqueue.backend import audit
from seedqueue.backend.audit_draw import draw_slice
from seedqueue.backend.choose import choose
from seedqueue.backend.context import Context
from seedqueue.backend.embeddings import Embeddings
from seedqueue.backend.head_signals import head_for, head_signals
from seedqueue.backend.pool import PoolTask
from seedqueue.backend.records import QueuedTask, Run
from seedqueue.backend.versions import ModelVersion
from seedqueue.models.embedder import Embedder
from seedqueue.selectors import registry


def queue_of(
    context: Context, run: Run, pool: Sequence[PoolTask], embedder: Embedder, store: Embeddings
) -> tuple[list[QueuedTask], tuple[str, ...], str]:
    """The queue in order, warnings, and the name of the version whose predictions it went by.

    The audit slice is drawn here, before the first seeds are chosen. Raises what `draw_slice`, `choose` and
    `head_for` do.
    """
    extends = run.choices.extends
    known = context.sources.known(context.settings.label_studio_url, run.project)
    kept = context.records.queue(run.project, extends) if extends is not None else []
    held_out = audit.frozen(context.records, run.project)
    drawn = draw_slice(pool, known, store, run.choices) if run.choices.audit and not held_out else []
    held_out = held_out or drawn
    head = _head(context, run, embedder)
    queue, warnings = choose(
        pool,
        known,
        store,
        run.choices,
        kept=kept,
        unreadable=context.records.unreadable(run.project, run.number),
        findings=embedder.findings,
        held_out={one.task for one in held_out},
        predictions=partial(head_signals, context, run, head) if head else None,
    )
    if drawn and run.choices.dry_run:  # it binds once this queue is put in place
        context.records.append("drawn", run.project, run.number, [vars(task) for task in drawn])
    elif drawn:  # only now: what a run without a queue has drawn would bind all later ones
        audit.freeze(context.records, run.project, run.number, drawn)
    done = {task.task for task in pool if task.labelled} | {one.task for one in kept}
    added = audit.interleaved(queue[len(kept) :], audit.waiting(held_out, done), first_rank=len(kept) + 1)
    return [*kept, *added], warnings, head.name if head else ""


def _head(context: Context, run: Run, embedder: Embedder) -> ModelVersion | None:
    """The version that a later round goes by, None for a seed queue."""
    if registry.get(run.choices.selector).first_round:
        return None
    return head_for(context, run.project, run.choices.selector, embedder.fingerprint)

"""The models that serve: what they are, what they learnt from, what held-out images say of them."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from typing import Any

from seedqueue.backend.methods.facts import (
    NOTHING,
    Block,
    Fact,
    Section,
    Sentence,
    Source,
    Table,
    code,
    count,
    listed,
    number,
    plain,
    resting_on,
    setting,
    words,
)
from seedqueue.backend.methods.figures import figure
from seedqueue.backend.methods.recorded import Dated, Recorded
from seedqueue.backend.versions import HeadKind, ModelVersion

Made = Dated[ModelVersion]
_WHAT: dict[HeadKind, tuple[str, tuple[str, ...]]] = {
    "linear": ("an L2-regularised logistic regression on the standardised embeddings", ("pedregosa2011",)),
    "vgg11": ("a VGG-11 network", ("simonyan2015", "yuan2024")),
    "unet-vgg11": ("a U-Net with a VGG-11 encoder", ("ronneberger2015", "simonyan2015", "iakubovskii2019")),
}
_OF_CLASSES = {
    "prevalence": "Prevalence",
    "auprc": "AUPRC",
    "auroc": "AUROC",
    "sensitivity": "Sensitivity",
    "specificity": "Specificity",
    "f1": "F1",
}
_OF_MASKS = {"dsc": "DSC", "miss_rate": "Miss rate", "false_positive_rate": "False-positive rate"}


def serving(recorded: Recorded) -> tuple[Made, ...]:
    return tuple(one for one in recorded.versions if one.body.promoted)


def models(recorded: Recorded) -> Section:
    blocks: list[Block] = []
    for one in serving(recorded):
        blocks += [(*learnt(one), *judged(one, recorded)), *tables(one)]
    blocks += _all(recorded)
    return Section("Models", tuple(block for block in blocks if block))


def learnt(made: Made) -> Iterator[Sentence]:
    one, source = made.body, made.source
    what, cites = _WHAT[one.head]
    begun = " that began from ImageNet weights" if one.pretrained else ""
    begun = begun or (" that began from random weights" if one.head != "linear" else "")
    facts = {"name": words(one.name, source), "labels": count(one.labels, "labelled image", source)}
    template = f"The model {{name}} is {what}{begun}, trained on {{labels}}"
    if one.per_class:
        facts["classes"] = _each(made, one.per_class)
        template += " ({classes})"
    facts |= {"day": Fact(one.made[:10], (one.made,), (source,)), "seed": setting(one.random_seed, source)}
    yield Sentence(template + " on {day} with the random seed {seed}.", facts, cites)
    if one.weights:
        yield Sentence("Its weights have the SHA-256 {sha}.", {"sha": code(one.weights, source)})
    if one.target:
        yield Sentence(
            "Its probabilities are carried over to the prevalence of the audit slice ({shares}).",
            {"shares": _each(made, one.target)},
            ("saerens2002",),
        )
    yield from _threshold(made)


def _threshold(made: Made) -> Iterator[Sentence]:
    one = made.body
    if not one.threshold:
        return
    how = "chosen out of fold for the largest F1" if one.head == "linear" else "fixed beforehand"
    yield Sentence(f"Decision thresholds, {how}, are {{each}}.", {"each": _each(made, one.threshold)})


def _each(made: Made, values: Sequence[float]) -> Fact:
    """A number of each class: "effusion: 13; normal: 25"."""
    named = list(zip(made.body.classes, values, strict=False))
    shown = "; ".join(f"{plain(name)}: {_shown(value)}" for name, value in named)
    return Fact(shown, tuple(each for pair in named for each in pair), (made.source,))


def _shown(value: float) -> str:
    return f"{value:,}" if isinstance(value, int) else number(value).shown


def judged(made: Made, recorded: Recorded) -> Iterator[Sentence]:
    one, source = made.body, made.source
    if not one.audited:
        yield Sentence(
            "No held-out image was labelled when {name} was trained: it is unaudited and no performance is reported.",
            {"name": words(one.name, source)},
        )
        return
    facts = {
        "n": count(len(one.audit), "labelled image", source),
        "set": words(one.held_out, source),
        "what": words(str(one.primary.get("name", "")), source),
        "value": figure(one.primary, source),
    }
    yield Sentence(
        "On {n} of the {set}, its primary figure, the {what}, was {value}.",
        facts,
        ("dice1945",) * (one.kind == "masks"),
    )
    groups = one.figures.get("groups")
    if groups:
        yield Sentence(
            "Intervals were obtained by the percentile bootstrap over {groups} of related images.",
            {"groups": count(int(groups), "group", source)},
            ("efron1993",),
        )
    before = next((each.body.name for each in recorded.versions if each.body.number == one.parent), "")
    if one.difference and one.difference.get("value") is not None and before:
        yield Sentence(
            "Compared with {parent}, which served before it, the figure differed by {value} on the same {n}.",
            {
                "n": count(int(one.difference["n"]), "image", source),
                "parent": words(before, source),
                "value": figure(one.difference, source),
            },
        )
        yield Sentence(
            "The same comparison was used to decide whether it serves, so its figure on these images may be slightly "
            "too high.",
            resting_on(source),
        )
    left_out = one.figures.get("left_out") or ()
    if left_out:
        names = listed(tuple(words(str(name), source) for name in left_out))
        yield Sentence("The mean over classes leaves out {names}, of which it is not defined.", {"names": names})


def tables(made: Made) -> Iterator[Table]:
    one, source = made.body, made.source
    classes = one.figures.get("classes") or ()
    columns = _OF_MASKS if one.kind == "masks" else _OF_CLASSES
    size = "with_target" if one.kind == "masks" else "positives"
    if not classes:
        return
    rows = [_row(each, columns, size, source) for each in classes]
    head = ("Class", "Images with it", *columns.values())
    facts = {"name": words(one.name, source), "set": words(one.held_out, source)}
    yield Table(Sentence("Figures of {name} on the {set}, with 95% confidence intervals", facts), head, tuple(rows))


def _row(found: Mapping[str, Any], columns: Mapping[str, str], size: str, source: Source) -> tuple[Fact, ...]:
    first = (words(str(found["name"]), source), count(int(found[size]), "", source))
    return (*first, *(figure(found.get(column), source, short=True) for column in columns))


def _all(recorded: Recorded) -> list[Block]:
    """Every version that was trained: the reader sees which were not put in service."""
    if len(recorded.versions) < 2:
        return []
    rows = []
    for made in recorded.versions:
        one, source = made.body, made.source
        rows.append(
            (
                words(one.name, source),
                Fact(one.made[:10], (one.made,), (source,)),
                count(one.labels, "", source),
                count(len(one.audit), "", source) if one.audited else NOTHING,
                _primary(made) if one.audited else words("unaudited", source),
                words("yes" if one.promoted else "no", source),
            )
        )
    head = ("Model", "Trained", "Learnt from", "Judged on", "Primary figure", "Serves")
    caption = "All trained versions, each judged on the held-out images that were labelled when it was trained"
    return [Table(Sentence(caption), head, tuple(rows))]


def _primary(made: Made) -> Fact:
    name, value = words(str(made.body.primary.get("name", ""))), figure(made.body.primary, made.source)
    return Fact(f"{name.shown} {value.shown}", (*name.values, *value.values), value.sources)

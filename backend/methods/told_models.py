"""The models that serve: what they are, what they learnt from, what held-out images say of them."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from typing import Any

from seedqueue.backend.methods.facts import (
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
        blocks += [(*learnt(one), *judged(one)), *tables(one)]
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
        each = [
            Fact(f"{plain(name)} {n:,}", (name, n), (source,))
            for name, n in zip(one.classes, one.per_class, strict=False)
        ]
        facts["classes"] = listed(tuple(each))
        template += " ({classes})"
    facts |= {"day": Fact(one.made[:10], (one.made,), (source,)), "seed": setting(one.random_seed, source)}
    yield Sentence(template + " on {day} with the random seed {seed}.", facts, cites)
    if one.weights:
        yield Sentence("Its weights have the SHA-256 {sha}.", {"sha": code(one.weights, source)})
    if one.target:
        prevalence = [
            Fact(f"{plain(name)} {number(value).shown}", (name, value), (source,))
            for name, value in zip(one.classes, one.target, strict=True)
        ]
        yield Sentence(
            "Its probabilities are carried over to the prevalence of the audit slice ({shares}).",
            {"shares": listed(tuple(prevalence))},
            ("saerens2002",),
        )
    yield from _threshold(made)


def _threshold(made: Made) -> Iterator[Sentence]:
    one, source = made.body, made.source
    if not one.threshold:
        return
    each = [
        Fact(f"{plain(name)} {number(value).shown}", (name, value), (source,))
        for name, value in zip(one.classes, one.threshold, strict=True)
    ]
    how = "chosen out of fold for the largest F1" if one.head == "linear" else "fixed beforehand"
    yield Sentence(f"Decision thresholds, {how}, are {{each}}.", {"each": listed(tuple(each))})


def judged(made: Made) -> Iterator[Sentence]:
    one, source = made.body, made.source
    if not one.audited:
        yield Sentence(
            "No held-out image was labelled when {name} was trained: it is unaudited and no performance is reported.",
            {"name": words(one.name, source)},
        )
        return
    facts = {
        "name": words(one.name, source),
        "n": count(len(one.audit), "labelled image", source),
        "set": words(one.held_out, source),
        "what": words(str(one.primary.get("name", "")), source),
        "value": figure(one.primary, source),
    }
    yield Sentence("On {n} of the {set}, {name} reached a {what} of {value}.", facts)
    groups = one.figures.get("groups")
    if groups:
        yield Sentence(
            "Intervals are percentile bootstrap intervals over {groups} of related images.",
            {"groups": count(int(groups), "group", source)},
            ("efron1993",),
        )
    if one.difference and one.difference.get("value") is not None and one.parent:
        yield Sentence(
            "Compared on the same {n} with the version {parent} before it, the difference was {value}.",
            {
                "n": count(int(one.difference["n"]), "image", source),
                "parent": count(one.parent, "", source),
                "value": figure(one.difference, source),
            },
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
    yield Table(f"Figures of the serving {one.family} model on the {one.held_out}", head, tuple(rows))


def _row(found: Mapping[str, Any], columns: Mapping[str, str], size: str, source: Source) -> tuple[Fact, ...]:
    first = (words(str(found["name"]), source), count(int(found[size]), "", source))
    return (*first, *(figure(found.get(column), source) for column in columns))


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
                figure(one.primary, source) if one.audited else words("unaudited", source),
                words("yes" if one.promoted else "no", source),
            )
        )
    head = ("Model", "Trained", "Labelled images", "Figure it is compared by", "Serves")
    return [Table("All trained versions", head, tuple(rows))]

"""The report of an experiment: Markdown, one page of HTML, drawings and the table of results."""

from __future__ import annotations

import re
from collections.abc import Iterator, Sequence
from html import escape
from pathlib import Path

from seedqueue.experiments import facts_tables, maps, plots, reading, tables, verdicts, words
from seedqueue.experiments import markdown as as_markdown
from seedqueue.experiments.cells import NO_EMBEDDER
from seedqueue.experiments.colours import looks
from seedqueue.experiments.comparisons import Findings
from seedqueue.experiments.document import Bullets, Document, Figure, Fold, Part, Section
from seedqueue.experiments.metrics import OF_THE_CHOICE
from seedqueue.experiments.results_csv import write_results_csv
from seedqueue.experiments.series import ALL_TARGETS, AS_PUBLISHED, measured
from seedqueue.experiments.study import Study
from seedqueue.experiments.verdict import Verdict


def write_report(folder: Path, study: Study) -> None:
    """results.csv, report.md, report.html and the SVG files that report.md links. The folder is made."""
    folder.mkdir(parents=True, exist_ok=True)
    made = document(study)
    write_results_csv(folder / "results.csv", study.cells, study.grid, study.facts)
    for figure in made.figures():
        (folder / f"{figure.file}.svg").write_text(figure.svg, encoding="utf-8")
    (folder / "report.md").write_text(as_markdown.markdown(made), encoding="utf-8")
    (folder / "report.html").write_text(html(made), encoding="utf-8")


def markdown(study: Study) -> str:
    """The report as Markdown; its figures are links to `<file>.svg` beside it."""
    return as_markdown.markdown(document(study))


def html(made: Document) -> str:
    """One page: no scripts, nothing fetched, drawings within; light and dark, printable."""
    from jinja2 import Environment, FileSystemLoader, StrictUndefined
    from markupsafe import Markup

    shelf = FileSystemLoader(Path(__file__).with_name("templates"))
    environment = Environment(
        loader=shelf, autoescape=True, undefined=StrictUndefined, trim_blocks=True, lstrip_blocks=True
    )
    environment.filters["words"] = lambda text: Markup(_with_code(text))
    environment.filters["cell"] = lambda text: Markup(_unbroken(_with_code(text)))
    environment.filters["drawing"] = lambda figure: Markup(figure.svg)
    environment.tests["instance"] = lambda value, name: type(value).__name__ == name
    return str(environment.get_template("experiment.html").render(document=made))


def _with_code(text: str) -> str:
    return re.sub(r"`([^`]*)`", r"<code>\1</code>", escape(text))


def _unbroken(cell: str) -> str:
    """Numbers that belong together stay on one line."""
    for between in (" ± ", " to ", "&lt; ", "&gt; "):
        cell = cell.replace(between, between.replace(" ", "\u00a0"))
    return cell


def document(study: Study) -> Document:
    """The report as it will be written."""
    findings = Findings(study)
    answers = verdicts.verdicts(findings)
    return Document(
        title=study.grid.title,
        question=study.grid.question,
        headline=verdicts.headline(findings),
        answers=tuple((question, tuple(verdicts.on_top(found))) for question, found in answers.items()),
        sections=tuple(_sections(findings, answers)),
        ran=study.ran,
        notes=reading.preliminary(findings),
    )


def _sections(findings: Findings, answers: dict[str, list[Verdict]]) -> Iterator[Section]:
    yield Section("Pools", (facts_tables.pools_table(findings),))
    for pool in dict.fromkeys(pool for pool, _ in findings.places()):
        yield Section(f"Results on {pool}", tuple(_pool(findings, pool)))
    every = [
        Fold(f"{question} ({len(found)})", (Bullets(tuple(each.sentence for each in found)),))
        for question, found in answers.items()
        if any(each.sentence not in verdicts.on_top(found) for each in found)
    ]
    if every:
        yield Section("Every answer", tuple(every))
    stability = facts_tables.stability_table(findings)
    if stability is not None:
        yield Section("Stability over random seeds", (stability,))
    convergence = facts_tables.convergence_table(findings)
    if convergence is not None:
        yield Section("How K-means converges", (convergence,))
    embedding = facts_tables.embedding_cost_table(findings)
    yield Section("Cost", (*([embedding] if embedding else []), facts_tables.stage_cost_table(findings)))
    yield Section("How to read this", (Bullets(reading.rules(findings)),))
    yield Section("How to repeat it", tuple(_repeat(findings.study)))


def _pool(findings: Findings, pool: str) -> Iterator[Part]:
    embedders = tables.embedder_table(findings, pool)
    if embedders is not None:
        yield Fold("Embedder against embedder", (embedders,))
    heads = [head for name, head in findings.places() if name == pool]
    for head in dict.fromkeys(head.removesuffix(AS_PUBLISHED) for head in heads):
        own = head if head in heads else head + AS_PUBLISHED
        if len(findings.targets(pool, own)) > 1:
            yield Section(f"{ALL_TARGETS} together, {head} head", tuple(_all_targets(findings, pool, own)))
        for target in findings.targets(pool, own):
            yield Section(f"{target}, {head} head", tuple(_target(findings, pool, target, head, heads)))
    drawn = [_map(findings, at) for at, place in enumerate(findings.study.places) if place.pool == pool]
    if drawn:
        yield Section("The pool as a map", (_MAP_WORDS, *drawn[:1], *_folded("Other embedders", drawn[1:])))


_MAP_WORDS = (
    "Points are images of the training part, marks what each selector chose there (repeat 0). Near one another means "
    "alike in the embedding; distances across the map and empty places mean little."
)


def _target(findings: Findings, pool: str, target: str, head: str, heads: Sequence[str]) -> Iterator[Part]:
    there = [each for each in (head, head + AS_PUBLISHED) if each in heads]
    several = [one for each in there for one in tables.of_head(findings, pool, target, each)]
    primary = findings.metric(several[0].key)
    for each in there:
        yield from _endpoint(findings, pool, target, each)
    yield from _metric(findings, pool, target, there, primary)
    others = [name for name in measured(several) if name != primary]
    rest = [part for name in others for part in _metric(findings, pool, target, there, name)]
    yield from _folded(f"Other metrics: {', '.join(map(words.title, others))}", rest)


def _endpoint(findings: Findings, pool: str, target: str, head: str) -> Iterator[Part]:
    table = tables.endpoint_table(findings, pool, target, head)
    if table is not None:
        yield Fold("The same, judged as published (`paper`)", (table,)) if head.endswith(AS_PUBLISHED) else table


def _metric(findings: Findings, pool: str, target: str, heads: Sequence[str], metric: str) -> Iterator[Part]:
    for head in heads[:1] if metric in OF_THE_CHOICE else heads:
        figure = _curves(findings, pool, target, head, metric)
        if figure is not None:
            yield figure
    yield tables.paper_table(findings, pool, target, heads[0].removesuffix(AS_PUBLISHED), metric)
    if metric in OF_THE_CHOICE or metric.endswith("_bootstrap_sd"):
        return
    for head in heads:
        gains = tables.gain_table(findings, pool, target, head, metric)
        if gains is not None:
            yield gains


def _all_targets(findings: Findings, pool: str, head: str) -> Iterator[Part]:
    several = tables.of_head(findings, pool, ALL_TARGETS, head)
    if several:
        metric = findings.metric(several[0].key)
        yield from _endpoint(findings, pool, ALL_TARGETS, head)
        figure = _curves(findings, pool, ALL_TARGETS, head, metric)
        if figure is not None:
            yield figure
        gains = tables.gain_table(findings, pool, ALL_TARGETS, head, metric)
        if gains is not None:
            yield gains


def _curves(findings: Findings, pool: str, target: str, head: str, metric: str) -> Figure | None:
    several = [one for one in tables.of_head(findings, pool, target, head) if metric in one.values]
    if not several:
        return None
    shared = [one for one in several if one.key.embedder == NO_EMBEDDER]
    embedders = list(dict.fromkeys(one.key.embedder for one in several if one.key.embedder != NO_EMBEDDER))
    panels = [
        plots.Panel(name, [*shared, *(one for one in several if one.key.embedder == name)]) for name in embedders
    ] or [plots.Panel(pool, shared)]
    judged = ", judged as published" if head.endswith(AS_PUBLISHED) else ""
    where = f"{pool}, {target}, {head.removesuffix(AS_PUBLISHED)} head{judged}"
    title = f"{words.title(metric, findings.unit(pool))} against the number of labels: {where}"
    colours = looks(findings.study.grid.selectors)
    return Figure(_file(findings, pool, target, head, metric), title, plots.curves(panels, metric, colours, title))


def _file(findings: Findings, pool: str, target: str, head: str, metric: str) -> str:
    """`busi-malignant-auprc`; with the head where there are several."""
    heads = [name for each, name in findings.places() if each == pool]
    return words.slug(_slugs(findings)[pool, target], *([head] if len(heads) > 1 else []), metric)


def _slugs(findings: Findings) -> dict[tuple[str, str], str]:
    """Of each pool's targets, numbered where two names would make one."""
    found: dict[tuple[str, str], str] = {}
    for place in dict.fromkeys((key.pool, key.target) for key in findings.series):
        own = words.slug(*place)
        alike = sum(each == own or each.startswith(f"{own}-alike-") for each in found.values())
        found[place] = f"{own}-alike-{alike + 1}" if alike else own
    return found


def _map(findings: Findings, at: int) -> Figure:
    place = findings.study.places[at]
    title = f"{place.pool} on {place.embedder} by {place.method}, queues of {place.budget}"
    colours = looks([*findings.study.grid.selectors, *place.chosen])
    file = words.slug(place.pool, place.embedder, "map", str(at))
    return Figure(file, title, maps.choices(place, colours, title, f"points-{file}"), f"{title}.")


def _folded(title: str, parts: Sequence[Part]) -> list[Part]:
    return [Fold(title, tuple(parts))] if parts else []


def _repeat(study: Study) -> Iterator[Part]:
    grid = study.grid
    if study.command:
        yield f"`{study.command}`"
    yield (
        f"Random seed {grid.random_seed}, {words.plural(grid.repeats, 'repeat')}, "
        f"{words.plural(grid.draws, 'draw')} of random in each, budgets {', '.join(map(str, grid.budgets))}, "
        f"{grid.held_out:.0%} of the groups held out. The same random seed "
        "gives the same `results.csv` but for its seconds."
    )

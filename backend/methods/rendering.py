"""A story as Markdown. Pure: the same story, the same text."""

from __future__ import annotations

from collections.abc import Iterator, Sequence

from seedqueue.backend.methods.citing import Cited
from seedqueue.backend.methods.facts import Block, Fact, Section, Sentence, Source, Table
from seedqueue.backend.methods.flow import Box, Step
from seedqueue.backend.methods.story import FOR_AUTHORS, Story

_KEY = "References in square brackets are listed in references.md."
SHOWN = 70  # letters of a sentence in the appendix


def text(story: Story, cited: Cited | None = None, *, sources: bool = False) -> str:
    """methods.md. cited: collects what is cited. sources: with an appendix that names the rows of each sentence."""
    cited = Cited() if cited is None else cited
    parts = [f"# Methods\n\nProject {story.project}, written by seedqueue from its records. {_KEY}\n"]
    parts += [_section(one, cited) for one in story.sections]
    parts.append(_flow(story.steps))
    parts.append(_missing(story))
    if sources:
        parts.append(_appendix(story))
    return "\n".join(parts)


def card_text(story: Story, cited: Cited) -> str:
    """model-card.md."""
    head = f"# Model card\n\nProject {story.project}, written by seedqueue from its records.\n"
    if not story.cards:
        return f"{head}\nNo model serves: nothing was trained, or nothing was put in service.\n"
    return "\n".join([head, *(_section(one, cited) for one in story.cards)])


def _section(section: Section, cited: Cited) -> str:
    return "\n".join([f"## {section.title}\n", *(_block(block, cited) for block in section.blocks)])


def _block(block: Block, cited: Cited) -> str:
    if isinstance(block, Table):
        return f"{block.caption.text}:\n\n{table(block.head, block.rows)}"
    return " ".join(_sentence(one, cited) for one in block) + "\n"


def _sentence(one: Sentence, cited: Cited) -> str:
    mark = cited.mark(one.cites)
    return f"{one.text[:-1]} {mark}." if mark else one.text


def table(head: Sequence[str], rows: Sequence[Sequence[Fact]]) -> str:
    lines = [head, ["---"] * len(head), *([fact.shown for fact in row] for row in rows)]
    return "".join(f"| {' | '.join(line)} |\n" for line in lines)


def _flow(steps: Sequence[Step]) -> str:
    if not steps:
        return "## Flow of images\n\nNo image is counted in the records.\n"
    lines = ["| Images | n | Patients | Labelled |\n| --- | --- | --- | --- |\n"]
    for step in steps:
        lines.append(_line("", step.box))
        lines += [_line("of these: ", box) for box in step.parts]
        lines += [_line("less: ", box) for box in step.lost]
        lines += [_line("more: ", box) for box in step.gained]
    return "## Flow of images\n\n![Flow of images](flow.svg)\n\n" + "".join(lines)


def _line(before: str, box: Box) -> str:
    told = [f"{n:,}".replace("-", "−") if n is not None else "" for n in (box.images, box.patients, box.labelled)]
    label = f"{before}{box.label[0].lower()}{box.label[1:]}" if before else f"**{box.label}**"
    return f"| {label.replace('|', chr(92) + '|')} | {' | '.join(told)} |\n"


def _missing(story: Story) -> str:
    lines = [f"- Not recorded: {one}.\n" for one in story.missing]
    lines += [f"- To be added by the authors: {one}.\n" for one in FOR_AUTHORS]
    return "## What the records do not say\n\n" + "".join(lines)


def _appendix(story: Story) -> str:
    lines = ["| Sentence | Begins | Records |\n| --- | --- | --- |\n"]
    lines += [f"| {at} | {begins} | {_rows(found)} |\n" for at, begins, found in _origins(story)]
    return "## Sources\n\nKind of the row, its run or version, and when it was written (UTC).\n\n" + "".join(lines)


def _origins(story: Story) -> Iterator[tuple[str, str, Sequence[Source]]]:
    """Number (section and sentence), beginning, rows; a table counts as one sentence."""
    for number, section in enumerate(story.sections, start=1):
        at = 0
        for block in section.blocks:
            for one in (block,) if isinstance(block, Table) else block:
                at += 1
                told = f"Table: {one.caption.text}" if isinstance(one, Table) else one.text
                yield f"{number}.{at}", told if len(told) <= SHOWN else f"{told[:SHOWN].rstrip(chr(92))}…", one.sources
    for at, step in enumerate(story.steps, start=1):
        yield f"Flow {at}", step.box.label, _of_step(step)


def _of_step(step: Step) -> Sequence[Source]:
    boxes = (step.box, *step.parts, *step.lost, *step.gained)
    return sorted({source for box in boxes for source in box.sources})


def _rows(sources: Sequence[Source]) -> str:
    told = (f"{one.kind}{f' {one.run}' if one.run else ''}, {one.at:%Y-%m-%d %H:%M:%S}" for one in sources)
    return "; ".join(told) or "none"

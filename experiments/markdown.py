"""A document as Markdown that reads well on GitHub."""

from __future__ import annotations

from collections.abc import Iterator

from seedqueue.experiments.document import Bullets, Document, Figure, Fold, Part, Section, Table


def markdown(document: Document) -> str:
    """The whole of it; figures are links to `<file>.svg` beside it."""
    return "\n\n".join(_document(document)) + "\n"


def _document(document: Document) -> Iterator[str]:
    yield f"# {_inline(document.title)}"
    if document.question:
        yield f"*{_inline(document.question)}*"
    yield f"**{_inline(document.headline)}**"
    for note in document.notes:
        yield _inline(note)
    for question, sentences in document.answers:
        yield f"**{_inline(question)}**"
        yield _bullets(sentences)
    for section in document.sections:
        yield from _part(section, 2)
    if document.ran:
        yield f"<sub>{_inline(document.ran)}</sub>"


def _part(part: Part, level: int) -> Iterator[str]:
    if isinstance(part, str):
        yield _inline(part)
    elif isinstance(part, Bullets):
        yield _bullets(part.lines)
    elif isinstance(part, Table):
        yield from _table(part)
    elif isinstance(part, Figure):
        yield f"![{_inline(part.title)}]({part.file}.svg)"
        if part.told:
            yield _inline(part.told)
    elif isinstance(part, Fold):
        yield f"<details><summary>{_html(part.title)}</summary>"
        for each in part.parts:
            yield from _part(each, level + 1)
        yield "</details>"
    elif isinstance(part, Section):
        yield f"{'#' * level} {_inline(part.title)}"
        for each in part.parts:
            yield from _part(each, level + 1)


def _table(table: Table) -> Iterator[str]:
    if table.title:
        yield f"**{_inline(table.title)}**"
    lines = [_row(table.columns)]
    lines.append("|" + "|".join("---" if table.is_name(at) else "--:" for at in range(len(table.columns))) + "|")
    lines += [_row(row) for row in table.rows]
    yield "\n".join(lines)
    if table.note:
        yield _inline(table.note)


def _row(cells: tuple[str, ...]) -> str:
    return "| " + " | ".join(_inline(cell).replace("|", "\\|").replace("\n", " ") for cell in cells) + " |"


def _bullets(lines: tuple[str, ...]) -> str:
    return "\n".join(f"- {_inline(line)}" for line in lines)


def _inline(text: str) -> str:
    """Words are words: what Markdown or HTML would read in them is shown as it is, but for `code`."""
    pieces = text.split("`")
    return "`".join(piece if at % 2 else _escaped(piece) for at, piece in enumerate(pieces))


def _escaped(text: str) -> str:
    for sign in ("\\", "*", "_", "[", "]", "<", ">"):
        text = text.replace(sign, "&lt;" if sign == "<" else "&gt;" if sign == ">" else "\\" + sign)
    return text


def _html(text: str) -> str:
    escaped = text.replace("&", "&amp;").replace("<", "&lt;").replace(">", "&gt;")
    pieces = escaped.split("`")
    return "".join(f"<code>{piece}</code>" if at % 2 else piece for at, piece in enumerate(pieces))

"""A stability report as one page of HTML: no scripts, nothing fetched from elsewhere, light and dark, printable."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Any

from seedqueue.backend import report_charts, report_words
from seedqueue.selectors.stability.figures import Chosen
from seedqueue.selectors.stability.report import Report

UNREADABLE_SHOWN = 50

# The URI of a chosen image's small picture: a data URI or a link; None where there is none.
Pictured = Callable[[Chosen], str | None]


@dataclass(frozen=True)
class Ran:
    """What was run. images: where they lie; date: as it is to be shown."""

    images: str
    embedder: str
    fingerprint: str
    version: str
    date: str


def page(report: Report, ran: Ran, unreadable: Sequence[tuple[str, str]], pictured: Pictured) -> str:
    """The page. unreadable: name and reason of each image that was left out."""
    # Imported here: the commands that draw nothing do not wait for it.
    from jinja2 import Environment, FileSystemLoader, StrictUndefined

    shelf = FileSystemLoader(Path(__file__).with_name("templates"))
    environment = Environment(
        loader=shelf, autoescape=True, undefined=StrictUndefined, trim_blocks=True, lstrip_blocks=True
    )
    environment.filters.update(
        two=report_words.two,
        three=report_words.three,
        percent=report_words.percent,
        thousands=report_words.thousands,
    )
    html = environment.get_template("report.html").render(
        report=report,
        ran=ran,
        words=report_words,
        unreadable=unreadable[:UNREADABLE_SHOWN],
        unreadable_count=len(unreadable),
        pictures=[pictured(each) for each in report.queue],
        charts=report_charts.charts(report.sensitivity, report.choice.title),
        charts_told=report_charts.told(report.sensitivity),
        canvas=report_charts,
        spots=report_charts.spots(report.map),
    )
    # A name that is not valid Unicode is shown with a mark in its place.
    return str(html).encode("utf-8", errors="replace").decode("utf-8")


def as_fields(report: Report, ran: Ran, unreadable: Sequence[tuple[str, str]]) -> dict[str, Any]:
    """The whole report for programs, ready for JSON."""
    return {
        "ran": asdict(ran),
        "says": {
            "verdict": report_words.verdict(report),
            "method": report_words.method(report),
            "not_said": report_words.NOT_SAID,
        },
        **asdict(report),
        "unreadable": [{"name": name, "reason": reason} for name, reason in unreadable],
    }

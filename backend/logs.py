"""Log lines that say which project, run and job they are about: text for people, JSON for machines."""

from __future__ import annotations

import json
import logging
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from contextvars import ContextVar
from datetime import UTC, datetime
from typing import Any

OURS = "seedqueue"
# Of a LogRecord, what `about` adds; the first ones are said in front of a text line.
IDS = ("project", "run", "job")

_about: ContextVar[dict[str, int | str]] = ContextVar("about")


@contextmanager
def about(**ids: int | str) -> Iterator[None]:
    """What is logged within is about these: `project`, `run`, `job`."""
    token = _about.set({**_about.get({}), **ids})
    try:
        yield
    finally:
        _about.reset(token)


class _Ids(logging.Filter):
    def filter(self, record: logging.LogRecord) -> bool:
        record.ids = dict(_about.get({}))
        return True


class TextLines(logging.Formatter):
    """12:30:00 INFO project 3 run 1: 256 images embedded in 12.1 s"""

    def format(self, record: logging.LogRecord) -> str:
        ids = " ".join(f"{name} {record.ids[name]}" for name in IDS[:2] if name in record.ids)  # type: ignore[attr-defined]
        at = datetime.fromtimestamp(record.created).strftime("%H:%M:%S")
        # What others have written, an error of Label Studio for one, must not look like further lines.
        message = "".join(one if one.isprintable() else " " for one in record.getMessage())
        lines = [f"{at} {record.levelname:<7} {ids + ': ' if ids else ''}{message}"]
        if record.exc_info:
            lines.append(self.formatException(record.exc_info))
        return "\n".join(lines)


class JsonLines(logging.Formatter):
    """One JSON object a line: at (ISO 8601, UTC), level, logger, message, project, run, job, error."""

    def format(self, record: logging.LogRecord) -> str:
        told = {
            "at": datetime.fromtimestamp(record.created, UTC).isoformat(timespec="milliseconds"),
            "level": record.levelname.lower(),
            "logger": record.name,
            "message": record.getMessage(),
            **record.ids,  # type: ignore[attr-defined]
        }
        if record.exc_info:
            told["error"] = self.formatException(record.exc_info)
        return json.dumps(told, ensure_ascii=False, default=str)


class _ToStandardError(logging.StreamHandler[Any]):
    """To what standard error is when a line is written, not to what it was at the start."""

    @property
    def stream(self) -> Any:
        return sys.stderr

    @stream.setter
    def stream(self, given: Any) -> None:
        pass


def configure(form: str) -> None:
    """Send all logging of this process to standard error. form: "text" or "json".

    Ours from INFO on, others' from WARNING on; uvicorn's too, which would write lines of its own.
    """
    handler = _ToStandardError()
    handler.addFilter(_Ids())
    handler.setFormatter(JsonLines() if form == "json" else TextLines())
    root = logging.getLogger()
    root.handlers = [handler]
    root.setLevel(logging.WARNING)
    logging.getLogger(OURS).setLevel(logging.INFO)
    for name in ("uvicorn", "uvicorn.error", "uvicorn.access", "rq.worker"):
        logging.getLogger(name).handlers = []
        logging.getLogger(name).setLevel(logging.NOTSET)
        logging.getLogger(name).propagate = True

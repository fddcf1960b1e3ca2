"""Log lines: what they are about, for people and for machines."""

from __future__ import annotations

import json
import logging

import pytest

from seedqueue.backend import logs

logger = logging.getLogger("seedqueue.backend.jobs")


def test_a_line_for_people_says_project_and_run(capsys: pytest.CaptureFixture[str]) -> None:
    logs.configure("text")
    with logs.about(job="run-3-1-start-a"), logs.about(project=3, run=1):
        logger.info("%d tasks listed", 40)
    logger.info("no project")
    first, second = capsys.readouterr().err.splitlines()
    assert first[8:] == " INFO    project 3 run 1: 40 tasks listed"
    assert second[8:] == " INFO    no project"


def test_a_line_for_machines_has_fields_and_the_error_in_one_line(capsys: pytest.CaptureFixture[str]) -> None:
    logs.configure("json")
    with logs.about(project=3, run=1, job="j"):
        try:
            raise ValueError("odd")
        except ValueError:
            logger.exception("it failed: ü")
    [line] = capsys.readouterr().err.splitlines()
    told = json.loads(line)
    assert {**told, "at": "", "error": ""} == {
        "at": "",
        "level": "error",
        "logger": "seedqueue.backend.jobs",
        "message": "it failed: ü",
        "project": 3,
        "run": 1,
        "job": "j",
        "error": "",
    }
    assert told["at"].endswith("+00:00")
    assert "ValueError: odd" in told["error"]


def test_ids_end_with_their_block(capsys: pytest.CaptureFixture[str]) -> None:
    logs.configure("json")
    with logs.about(project=3):
        pass
    logger.warning("later")
    assert "project" not in json.loads(capsys.readouterr().err)


def test_other_libraries_are_heard_from_warnings_on(capsys: pytest.CaptureFixture[str]) -> None:
    logs.configure("text")
    logging.getLogger("uvicorn.error").info("started")
    logging.getLogger("rq.worker").warning("odd")
    assert [line[9:] for line in capsys.readouterr().err.splitlines()] == ["WARNING odd"]


def test_a_message_is_one_line_whatever_it_holds(capsys: pytest.CaptureFixture[str]) -> None:
    logs.configure("text")
    logger.info("refused: %s", "a\n12:00:00 INFO    all is well\x1b[2J")
    [line] = capsys.readouterr().err.splitlines()
    assert line[9:] == "INFO    refused: a 12:00:00 INFO    all is well [2J"

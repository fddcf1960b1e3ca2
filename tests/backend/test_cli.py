"""The command line as it is typed: every refusal is one line on standard error and exit code 1."""

import json
import subprocess
import sys
from collections.abc import Callable
from pathlib import Path

import numpy as np
import pytest
from PIL import Image

from seedqueue.backend import cli, embedded_redis
from seedqueue.backend.records import Choices, QueuedTask, Records, Run, Unreadable
from seedqueue.backend.supervise import Address
from seedqueue.backend.tables import Home
from seedqueue.models import registry as embedders
from seedqueue.selectors import registry as selectors

Type = Callable[[str], tuple[int, str, str]]


@pytest.fixture
def typed(
    monkeypatch: pytest.MonkeyPatch, capfd: pytest.CaptureFixture[str], nobody: str, redis_url: str, tmp_path: Path
) -> Type:
    """Type a command: exit code, standard output, standard error. Redis is there, Label Studio is down."""
    monkeypatch.setenv("LABEL_STUDIO_URL", f"http://{nobody}")
    monkeypatch.setenv("LABEL_STUDIO_API_KEY", "a" * 40)
    monkeypatch.setenv("REDIS_URL", redis_url)
    monkeypatch.setenv("SEEDQUEUE_HOME", str(tmp_path / "home"))
    monkeypatch.setenv("SEEDQUEUE_WEIGHTS", str(tmp_path / "weights"))
    monkeypatch.chdir(tmp_path)

    def run(line: str) -> tuple[int, str, str]:
        monkeypatch.setattr(sys, "argv", ["seedqueue", *line.split()])
        with pytest.raises(SystemExit) as ended:
            cli.main()
        return int(ended.value.code or 0), *capfd.readouterr()

    return run


@pytest.fixture
def images(tmp_path: Path) -> Path:
    folder = tmp_path / "images"
    folder.mkdir()
    for number in range(6):
        pixels = np.random.default_rng(number).integers(0, 256, (32, 32), dtype=np.uint8)
        Image.fromarray(pixels).save(folder / f"{number}.png")
    return folder


@pytest.mark.parametrize(
    ("line", "refusal"),
    [
        ("seed --project 1 --budget 0", "InvalidBudget: the budget is 0; give a whole number of at least 1"),
        ("seed --project 1 --budget -1", "InvalidBudget: the budget is '-1'"),
        ("seed --project 1 --budget abc", "InvalidBudget: the budget is 'abc'"),
        ("extend --project 1 --budget abc", "InvalidBudget: the budget is 'abc'"),
        ("select --images images --out q.csv --budget 2.5", "InvalidBudget: the budget is '2.5'"),
        ("seed --project 1 --random-seed x", "InvalidRequest: random_seed is 'x'"),
        ("seed --project 1 --embedder resnet", "UnknownEmbedder: there is no embedder 'resnet'; choose one of: "),
        (
            "select --images images --out q.csv --embedder txvr",
            "UnknownEmbedder: there is no embedder 'txvr'; did you mean txrv?; choose one of: ",
        ),
        (
            "select --images images --out q.csv --embedder imagenet:densnet121",
            "UnknownEmbedder: there is no embedder 'imagenet:densnet121'; did you mean imagenet:densenet121 or ",
        ),
        ("seed --project 1 --selector best", "UnknownSelector: there is no selector 'best'; choose one of: "),
        (
            "seed --project 1 --embedder hog",
            "LabelStudioUnreachable: Label Studio does not answer at http://127.0.0.1:",
        ),
        ("attach --project 1", "LabelStudioUnreachable: Label Studio does not answer at http://127.0.0.1:"),
        ("undo --project 1", "NoSeedQueue: Project 1 has no seed queue."),
        ("queue --project 1", "NoSeedQueue: Project 1 has no seed queue."),
        ("extend --project 1 --budget 5", "NoSeedQueue: Project 1 has no seed queue."),
        (
            "select --images images --out missing/q.csv --embedder hog --budget 2",
            "CannotWrite: cannot write missing/q.csv: there is no folder missing",
        ),
        ("serve --port 99999", "InvalidRequest: --port is 99999; give a whole number from 0 to 65535."),
        ("serve --port -1", "InvalidRequest: --port is -1; "),
        ("status --project 0", "InvalidRequest: --project is 0; give a whole number from 1 to "),
        ("seed --project -3", "InvalidRequest: --project is -3; "),
        ("queue --project 9223372036854775808", "InvalidRequest: --project is 9223372036854775808; "),
        ("select --images absent --out q.csv --embedder imagenet:resnet50", "FolderMissing: "),
        ("report --images absent --out r.html --embedder imagenet:resnet50", "FolderMissing: "),
        ("select --images images --out q.csv --embedder hog --budget 7", "BudgetExceedsPool: 7 requested, 6 available"),
        ("select --images images --out q.csv --budget 2", "WeightsMissing: the weights "),
        ("weights fetch hog", "NoWeightsNeeded: the embedder 'hog' has no weights to fetch"),
    ],
)
@pytest.mark.usefixtures("images")
def test_a_refusal_is_one_line(line: str, refusal: str, typed: Type) -> None:
    code, out, err = typed(line)
    assert code == 1
    assert err.splitlines()[-1].startswith(refusal)
    assert len(err.splitlines()) == 1
    assert out == ""


@pytest.mark.parametrize(("text", "refusal"), [(" ", "no task's number"), ("3\n" + "9" * 5000, "'999")])
def test_a_file_of_no_numbers_locks_nothing(text: str, refusal: str, typed: Type, tmp_path: Path) -> None:
    """Nothing given would be the whole project."""
    (tmp_path / "tasks.txt").write_text(text)
    code, _, err = typed("lock --project 1 --tasks tasks.txt")
    assert code == 1
    assert err.startswith(f"InvalidRequest: --tasks tasks.txt holds {refusal}")


@pytest.mark.usefixtures("images")
def test_missing_weights_name_the_file_the_folder_and_the_command(typed: Type, tmp_path: Path) -> None:
    _, _, err = typed("select --images images --out q.csv --embedder imagenet:squeezenet1_1 --budget 2")
    assert "squeezenet1_1" in err
    assert str(tmp_path / "weights") in err
    assert "seedqueue weights fetch imagenet:squeezenet1_1" in err
    assert not (tmp_path / "q.csv").exists()


@pytest.mark.parametrize(
    ("variable", "value", "line", "refusal"),
    [
        (
            "LABEL_STUDIO_API_KEY",
            "",
            "seed --project 1 --embedder hog",
            "TokenMissing: LABEL_STUDIO_API_KEY is not",
        ),
        ("LABEL_STUDIO_API_KEY", "", "attach --project 1", "TokenMissing: "),
        ("LABEL_STUDIO_API_KEY", "", "serve", "TokenMissing: "),
        ("SEEDQUEUE_BUDGET", "many", "status --project 1", "InvalidSetting: SEEDQUEUE_BUDGET='many' cannot be used"),
        (
            "REDIS_URL",
            "localhost:6379",
            "seed --project 1",
            "InvalidSetting: REDIS_URL='localhost:6379' cannot",
        ),
        ("REDIS_URL", "redis://{nobody}", "seed --project 1 --embedder hog", "RedisUnreachable: Redis does not answer"),
        (
            "REDIS_URL",
            "redis://{nobody}",
            "undo --project 1",
            "RedisUnreachable: Redis does not answer at redis://127.",
        ),
        ("REDIS_URL", "redis://{nobody}", "worker", "RedisUnreachable: "),
        ("REDIS_URL", "redis://{nobody}", "serve --port 0", "RedisUnreachable: "),
        ("REDIS_URL", "", "seed --project 1 --embedder hog", "RedisUnreachable: Redis does not answer at unix://"),
    ],
)
def test_what_is_set_wrongly_or_not_there(
    variable: str, value: str, line: str, refusal: str, typed: Type, nobody: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv(variable, value.format(nobody=nobody))
    code, _, err = typed(line)
    assert code == 1
    assert err.startswith(refusal)
    assert err.splitlines()[0] == err.strip()


def test_an_unknown_selector_and_embedder_bring_the_known_ones(typed: Type) -> None:
    _, _, err = typed("seed --project 1 --selector best")
    assert err.endswith(f"choose one of: {', '.join(selectors.names())}\n")
    _, _, err = typed("seed --project 1 --embedder best")
    assert err.endswith(f"choose one of: {', '.join(embedders.names())}\n")


@pytest.mark.parametrize(
    ("host", "url"),
    [
        ("::1", "http://[::1]:9090"),
        ("::", "http://[::1]:9090"),
        ("0.0.0.0", "http://127.0.0.1:9090"),
        ("", "http://127.0.0.1:9090"),
        ("example.org", "http://example.org:9090"),
    ],
)
def test_the_address_to_listen_on_as_this_machine_reaches_it(host: str, url: str) -> None:
    assert Address(host, 9090).local_url == url


def test_help_lists_the_commands(typed: Type) -> None:
    code, out, _ = typed("--help")
    assert code == 0
    for command in ("serve", "worker", "attach", "seed", "extend", "undo", "status", "queue", "select", "weights"):
        assert f"\n  {command} " in out


def test_a_project_that_is_no_number_is_a_usage_error(typed: Type) -> None:
    code, _, err = typed("status --project abc")
    assert code == 2
    assert "--project" in err


def test_status_and_queue_of_a_published_run(typed: Type, nobody: str, tmp_path: Path) -> None:
    records = Records(Home(tmp_path / "home"), f"http://{nobody}")
    run = Run(1, 3, "published", Choices(2, "hog", "kmeans", 0), tasks=9, unreadable=2, warnings=("a warning",))
    records.save_run(run)
    records.save_queue(run, [QueuedTask(1, 12, "/data/local-files/?d=set%2Fa.png", 0, 5)])
    records.add_unreadable(1, 3, [Unreadable(14, "/c.png", "truncated PNG"), Unreadable(15, "", "the task has none")])
    _, out, _ = typed("status --project 1")
    assert "project 1, run 3: published" in out
    assert "warning: a warning" in out
    assert "in the annotators' queue: Seed queue 3" in out
    assert "unreadable: task 14, /c.png: truncated PNG" in out
    assert "unreadable: task 15, no image: the task has none" in out
    _, out, _ = typed("queue --project 1")
    assert "a.png" in out
    assert "5 images" in out


def test_select_writes_the_queue_and_lists_what_it_could_not_read(typed: Type, images: Path, tmp_path: Path) -> None:
    (images / "bad.png").write_bytes(b"\x89PNG")
    code, out, err = typed("select --images images --out q.csv --embedder hog --budget 3")
    assert code == 0
    assert out == "3 images in q.csv (1 unreadable)\n"
    assert "7/7" in err  # the bar
    assert "unreadable, skipped: bad.png: " in err
    assert (tmp_path / "q.csv").read_text().splitlines()[0] == "rank,file,cluster,weight"


@pytest.fixture
def tables(images: Path, tmp_path: Path) -> Path:
    """What may be known of the images: fields, and a head's predictions in two draws."""
    files = sorted(path.name for path in images.iterdir())
    fields = [f"{file},{'ab'[number % 2]},{number // 3}" for number, file in enumerate(files)]
    (tmp_path / "fields.csv").write_text("\n".join(["file,finding,patient", *fields]))
    draws = [f"{file},{n + draw},{5 - n},{n / 9},{draw}" for draw in (1, 2) for n, file in enumerate(files)]
    (tmp_path / "heads.csv").write_text("\n".join(["file,no,yes,pixel_entropy,pixel_disagreement", *draws]))
    return tmp_path


@pytest.mark.parametrize("name", selectors.names())
def test_select_works_with_every_selector(typed: Type, tables: Path, name: str) -> None:
    line = f"select --images images --out q.csv --embedder hog --budget 3 --selector {name} --fields fields.csv"
    line += " --weak-label field:finding --predictions heads.csv"
    code, out, err = typed(line)
    assert (code, out.splitlines()[-1]) == (0, "3 images in q.csv (0 unreadable)"), err
    files = [line.split(",")[1] for line in (tables / "q.csv").read_text().splitlines()[1:]]
    assert len(set(files)) == 3


def test_select_lengthens_an_earlier_queue(typed: Type, tables: Path) -> None:
    select = "select --images images --embedder hog --selector facility-location"
    assert typed(f"{select} --out q.csv --budget 2")[0] == 0
    assert typed(f"{select} --out longer.csv --budget 5 --extends q.csv")[0] == 0
    shorter, longer = ((tables / name).read_text().splitlines() for name in ("q.csv", "longer.csv"))
    assert longer[:3] == shorter
    assert [line.split(",")[0] for line in longer[1:]] == ["1", "2", "3", "4", "5"]
    assert len({line.split(",")[1] for line in longer[1:]}) == 5
    _, _, err = typed(f"{select} --out q.csv --budget 5 --extends longer.csv")
    assert err.endswith("InvalidRequest: The queue longer.csv has 5 images; 5 is no extension.\n")


def test_select_takes_few_of_a_patient_and_none_that_is_labelled(typed: Type, tables: Path) -> None:
    (tables / "done.csv").write_text("file\n0.png\n")
    select = "select --images images --embedder hog --out q.csv --fields fields.csv --group-field patient"
    assert typed(f"{select} --budget 2")[0] == 0
    _, _, err = typed(f"{select} --budget 2 --labelled done.csv")
    assert ("BudgetExceedsGroups: 2 requested, 1 available with at most 1 of a group") in err
    assert typed(f"{select} --budget 3 --labelled done.csv --per-group 2")[0] == 0
    assert "0.png" not in (tables / "q.csv").read_text()


def test_select_in_another_representation(typed: Type, tables: Path) -> None:
    assert (
        typed("select --images images --embedder hog --budget 3 --out a.csv --representation raw --components 2")[0]
        == 0
    )
    _, _, err = typed("select --images images --embedder hog --budget 3 --out a.csv --components -1")
    assert err.startswith("InvalidRequest: --components is -1")


@pytest.mark.parametrize(
    ("options", "refusal"),
    [
        (
            "--selector weak-label",
            "InvalidRequest: The selector 'weak-label' needs a --weak-label: findings, field:NAME",
        ),
        ("--selector entropy", "InvalidRequest: The selector 'entropy' goes by a head's predictions: give --pred"),
        ("--fields absent.csv", "TableUnusable: The table absent.csv cannot be used: No such file"),
        ("--selector weak-label --weak-label findings", "NoWeakLabels: There are no weak labels to go by: the embed"),
        ("--near-duplicate 2", "InvalidRequest: near_duplicate is '2'; give a number from 0 to 1."),
        ("--group-field patient", "InvalidRequest: The field 'patient' of the images is asked for: give the table as"),
        ("--group-field age --fields fields.csv", "The field 'age' of the images is asked for: fields.csv has no col"),
    ],
)
def test_select_says_what_it_lacks(typed: Type, tables: Path, options: str, refusal: str) -> None:
    code, _, err = typed(f"select --images images --embedder hog --budget 3 --out q.csv {options}")
    assert code == 1
    assert refusal in err


def test_report_writes_a_page_and_says_what_it_found(typed: Type, tables: Path) -> None:
    code, out, err = typed("report --images images --out r.html --json r.json --embedder hog --budget 3")
    assert code == 0, err
    assert out.startswith("The 3 chosen images ")
    assert out.endswith("r.html and r.json (0 unreadable)\n")
    assert "only labels can show it" in out.lower()
    assert (tables / "r.html").read_text().startswith("<!doctype html>")
    assert json.loads((tables / "r.json").read_text())["choice"]["selector"] == "kmeans"


@pytest.mark.parametrize(
    ("options", "refusal"),
    [
        ("--selector entropy", "InvalidRequest: The selector 'entropy' goes by a head's predictions"),
        ("--out absent/r.html", "CannotWrite: cannot write absent/r.html: there is no folder absent"),
        ("--budget 8", "BudgetExceedsPool: 8 requested, 6 available"),
    ],
)
def test_report_says_what_it_lacks(typed: Type, tables: Path, options: str, refusal: str) -> None:
    code, _, err = typed(f"report --images images --embedder hog --budget 3 --out r.html {options}")
    assert code == 1
    assert refusal in err


def test_select_needs_no_token_and_no_redis(
    typed: Type, images: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.delenv("LABEL_STUDIO_API_KEY")
    monkeypatch.delenv("REDIS_URL")
    assert typed("select --images images --out q.csv --embedder pixels --budget 3 --selector uniform")[0] == 0
    assert not embedded_redis.socket_path(tmp_path / "home").exists()


def test_the_installed_command(tmp_path: Path) -> None:
    command = [str(Path(sys.executable).with_name("seedqueue")), "seed", "--project", "1", "--budget", "0"]
    ended = subprocess.run(command, capture_output=True, text=True, cwd=tmp_path, check=False)
    assert ended.returncode == 1
    assert ended.stdout == ""
    assert ended.stderr == "InvalidBudget: the budget is 0; give a whole number of at least 1\n"

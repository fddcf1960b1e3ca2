"""README.md's tables say what the code says, all of it."""

import re
import shutil
from pathlib import Path

import pytest

from seedqueue.backend import reference, settings
from seedqueue.models import registry as embedders
from seedqueue.selectors import registry as selectors

README = Path(__file__).parents[2] / "README.md"


def marked(*names: str) -> str:
    return "\n".join(f"<!-- table: {name} -->\nold\n<!-- /table -->\n" for name in names)


@pytest.fixture
def copy(tmp_path: Path) -> Path:
    return Path(shutil.copy(README, tmp_path))


def test_the_readmes_tables_are_what_the_code_says() -> None:
    assert reference.main(["--check", str(README)]) == 0


@pytest.mark.parametrize("name", reference.TABLES)
def test_a_changed_table_is_found_and_mended(name: str, copy: Path, capsys: pytest.CaptureFixture[str]) -> None:
    right = copy.read_text(encoding="utf-8")
    table = re.search(rf"<!-- table: {name} -->\n.*?<!-- /table -->", right, re.DOTALL)
    assert table is not None
    lines = table[0].splitlines(keepends=True)
    wrong = right.replace(table[0], "".join(lines[:3] + lines[4:]))  # without the table's first row
    copy.write_text(wrong, encoding="utf-8")
    assert reference.main(["--check", str(copy)]) == 1
    assert f"--write {copy}" in capsys.readouterr().err
    assert reference.main(["--write", str(copy)]) == 0
    assert copy.read_text(encoding="utf-8") == right


def test_a_missing_and_an_unknown_table_are_named() -> None:
    with pytest.raises(ValueError, match="has no table routes, settings"):
        reference.filled(marked("selectors", "embedders", "commands"))
    with pytest.raises(ValueError, match="has an unknown table colours"):
        reference.filled(marked(*reference.TABLES, "colours"))


def test_the_text_around_the_tables_stays() -> None:
    text = "before\n" + marked(*reference.TABLES) + "after | x |\n"
    made = reference.filled(text)
    assert made.startswith("before\n<!-- table: settings -->\n| Variable |")
    assert made.endswith("after | x |\n")
    assert reference.filled(made) == made


def test_every_setting_has_its_row() -> None:
    rows = reference.settings_table().splitlines()[2:]
    for row, (variable, shown, meaning) in zip(rows, settings.variables(), strict=True):
        assert row.startswith(f"| `{variable}` |")
        assert shown in row
        assert meaning in row


def test_every_selector_and_embedder_has_its_row() -> None:
    for table, entries in (
        (reference.selectors_table(), selectors.entries()),
        (reference.embedders_table(), embedders.entries()),
    ):
        beginnings = {f"| `{entry.name}` | {entry.title}: " for entry in entries}
        rows = table.splitlines()[2:]
        assert len(rows) == len(beginnings)
        assert all(any(row.startswith(beginning) for row in rows) for beginning in beginnings)


def test_the_seed_queues_selectors_come_first() -> None:
    used = [row.split(" | ")[-2] for row in reference.selectors_table().splitlines()[2:]]
    order = ["seed queue", "seed queue, comparison", "later rounds", "later rounds, comparison"]
    assert list(dict.fromkeys(used)) == order
    assert used == sorted(used, key=order.index)


def test_every_command_has_its_row() -> None:
    table = reference.commands_table()
    for command in (
        "serve",
        "worker",
        "attach",
        "seed",
        "extend",
        "undo",
        "status",
        "queue",
        "select",
        "weights fetch",
    ):
        assert f"| `seedqueue {command}" in table
    assert "| `seedqueue extend --project PROJECT --budget BUDGET [--no-wait]` |" in table
    assert all(row.count("|") == 3 and not row.endswith("|  |") for row in table.splitlines())


def test_every_route_has_its_row() -> None:
    table = reference.routes_table()
    for route in (
        "GET /health",
        "POST /webhook",
        "GET /api/projects/{project}",
        "DELETE /api/projects/{project}/queue",
    ):
        assert f"| `{route}` | " in table
    assert all(len(row.split("|")[2].strip()) > 2 for row in table.splitlines())

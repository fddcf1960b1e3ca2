"""A folder of wheels: of every package in a closure, at the version that is installed here."""

from __future__ import annotations

import json
import subprocess
import sys
import tempfile
from collections.abc import Callable, Collection, Sequence
from pathlib import Path

from packaging.utils import canonicalize_name, parse_wheel_filename

from seedqueue.backend.offline.closure import Package
from seedqueue.backend.offline.errors import NoPip, WheelsMissing

Advance = Callable[[int, int | None], None]
HERE = Path(sys.executable)
TOLD = 400  # characters of what pip said last


def gather(packages: Collection[Package], folder: Path, advance: Advance, python: Path = HERE) -> None:
    """Download or build each wheel into the folder. No resolver runs: the closure is complete.

    python: whose pip and platform. Raises `WheelsMissing`, `NoPip`.
    """
    folder.mkdir(parents=True, exist_ok=True)
    with tempfile.NamedTemporaryFile("w", suffix=".txt", encoding="utf-8") as listed:
        listed.writelines(f"{requirement(package)}\n" for package in packages)
        listed.flush()
        done = 0

        def count(line: str) -> None:
            nonlocal done
            done += line.startswith(("Collecting ", "Processing "))  # the second: from a folder of wheels
            advance(min(done, len(packages)), len(packages))

        pip(
            ["wheel", "--no-deps", "--wheel-dir", str(folder), "--requirement", listed.name],
            len(packages),
            python,
            count,
        )
    here = wheels(folder)
    absent = [package.name for package in packages if (package.name, package.version) not in here]
    if absent:
        raise WheelsMissing(len(packages), f"no wheel came of {', '.join(absent[:5])}")


def wheels(folder: Path) -> dict[tuple[str, str], Path]:
    """{(name, version): wheel} of a folder."""
    parsed = ((parse_wheel_filename(path.name), path) for path in folder.glob("*.whl"))
    return {(str(name), str(version)): path for (name, version, _, _), path in parsed}


def requirement(package: Package) -> str:
    """What pip is asked for: the version that is installed here, from where it was installed if that was an address."""
    told = json.loads(package.installed.read_text("direct_url.json") or "{}")
    if "vcs_info" in told:
        vcs = told["vcs_info"]
        return f"{package.name} @ {vcs['vcs']}+{told['url']}@{vcs['commit_id']}"
    if "archive_info" in told and not told["url"].startswith("file:"):
        return f"{package.name} @ {told['url']}"
    return f"{package.name}=={package.version}"


def write_requirements(packages: Collection[Package], file: Path) -> None:
    """The pins of what the folder holds, which the installation goes by."""
    lines = sorted(f"{canonicalize_name(package.name)}=={package.version}\n" for package in packages)
    file.write_text("".join(lines), encoding="utf-8")


def pip(arguments: Sequence[str], wanted: int, python: Path = HERE, heard: Callable[[str], None] | None = None) -> None:
    """Run pip; `heard` is told each line that it says. Raises `WheelsMissing`, `NoPip`."""
    command = [
        str(python),
        "-m",
        "pip",
        *arguments,
        "--no-input",
        "--disable-pip-version-check",
        "--progress-bar",
        "off",
    ]
    said: list[str] = []
    with subprocess.Popen(
        command, stdout=subprocess.PIPE, stderr=subprocess.STDOUT, text=True, errors="replace"
    ) as run:
        assert run.stdout is not None
        for line in run.stdout:
            said.append(line.strip())
            if heard is not None:
                heard(line.strip())
    if run.returncode == 0:
        return
    if any("No module named pip" in line for line in said):
        raise NoPip(python)
    wrong = [line for line in said if line.startswith("ERROR:")] or [line for line in said if line]
    raise WheelsMissing(wanted, " ".join(wrong)[-TOLD:])

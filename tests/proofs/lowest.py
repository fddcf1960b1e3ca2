"""All tests that need no Label Studio, on the lowest versions that setup.cfg admits.

    make lowest

What runs the tests is as constraints.txt has it. Warnings are no errors: old versions are full of them.
"""

from __future__ import annotations

import configparser
import subprocess
import sys
import venv
from pathlib import Path

from packaging.requirements import Requirement

ROOT = Path(__file__).resolve().parents[2]
PLACE = ROOT / ".venv-lowest"
PYTHON = PLACE / "bin/python"
TESTS = ["selectors", "models", "contracts", "backend", "experiments"]
EXTRAS = "timm,hf,tensorflow,bench"


def main() -> int:
    parser = configparser.ConfigParser()
    parser.read(ROOT / "setup.cfg")
    pins = dict(line.split("==") for line in (ROOT / "constraints.txt").read_text().splitlines() if "==" in line)
    tools = _names(parser["options.extras_require"]["test"])
    venv.create(PLACE, clear=True, with_pip=True)
    _run(PYTHON, "-m", "pip", "install", "--quiet", "--disable-pip-version-check", "uv")
    wanted = ["--editable", f".[{EXTRAS}]", *(f"{name}=={pins[name]}" for name in tools)]
    _run(PYTHON, "-m", "uv", "pip", "install", "--quiet", "--resolution", "lowest-direct", *wanted)
    versions = "from importlib.metadata import version; print(*(f'{n} {version(n)}' for n in %r), sep=', ')"
    _run(PYTHON, "-c", versions % _names(parser["options"]["install_requires"]))
    calm = ["-o", "filterwarnings=default", "-W", "default"]
    tests = [f"tests/{folder}" for folder in TESTS]
    return subprocess.run([PYTHON, "-m", "pytest", "-q", "-n", "2", *calm, *tests], cwd=ROOT, check=False).returncode


def _names(listed: str) -> list[str]:
    return [Requirement(line).name for line in listed.strip().splitlines()]


def _run(*command: str | Path) -> None:
    subprocess.run(command, cwd=ROOT, check=True)


if __name__ == "__main__":
    sys.exit(main())

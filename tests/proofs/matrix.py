"""The main flows in every combination that is served: kinds of tokens, databases of Label Studio, label-studio-ml.

make matrix                     # LSML=checkout of label-studio-ml-backend: its 2.x too
"""

from __future__ import annotations

import argparse
import os
import re
import subprocess
import sys
import time
from pathlib import Path

ROOT = Path(__file__).resolve().parents[2]
FLOWS = ["tests/flow/test_queue.py", "tests/flow/test_triggers.py", "tests/flow/test_learning.py"]
CELLS = [("sqlite", "legacy"), ("sqlite", "personal"), ("postgresql", "legacy"), ("postgresql", "personal")]


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--lsml", help="a checkout of label-studio-ml-backend")
    parser.add_argument("--only", help="database-token, as postgresql-personal")
    given = parser.parse_args()
    print("| Label Studio on | token | tests | result | minutes |\n| --- | --- | --- | --- | ---: |", flush=True)
    failed = False
    for database, token in CELLS:
        if given.only in (None, f"{database}-{token}"):
            env = {"SEEDQUEUE_TEST_DATABASE": database, "SEEDQUEUE_TEST_TOKEN": token}
            # The SDK's own client of tokens uses what pydantic is about to drop.
            quiet = ["-W", "ignore:The `parse_obj` method is deprecated:DeprecationWarning"]
            failed |= row(f"{database} | {token}", [sys.executable, "-m", "pytest", "-q", *quiet, *FLOWS], env)
    if given.only is None:
        failed |= row("- | label-studio-ml 1.x", [sys.executable, "-m", "pytest", "-q", "tests/adapter"], {})
    if given.lsml:
        failed |= row(
            "- | label-studio-ml 2.x", ["make", "--no-print-directory", "test-lsml2", f"LSML={given.lsml}"], {}
        )
    sys.exit(failed)


def row(name: str, command: list[str], env: dict[str, str]) -> bool:
    """Run one cell and print its row; whether it failed."""
    began = time.monotonic()
    done = subprocess.run(command, cwd=ROOT, env={**os.environ, **env}, capture_output=True, text=True, check=False)
    minutes = (time.monotonic() - began) / 60
    found = re.findall(r"(\d+ (?:passed|failed|error)[^\n]*?) in ", done.stdout)
    tests = " ".join(Path(part).stem for part in command if part.startswith("tests/")) or "adapter"
    print(f"| {name} | {tests} | {found[-1] if found else f'code {done.returncode}'} | {minutes:.1f} |", flush=True)
    if done.returncode:
        print(done.stdout[-3000:], file=sys.stderr)
    return done.returncode != 0


if __name__ == "__main__":
    main()

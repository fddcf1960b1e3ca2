"""What the long proofs saw, as a table; an exit status of 1 where a figure was missed.

python tests/proofs/soak_table.py build/soak.jsonl
"""

from __future__ import annotations

import json
import sys
from pathlib import Path

from rich.console import Console
from rich.table import Table


def main(file: Path) -> int:
    if not file.exists():
        print(f"{file} is not there: no long proof has noted a figure.")
        return 1
    told = [json.loads(line) for line in file.read_text().splitlines()]
    table = Table("what", "expected", "seen", "")
    for one in told:
        table.add_row(one["what"], str(one["expected"]), str(one["seen"]), "" if one["met"] else "MISSED")
    Console().print(table)
    return int(not all(one["met"] for one in told))


if __name__ == "__main__":
    sys.exit(main(Path(sys.argv[1])))

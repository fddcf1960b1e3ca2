"""A report of commands, what they printed, and whether what was known was found."""

from __future__ import annotations

import re
import subprocess
import sys
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path

ADDRESS = re.compile(r"http://127\.0\.0\.1:\d+")


class CommandFailed(Exception):
    """A command of the week ended otherwise than it should."""


@dataclass
class Report:
    """A page in Markdown that grows. environment: of the commands; place: the folder in which they run."""

    environment: Mapping[str, str]
    place: Path
    parts: list[str] = field(default_factory=list)
    failed: list[str] = field(default_factory=list)

    def say(self, *paragraphs: str) -> None:
        self.parts += paragraphs
        print("\n".join(paragraphs), flush=True)

    def run(self, command: str, expect: int = 0, most: int = 60) -> str:
        """Run `seedqueue ...` as a person does, and show it with what it printed, the first `most` lines."""
        program = Path(sys.executable).with_name("seedqueue")
        words = command.split()
        done = subprocess.run(
            [str(program), *words[1:]],
            cwd=self.place,
            env={**self.environment, "COLUMNS": "110", "NO_COLOR": "1"},
            stdout=subprocess.PIPE,
            stderr=subprocess.STDOUT,
            text=True,
            check=False,
            timeout=1800,
        )
        printed = self.scrubbed(done.stdout)
        lines = [line.rstrip() for line in printed.strip().splitlines()]
        cut = [*lines[:most], f"... {len(lines) - most} more lines"] if len(lines) > most else lines
        self.say("\n".join(["```console", f"$ {command}", *cut, "```"]))
        if done.returncode != expect:
            raise CommandFailed(f"{command}: exit code {done.returncode}\n{printed}")
        return printed

    def check(self, known: str, found: str, holds: bool) -> None:
        """A line of what was known beforehand and what came out."""
        self.say(f"- {'Found' if holds else '**Not found**'}: {known} {found}")
        if not holds:
            self.failed.append(known)

    def scrubbed(self, text: str) -> str:
        """Without addresses and folders of this machine."""
        text = ADDRESS.sub("http://label-studio:8080", text)
        return text.replace(f"{self.place}/", "").replace(str(self.place), ".")

    def write(self, file: Path, head: Sequence[str]) -> None:
        file.write_text("\n\n".join([*head, *self.parts]) + "\n", encoding="utf-8")

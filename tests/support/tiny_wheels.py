"""Wheels of some hundred bytes: a root package, what it stands on, and an extra of it."""

from __future__ import annotations

import base64
import hashlib
import zipfile
from pathlib import Path

ROOT = "tiny-root"
FILES = {
    "tiny_root": ["Requires-Dist: tiny-leaf>=1", "Requires-Dist: tiny-more; extra == 'more'", "Provides-Extra: more"],
    "tiny_leaf": ["License: Apache 2.0"],
    "tiny_more": ["License-Expression: MIT OR Apache-2.0", "Requires-Dist: tiny-root"],
}


def wheel(folder: Path, name: str, headers: list[str], version: str = "1.2") -> Path:
    """A wheel of one module that says its name, and a command of the root."""
    info = f"{name}-{version}.dist-info"
    dashed = name.replace("_", "-")
    content = {
        f"{name}.py": f"def main():\n    print({name!r})\n",
        f"{info}/METADATA": "\n".join(
            ["Metadata-Version: 2.4", f"Name: {dashed}", f"Version: {version}", *headers, ""]
        ),
        f"{info}/WHEEL": "Wheel-Version: 1.0\nGenerator: a test\nRoot-Is-Purelib: true\nTag: py3-none-any\n",
        f"{info}/entry_points.txt": f"[console_scripts]\n{dashed} = {name}:main\n",
    }
    rows = [f"{path},sha256={_digest(text)},{len(text)}\n" for path, text in content.items()]
    folder.mkdir(parents=True, exist_ok=True)
    path = folder / f"{name}-{version}-py3-none-any.whl"
    with zipfile.ZipFile(path, "w") as made:
        for each, text in content.items():
            made.writestr(each, text)
        made.writestr(f"{info}/RECORD", "".join([*rows, f"{info}/RECORD,,\n"]))
    return path


def unpack(made: Path, folder: Path) -> None:
    with zipfile.ZipFile(made) as opened:
        opened.extractall(folder)


def _digest(text: str) -> str:
    return base64.urlsafe_b64encode(hashlib.sha256(text.encode()).digest()).rstrip(b"=").decode()

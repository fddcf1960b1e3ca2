"""The README that lies in a bundle."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

TEXT = """# seedqueue {seedqueue}, for a machine without a network

Made for {Python} on {system}, {machine}. Nothing is asked of a network while it is installed.

    python3 install.py --check                     # only compare every file with SHA256SUMS
    python3 install.py --venv /opt/seedqueue       # a new virtual environment, and the weights

`python3` is a {Python}. Every file is compared with SHA256SUMS first; a damaged, missing or added one is named and
nothing is installed. The weights go to SEEDQUEUE_WEIGHTS, else ~/.seedqueue/weights, or where `--weights FOLDER` says.
Then `/opt/seedqueue/bin/seedqueue serve`, and `seedqueue doctor` says what is missing.

SHA256SUMS shows what was damaged on its way. Whether somebody changed files and sums alike only another way can show:
compare the SHA-256 of SHA256SUMS itself with what the bundle's maker tells you.

| folder | holds |
|---|---|
| wheels/ | seedqueue and all it stands on{extras}, with requirements.txt |
"""


def readme(manifest: Mapping[str, Any]) -> str:
    """What is in the bundle, and what is typed to install it."""
    extras = f", with the extras {', '.join(manifest['extras'])}" if manifest["extras"] else ""
    rows = ""
    if manifest["label_studio"]:
        rows += "| label-studio-wheels/ | Label Studio: `python3 install.py --venv ... --label-studio-venv FOLDER` |\n"
    if manifest["weights"]:
        told = "; ".join(
            f"{file['file']} of {', '.join(file['of'])} ({file['licence']})" for file in manifest["weights"]
        )
        rows += f"| weights/ | {told} |\n"
    if manifest["images"]:
        loads = ", ".join(f"`docker load --input images/{name}`" for name in manifest["images"])
        rows += f"| images/ | {loads} |\n"
    return TEXT.format(**{**manifest, "extras": extras}) + rows

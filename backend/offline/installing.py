"""Install this bundle without a network: python3 install.py --venv FOLDER [--weights FOLDER] [--check]

Every file is compared with SHA256SUMS first; a bundle that is damaged, incomplete or for another Python is refused.
It needs nothing but Python's standard library: this file lies in the bundle as install.py.
"""

from __future__ import annotations

import argparse
import hashlib
import json
import os
import platform
import shutil
import subprocess
import sys
from pathlib import Path

SUMS = "SHA256SUMS"
MANIFEST = "manifest.json"
WHEELS = "wheels"
LABEL_STUDIO_WHEELS = "label-studio-wheels"
REQUIREMENTS = "requirements.txt"
WEIGHTS = "weights"
IMAGES = "images"


class Refused(Exception):
    """Why nothing, or nothing more, is installed."""


def main() -> int:
    parser = argparse.ArgumentParser(
        prog="install.py", description=__doc__, formatter_class=argparse.RawTextHelpFormatter
    )
    parser.add_argument("--venv", type=Path, help="the virtual environment to make for seedqueue: a new folder")
    parser.add_argument(
        "--label-studio-venv", type=Path, help="another one for Label Studio, where the bundle holds it: a new folder"
    )
    parser.add_argument(
        "--weights",
        type=Path,
        default=Path(os.environ.get("SEEDQUEUE_WEIGHTS") or "~/.seedqueue/weights"),
        help="where the weights go [SEEDQUEUE_WEIGHTS, else ~/.seedqueue/weights]",
    )
    parser.add_argument("--check", action="store_true", help="only compare the files with SHA256SUMS")
    given = parser.parse_args()
    try:
        install(Path(__file__).resolve().parent, given)
    except Refused as error:
        print(f"Refused: {error}", file=sys.stderr)
        return 1
    return 0


def install(bundle: Path, given: argparse.Namespace) -> None:
    verify(bundle)
    print(f"all files are what {SUMS} says")
    if given.check:
        return
    if given.venv is None:
        raise Refused("name the new virtual environment: --venv FOLDER")
    manifest = json.loads((bundle / MANIFEST).read_text(encoding="utf-8"))
    fits(manifest)
    asked = {WHEELS: given.venv, LABEL_STUDIO_WHEELS: given.label_studio_venv}
    venvs = {name: folder.expanduser().absolute() for name, folder in asked.items() if folder is not None}
    if given.venv == given.label_studio_venv:
        raise Refused(f"{given.venv} cannot be the environment of both: name two folders")
    for name, folder in venvs.items():
        if not (bundle / name).is_dir():
            raise Refused(f"this bundle has no {name}")
        if folder.exists() and any(folder.iterdir()):
            raise Refused(f"{folder} is there already and not empty: name a new folder")
    weights = given.weights.expanduser().absolute()
    place(bundle / WEIGHTS, weights)
    for name, folder in venvs.items():
        make(bundle / name, folder)
    told(bundle, manifest, venvs[WHEELS], weights)


def verify(bundle: Path) -> None:
    """Compare every file with its line. Raises Refused, naming the file."""
    sums = bundle / SUMS
    if not sums.is_file():
        raise Refused(f"{SUMS} is missing: the bundle is incomplete. Copy it again")
    lines = [line.partition("  ") for line in sums.read_text(encoding="utf-8").splitlines() if line]
    listed = {name: digest for digest, _, name in lines}
    here = {path.relative_to(bundle).as_posix() for path in bundle.rglob("*") if path.is_file()} - {SUMS}
    here = {name for name in here if "__pycache__" not in name}
    for name, digest in sorted(listed.items()):
        if name not in here:
            raise Refused(f"{name} is missing from the bundle. Copy it again")
        if sha256(bundle / name) != digest:
            raise Refused(f"{name} is damaged: it is not what {SUMS} says. Copy it again")
    for name in sorted(here - listed.keys()):
        raise Refused(f"{name} does not belong to the bundle: {SUMS} does not list it. Take it out")


def sha256(path: Path) -> str:
    with path.open("rb") as opened:
        return hashlib.file_digest(opened, "sha256").hexdigest()


def fits(manifest: dict[str, str]) -> None:
    """Wheels are for one Python and one kind of machine. Raises Refused."""
    for what, found in machine().items():
        if manifest[what] != found:
            raise Refused(
                f"the bundle is for {what} {manifest[what]}, and this is {what} {found}. Make one on such a machine"
            )


def machine() -> dict[str, str]:
    """What the wheels of a bundle are for."""
    return {
        "Python": f"{sys.implementation.name} {sys.version_info.major}.{sys.version_info.minor}",
        "system": platform.system(),
        "machine": platform.machine(),
    }


def place(source: Path, target: Path) -> None:
    """Copy the weights, each file whole or not at all; what is there already and the same stays. Raises Refused."""
    if not source.is_dir():
        return
    files = [path for path in sorted(source.rglob("*")) if path.is_file()]
    names = {path: path.relative_to(source) for path in files if path.name != SUMS}
    for path, name in names.items():
        if (target / name).exists() and sha256(target / name) != sha256(path):
            raise Refused(
                f"{target / name} is there already and is another file. Move it away, or name another --weights"
            )
    for path, name in names.items():
        if not (target / name).exists():
            (target / name).parent.mkdir(parents=True, exist_ok=True)
            shutil.copyfile(path, part(target / name))
            os.replace(part(target / name), target / name)
    if (source / SUMS).is_file():  # seedqueue checks the weights by this list whenever it loads them
        before = (target / SUMS).read_text(encoding="utf-8") if (target / SUMS).is_file() else ""
        known = {line.partition("  ")[2] for line in before.splitlines()}
        lines = (source / SUMS).read_text(encoding="utf-8").splitlines()
        new = [line for line in lines if line.partition("  ")[2] not in known]
        text = "".join(f"{line}\n" for line in [*before.splitlines(), *new])
        part(target / SUMS).write_text(text, encoding="utf-8")
        os.replace(part(target / SUMS), target / SUMS)


def part(path: Path) -> Path:
    """Where a file is written before it is whole."""
    return path.with_name(f"{path.name}.part")


def make(wheels: Path, venv: Path) -> None:
    """A new virtual environment with what the wheels' requirements.txt says, from the wheels alone.

    A part of one does not stay: it would look installed, and keep the next try from its folder. Raises Refused.
    """
    print(f"making {venv} ...", flush=True)
    try:
        fill(wheels, venv)
    except BaseException:
        shutil.rmtree(venv, ignore_errors=True)
        raise


def fill(wheels: Path, venv: Path) -> None:
    run([sys.executable, "-m", "venv", str(venv)], "no virtual environment can be made; on Debian install python3-venv")
    pip = [str(venv / "bin" / "python"), "-m", "pip", "--isolated", "--disable-pip-version-check"]
    only = ["--no-index", "--find-links", str(wheels), "--requirement", str(wheels / REQUIREMENTS)]
    run([*pip, "install", "--quiet", *only], "pip could not install the wheels")
    run([*pip, "check"], "the packages do not fit together")


def run(command: list[str], what: str) -> None:
    # No pip.conf of this machine, which could name other places to take packages from.
    done = subprocess.run(command, env={**os.environ, "PIP_CONFIG_FILE": os.devnull}, check=False)
    if done.returncode:
        raise Refused(f"{what}: {' '.join(command[1:4])} ... ended with {done.returncode}")


def told(bundle: Path, manifest: dict[str, str], venv: Path, weights: Path) -> None:
    print(f"seedqueue {manifest['seedqueue']} is installed: {venv / 'bin' / 'seedqueue'}")
    if (bundle / WEIGHTS).is_dir():
        print(f"its weights are in {weights}; elsewhere than ~/.seedqueue/weights set SEEDQUEUE_WEIGHTS={weights}")
    for image in sorted((bundle / IMAGES).glob("*")):
        print(f"a container image: docker load --input {image}")


if __name__ == "__main__":
    sys.exit(main())

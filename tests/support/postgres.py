"""A PostgreSQL of our own, for a Label Studio of the tests: a folder, a port of loopback, ended with its children."""

from __future__ import annotations

import os
import pwd
import secrets
import shutil
import subprocess
import time
from pathlib import Path

from seedqueue.backend.children import Children, free_port, last_lines

START_SECONDS = 60.0
PROGRAMS = ("initdb", "postgres", "pg_isready")
FOLDERS = [Path("/usr/local/bin"), *sorted(Path("/usr/lib/postgresql").glob("*/bin"), reverse=True)]


def find() -> Path | None:
    """The folder of PostgreSQL's programs, None where it is not installed."""
    on_path = shutil.which("initdb")
    folders = [*([Path(on_path).resolve().parent] if on_path else []), *FOLDERS]
    return next((folder for folder in folders if all((folder / name).exists() for name in PROGRAMS)), None)


def start(children: Children, programs: Path, folder: Path) -> dict[str, str]:
    """Start it over a new database in `folder`; the variables by which Label Studio finds it."""
    password, port, log = secrets.token_hex(16), free_port(), folder / "postgres.log"
    cluster, word = folder / "cluster", folder / "password"
    folder.mkdir(parents=True)
    word.write_text(password)
    shared = ["-D", str(cluster), "-U", "labelstudio"]
    lower = _lowered(folder)
    initdb = [programs / "initdb", *shared, f"--pwfile={word}", "--auth=scram-sha-256", "--encoding=UTF8", "--no-sync"]
    subprocess.run([*lower, *map(str, initdb)], check=True, capture_output=True)
    options = [*shared[:2], "-h", "127.0.0.1", "-p", str(port), "-k", str(folder), "-c", "fsync=off"]
    children.start("postgres", [*lower, str(programs / "postgres"), *options], log_file=log)
    _wait(programs, port, log)
    return {
        "DJANGO_DB": "default",
        "POSTGRE_NAME": "postgres",
        "POSTGRE_USER": "labelstudio",
        "POSTGRE_PASSWORD": password,
        "POSTGRE_HOST": "127.0.0.1",
        "POSTGRE_PORT": str(port),
    }


def _lowered(folder: Path) -> list[str]:
    """PostgreSQL refuses to run as root: then it runs as its own user, or as nobody."""
    if os.getuid() != 0:
        return []
    user = next(name for name in ("postgres", "nobody") if name in {one.pw_name for one in pwd.getpwall()})
    shutil.chown(folder, user)
    for file in folder.iterdir():
        shutil.chown(file, user)
    folder.parent.chmod(0o711)
    return ["setpriv", f"--reuid={user}", f"--regid={pwd.getpwnam(user).pw_gid}", "--clear-groups"]


def _wait(programs: Path, port: int, log: Path) -> None:
    deadline = time.monotonic() + START_SECONDS
    ready = [str(programs / "pg_isready"), "-h", "127.0.0.1", "-p", str(port)]
    while subprocess.run(ready, capture_output=True, check=False).returncode:
        if time.monotonic() > deadline:
            raise AssertionError(f"PostgreSQL does not answer: {last_lines(log, 5)}")
        time.sleep(0.2)

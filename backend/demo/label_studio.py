"""A real Label Studio, started without a browser or a prompt: for the demo and for the tests."""

from __future__ import annotations

import json
import os
import secrets
import shutil
import subprocess
import time
from collections.abc import Callable, Mapping
from dataclasses import asdict, dataclass
from pathlib import Path

import httpx

from seedqueue.backend.children import Children, free_port, last_lines
from seedqueue.backend.errors import SeedqueueError
from seedqueue.backend.health import is_healthy
from seedqueue.backend.settings import child_environment

# 7 s with a migrated database to begin with; a start that runs the migrations takes a minute, more on a busy machine.
START_SECONDS = 240.0
DATABASE, MIGRATED = "label_studio.sqlite3", "migrated.sqlite3"
POLL_SECONDS = 0.25
USERNAME = "demo@seedqueue.example"
# All that the server takes from our environment: a stray LABEL_STUDIO_ or DJANGO_ variable would change it.
PASSED_ON = ("PATH", "LANG", "LC_ALL", "TZ", "TMPDIR", "LD_LIBRARY_PATH", "SSL_CERT_FILE")


class LabelStudioDidNotStart(SeedqueueError):
    status = 502

    def __init__(self, reason: str, log_file: Path) -> None:
        super().__init__(f"Label Studio did not start ({reason}). The end of {log_file}:\n{last_lines(log_file, 20)}")


class LabelStudioNotInstalled(SeedqueueError):
    status = 502

    def __init__(self, executable: Path) -> None:
        super().__init__(f"There is no Label Studio at {executable}. Install one with `make install`.")


class SignUpRefused(SeedqueueError):
    status = 502

    def __init__(self, email: str, code: int) -> None:
        super().__init__(
            f"Label Studio did not sign up {email!r} (it answered {code}). The address must be new, the password 8 "
            "characters or longer."
        )


@dataclass(frozen=True)
class Login:
    username: str
    password: str
    token: str


class LabelStudioServer:
    """One Label Studio on this machine; login and database stay in `data_dir` from start to start."""

    def __init__(
        self,
        children: Children,
        executable: Path,
        data_dir: Path,
        port: int | None = None,
        extra_env: Mapping[str, str] | None = None,
    ) -> None:
        self._children = children
        self._executable = executable.absolute()
        self._extra_env = dict(extra_env or {})
        self._popen: subprocess.Popen[bytes] | None = None
        self.data_dir = data_dir.absolute()
        self.document_root = self.data_dir / "files"
        self.log_file = self.data_dir / "label-studio.log"
        self.port = port or free_port()
        self.url = f"http://127.0.0.1:{self.port}"
        self.document_root.mkdir(parents=True, exist_ok=True)
        login = _login(self.data_dir / "login.json")
        self.username, self.password, self.token = login.username, login.password, login.token

    def start(self, progress: Callable[[float], None] | None = None, deadline: float = START_SECONDS) -> None:
        """Start it and return once it answers; `progress` is told the seconds waited so far."""
        if not os.access(self._executable, os.X_OK):
            raise LabelStudioNotInstalled(self._executable)
        if is_healthy(self.url):  # it would move to the next port by itself, and we would talk to a stranger
            raise LabelStudioDidNotStart(f"another server answers on port {self.port}", self.log_file)
        self._copy_migrated()
        argv: list[str | Path] = [
            self._executable,
            "start",
            "--no-browser",
            "--internal-host",
            "127.0.0.1",
            "-p",
            str(self.port),
        ]
        self._popen = self._children.start("label-studio", argv, env=self._env(), log_file=self.log_file)
        began = time.monotonic()
        while not is_healthy(self.url):
            waited = time.monotonic() - began
            if self._popen.poll() is not None:
                raise LabelStudioDidNotStart(f"it ended with {self._popen.returncode}", self.log_file)
            if waited > deadline:
                raise LabelStudioDidNotStart(f"no answer within {deadline:.0f} s", self.log_file)
            if progress is not None:
                progress(waited)
            time.sleep(POLL_SECONDS)

    def _copy_migrated(self) -> None:
        """Begin with the empty database that lies in Label Studio's environment (Makefile), if one does."""
        migrated, database = self._executable.parent.parent / MIGRATED, self.data_dir / DATABASE
        if migrated.exists() and not database.exists():
            shutil.copyfile(migrated, database)

    def stop(self) -> None:
        """End it; nothing happens when it does not run. It can be started again."""
        if self._popen is not None:
            self._children.terminate(self._popen)
            self._popen = None

    def _env(self) -> dict[str, str]:
        passed = {name: value for name, value in child_environment().items() if name in PASSED_ON}
        return {
            **passed,
            "HOME": str(self.data_dir),
            "PYTHONUNBUFFERED": "1",
            "LABEL_STUDIO_BASE_DATA_DIR": str(self.data_dir),
            "LABEL_STUDIO_HOST": self.url,
            # In the environment, not in argv, where every user of the machine could read them.
            "LABEL_STUDIO_USERNAME": self.username,
            "LABEL_STUDIO_PASSWORD": self.password,
            "LABEL_STUDIO_USER_TOKEN": self.token,
            # Read when the organisation is made: without it the token above is refused.
            "LABEL_STUDIO_ENABLE_LEGACY_API_TOKEN": "true",
            # A backend on this machine has a loopback address, which Label Studio refuses by default:
            # the first variable is about attaching, the second about delivering events.
            "ML_BLOCK_LOCAL_IP": "false",
            "SSRF_PROTECTION_ENABLED": "false",
            "LABEL_STUDIO_LOCAL_FILES_SERVING_ENABLED": "true",
            "LABEL_STUDIO_LOCAL_FILES_DOCUMENT_ROOT": str(self.document_root),
            "COLLECT_ANALYTICS": "false",
            "LATEST_VERSION_CHECK": "false",
            "SENTRY_DSN": "",
            "FRONTEND_SENTRY_DSN": "",
            **self._extra_env,
        }


def sign_up(server: LabelStudioServer, email: str, password: str) -> str:
    """One more user of the same organisation, through the sign-up form; gives the user's legacy token."""
    with httpx.Client(base_url=server.url, timeout=60, follow_redirects=True) as session:
        session.get("/user/signup").raise_for_status()
        form = {"email": email, "password": password, "csrfmiddlewaretoken": session.cookies.get("csrftoken", "")}
        answer = session.post("/user/signup", data=form, headers={"Referer": f"{server.url}/user/signup"})
        token = session.get("/api/current-user/token")
        if token.status_code != 200:
            raise SignUpRefused(email, answer.status_code)
        return str(token.json()["token"])


def _login(login_file: Path) -> Login:
    """The login kept beside the database: the server does not change that of a user it already has."""
    if not login_file.exists():
        login = Login(USERNAME, secrets.token_urlsafe(12), secrets.token_hex(20))
        with os.fdopen(os.open(login_file, os.O_WRONLY | os.O_CREAT, 0o600), "w") as opened:
            json.dump(asdict(login), opened)
    return Login(**json.loads(login_file.read_text()))

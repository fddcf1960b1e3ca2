"""nginx and Caddy with the very lines that docs/administrators.md shows, behind TLS; `anna` signs in with `pw`."""

from __future__ import annotations

import json
import os
import shutil
import subprocess
import textwrap
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path

import trustme

from seedqueue.backend.children import Children

DOCS = Path(__file__).resolve().parents[2] / "docs" / "administrators.md"
ANNA = ("anna", "pw")

NGINX = """
worker_processes 1;
user root;
daemon off;
pid {folder}/pid;
events {{}}
http {{
    log_format short '$request_method $uri $status';
    access_log {folder}/access.log short;
    client_body_temp_path {folder}/body;
    proxy_temp_path {folder}/proxy;
    fastcgi_temp_path {folder}/fastcgi;
    uwsgi_temp_path {folder}/uwsgi;
    scgi_temp_path {folder}/scgi;
    server {{
        listen 127.0.0.1:{port} ssl;
        ssl_certificate {folder}/lab.pem;
        ssl_certificate_key {folder}/lab.pem;
{locations}
    }}
}}
"""

CADDY = """
{{
    admin off
    auto_https off
}}
https://127.0.0.1:{port} {{
    tls {folder}/lab.pem {folder}/lab.pem
    log {{
        output file {folder}/access.log
    }}
{site}
"""

# "METHOD /path status" of every request so far.
Answered = Callable[[], set[str]]
Front = Callable[[Path, int, str], tuple[list[str], Answered]]


def executable(name: str) -> str | None:
    return shutil.which(name) or shutil.which(f"/usr/sbin/{name}")


def shown(name: str, until: str, target: str) -> str:
    """What the document says, with this address for its own."""
    lines = DOCS.read_text().split(f"**{name}**")[1].split(f"**{until}**")[0]
    assert lines.count("127.0.0.1:9090") == 2
    return textwrap.dedent(lines).replace("http://127.0.0.1:9090", target).replace("127.0.0.1:9090", target)


def nginx(folder: Path, port: int, target: str) -> tuple[list[str], Answered]:
    passwords, config = folder / "lab.htpasswd", folder / "nginx.conf"
    passwords.write_text(f"{ANNA[0]}:{{PLAIN}}{ANNA[1]}\n")
    locations = shown("nginx", "Caddy", target).replace("/etc/nginx/lab.htpasswd", str(passwords))
    config.write_text(NGINX.format(folder=folder, port=port, locations=locations))
    line = [str(executable("nginx")), "-p", str(folder), "-c", str(config), "-e", str(folder / "error.log")]
    return line, lambda: set((folder / "access.log").read_text().splitlines())


def caddy(folder: Path, port: int, target: str) -> tuple[list[str], Answered]:
    command, config = str(executable("caddy")), folder / "Caddyfile"
    site = shown("Caddy", "Traefik", target).replace("lab.example {", "", 1).replace("HASH", _password_hash(command))
    version = tuple(int(part) for part in _run(command, "version").lstrip("v").split(".")[:2])
    if version < (2, 8):
        site = site.replace("basic_auth", "basicauth")
    config.write_text(CADDY.format(folder=folder, port=port, site=site))

    def answered() -> set[str]:
        lines = (json.loads(line) for line in (folder / "access.log").read_text().splitlines())
        return {f"{one['request']['method']} {one['request']['uri']} {one['status']}" for one in lines}

    return [command, "run", "--config", str(config), "--adapter", "caddyfile"], answered


FRONTS: dict[str, Front] = {"nginx": nginx, "caddy": caddy}


@contextmanager
def running(name: str, folder: Path, authority: trustme.CA, port: int, target: str) -> Iterator[Answered]:
    """Until the end of the block. target: the backend's own address."""
    authority.issue_cert("127.0.0.1").private_key_and_cert_chain_pem.write_to_path(folder / "lab.pem")
    line, answered = FRONTS[name](folder, port, target)
    with Children() as children:
        children.start(name, line, {**os.environ, "XDG_DATA_HOME": str(folder), "XDG_CONFIG_HOME": str(folder)})
        yield answered


def _password_hash(command: str) -> str:
    return _run(command, "hash-password", "--plaintext", ANNA[1])


def _run(*command: str) -> str:
    return subprocess.run(command, capture_output=True, text=True, check=True, timeout=60).stdout.split()[0]

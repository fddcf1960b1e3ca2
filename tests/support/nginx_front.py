"""nginx with the very locations that docs/administrators.md shows, behind TLS; `anna` signs in with `pw`."""

from __future__ import annotations

import textwrap
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import trustme

from seedqueue.backend.children import Children

DOCS = Path(__file__).resolve().parents[2] / "docs" / "administrators.md"
ANNA = ("anna", "pw")

CONFIG = """
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


def locations(target: str, passwords: Path) -> str:
    """What the document says, with this address and this file for its own."""
    shown = DOCS.read_text().split("**nginx**")[1].split("**Caddy**")[0]
    assert shown.count("http://127.0.0.1:9090") == 2
    return (
        textwrap.dedent(shown)
        .replace("http://127.0.0.1:9090", target)
        .replace("/etc/nginx/lab.htpasswd", str(passwords))
    )


@contextmanager
def nginx(executable: str, folder: Path, authority: trustme.CA, port: int, target: str) -> Iterator[Path]:
    """Running until the end of the block; its access log, a line a request: method, path, status."""
    authority.issue_cert("127.0.0.1").private_key_and_cert_chain_pem.write_to_path(folder / "lab.pem")
    passwords, config = folder / "lab.htpasswd", folder / "nginx.conf"
    passwords.write_text(f"{ANNA[0]}:{{PLAIN}}{ANNA[1]}\n")
    config.write_text(CONFIG.format(folder=folder, port=port, locations=locations(target, passwords)))
    with Children() as children:
        children.start("nginx", [executable, "-p", str(folder), "-c", str(config), "-e", str(folder / "error.log")])
        yield folder / "access.log"

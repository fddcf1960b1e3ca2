"""What the file behind an image URI is called."""

from __future__ import annotations

import re
from pathlib import PurePosixPath
from urllib.parse import parse_qs, unquote, urlsplit

UPLOAD_PREFIX = re.compile(r"^[0-9a-f]{8}-")


def file_name(uri: str) -> str:
    """The file's name in an image URI, without the prefix that Label Studio gives uploads; "" where it is no address.

    Local-files URIs carry it in their query.
    """
    try:
        parts = urlsplit(uri)
    except ValueError:
        return ""
    path = parse_qs(parts.query).get("d", [parts.path])[0]
    return UPLOAD_PREFIX.sub("", PurePosixPath(unquote(path)).name)

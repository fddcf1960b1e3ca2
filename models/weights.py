"""Weight files: found, checked against their SHA-256, fetched."""

import hashlib
import tempfile
from collections.abc import Callable, Sequence
from functools import lru_cache
from pathlib import Path
from typing import NamedTuple

from seedqueue.models.errors import WeightsCorrupt, WeightsMissing, WeightsUnreachable

Progress = Callable[[int, int | None], None]

# In the folder, "<sha256>  <file>" lines as sha256sum writes them; what it lists is checked.
CHECKSUMS = "SHA256SUMS"

_CHUNK = 1 << 20


class WeightsSource(NamedTuple):
    """Where an embedder's weights come from; the prefix of their SHA-256 where it is published."""

    url: str
    filename: str
    sha256_prefix: str | None


def find(folder: Path, names: Sequence[str]) -> Path | None:
    """The first of these files that is in the folder."""
    return next((folder / name for name in names if (folder / name).is_file()), None)


def require(folder: Path, names: Sequence[str], embedder: str) -> Path:
    """Like find; raises WeightsMissing, naming the first file and the command that fetches it."""
    found = find(folder, names)
    if found is None:
        raise WeightsMissing(names[0], folder, f"seedqueue weights fetch {embedder}")
    return found


def sha256_file(path: Path) -> str:
    """The SHA-256 of a file in hexadecimal; remembered while path, size and time stay the same."""
    state = path.stat()
    return _sha256(path, state.st_mtime_ns, state.st_size)


@lru_cache(maxsize=64)
def _sha256(path: Path, modified: int, size: int) -> str:
    with path.open("rb") as file:
        return hashlib.file_digest(file, "sha256").hexdigest()


def verify(path: Path, prefix: str | None = None) -> str:
    """Check a file before it is unpickled; returns its SHA-256.

    prefix: the published beginning of the SHA-256, if any. A line for the file in the folder's
    SHA256SUMS is checked as well. Raises WeightsCorrupt.
    """
    actual = sha256_file(path)
    for expected in (prefix, _listed(path)):
        if expected is not None and not actual.startswith(expected):
            raise WeightsCorrupt(path, f"a SHA-256 of {expected}", actual)
    return actual


def _listed(path: Path) -> str | None:
    sums = path.with_name(CHECKSUMS)
    if not sums.is_file():
        return None
    for line in sums.read_text(encoding="utf-8").splitlines():
        digest, _, name = line.partition(" ")
        if name.lstrip(" *") == path.name:
            return digest.lower()
    return None


def fetch(
    url: str,
    folder: Path,
    filename: str,
    progress: Progress,
    expected_prefix: str | None = None,
) -> Path:
    """Download a file into the folder; it appears there only when complete and checked.

    progress: called with the bytes so far and the total, None where the server does not tell.
    Raises WeightsUnreachable, WeightsCorrupt; OSError where the folder cannot be written.
    """
    folder.mkdir(parents=True, exist_ok=True)
    with tempfile.TemporaryDirectory(dir=folder, prefix=".fetch-") as scratch:
        part = Path(scratch) / filename
        _download(url, part, progress)
        actual = sha256_file(part)
        if expected_prefix is not None and not actual.startswith(expected_prefix):
            raise WeightsCorrupt(folder / filename, f"a SHA-256 of {expected_prefix}", actual)
        return part.replace(folder / filename)


def _download(url: str, part: Path, progress: Progress) -> None:
    import httpx  # here, so that reading weights needs no HTTP client

    done = 0
    timeout = httpx.Timeout(30.0, connect=5.0)
    try:
        with (
            httpx.stream("GET", url, follow_redirects=True, timeout=timeout) as answer,
            part.open("wb") as file,
        ):
            answer.raise_for_status()
            length = answer.headers.get("Content-Length")
            total = int(length) if length and "Content-Encoding" not in answer.headers else None
            for chunk in answer.iter_bytes(_CHUNK):
                file.write(chunk)
                done += len(chunk)
                progress(done, total)
    except httpx.HTTPStatusError as error:
        raise WeightsUnreachable(url, f"the server answered {error.response.status_code}") from error
    except (httpx.HTTPError, httpx.InvalidURL) as error:
        raise WeightsUnreachable(url, str(error) or type(error).__name__) from error

"""Weights over HTTP. The token for gated ones goes to its own server and to nobody else."""

from collections.abc import Callable
from dataclasses import dataclass, field
from pathlib import Path

from seedqueue.models import placing, weights
from seedqueue.models.errors import WeightsByHand, WeightsCorrupt, WeightsGated, WeightsUnreachable
from seedqueue.models.weights import WeightsFile, WeightsSource

# (file, bytes so far, total): the total is None where the server does not tell.
Progress = Callable[[str, int, int | None], None]

HUB = "https://huggingface.co"

_CHUNK = 1 << 20
_REFUSED = (401, 403)
_ABSENT = 404


@dataclass(frozen=True)
class Token:
    """A bearer token and the one origin that it is sent to, scheme and port included."""

    value: str = field(default="", repr=False)
    origin: str = HUB

    def __post_init__(self) -> None:
        if not (self.value.isascii() and self.value.isprintable()):
            raise ValueError("a token is printable ASCII")  # else the HTTP client's error would show it

    def belongs_to(self, url: str) -> bool:
        """Whether the address is of the token's origin."""
        import httpx  # here and below, so that reading weights needs no HTTP client

        one, other = httpx.URL(url), httpx.URL(self.origin)
        return (one.scheme, one.host, one.port) == (other.scheme, other.host, other.port)

    def headers_for(self, url: str) -> dict[str, str]:
        """What the token adds to a request; the client leaves it out when a redirect leads elsewhere."""
        return {"Authorization": f"Bearer {self.value}"} if self.value and self.belongs_to(url) else {}


def fetch(
    folder: Path, source: WeightsSource, embedder: str, progress: Progress, token: Token | None = None
) -> tuple[Path, ...]:
    """Download the files that are absent or damaged, and record the SHA-256 of all; returns what is new.

    Each file appears in the folder only when it is complete and checked; an optional one may be
    absent from the server too. Raises WeightsByHand, WeightsGated, WeightsUnreachable,
    WeightsCorrupt, WeightsFolderUnusable.
    """
    with weights.usable(folder):
        lacking = [file for file in source.files if not _is_right(folder, file)]
        if any(file.url is None and not file.optional for file in lacking):
            raise WeightsByHand(embedder, source.page, source.gate, source.command(embedder))
        fetching = _Fetching(folder, source, embedder, progress, token or Token())
        new = [path for file in lacking if file.url and (path := fetching.arrived(file, file.url))]
        found = (weights.find(folder, file) for file in source.files)
        old = [path for path in found if path and path not in new]
        placing.record(folder, {path.relative_to(folder).as_posix(): weights.sha256_file(path) for path in old})
    return tuple(new)


def _is_right(folder: Path, file: WeightsFile) -> bool:
    path = weights.find(folder, file)
    if path is None:
        return False
    try:
        weights.verify(folder, path, file.sha256)
    except WeightsCorrupt:
        return False
    return True


@dataclass(frozen=True)
class _Fetching:
    folder: Path
    source: WeightsSource
    embedder: str
    progress: Progress
    token: Token

    def arrived(self, file: WeightsFile, url: str) -> Path | None:
        """Download a file, check it, place it, record it. None for an optional one that does not exist."""
        target, sums = self.folder / file.name, self.folder / weights.CHECKSUMS
        with placing.scratch(self.folder) as where:
            part = where / "part"
            if not self._downloaded(file, url, part):
                return None
            actual = weights.sha256_file(part)
            mend = f"nothing was put in place: that is what {url} gives"
            weights.check(target, actual, weights.published(file.name, file.sha256), mend)
            mend += f" now; if it was changed there on purpose, take the file's line out of {sums}"
            weights.check(target, actual, [weights.listed(self.folder).get(file.name, "")], mend)
            placing.place(self.folder, part, file.name)
        placing.record(self.folder, {file.name: actual})
        return target

    def _downloaded(self, file: WeightsFile, url: str, part: Path) -> bool:
        import httpx

        try:
            self._stream(file, url, part)
        except httpx.HTTPStatusError as error:
            code = error.response.status_code
            if code == _ABSENT and file.optional:
                return False
            if code in _REFUSED and (self.source.gate or self.token.belongs_to(str(error.response.url))):
                sent = bool(self.token.headers_for(url))
                command = self.source.command(self.embedder)
                raise WeightsGated(url, code, sent, self.source.gate, self.source.page, command) from error
            raise WeightsUnreachable(url, f"the server answered {code}", self.folder / file.name) from error
        except (httpx.HTTPError, httpx.InvalidURL) as error:
            raise WeightsUnreachable(url, str(error) or type(error).__name__, self.folder / file.name) from error
        return True

    def _stream(self, file: WeightsFile, url: str, part: Path) -> None:
        import httpx

        done = 0
        timeout = httpx.Timeout(30.0, connect=5.0)
        headers = {"Accept-Encoding": "identity", **self.token.headers_for(url)}
        with (
            httpx.stream("GET", url, headers=headers, follow_redirects=True, timeout=timeout) as answer,
            part.open("wb") as opened,
        ):
            answer.raise_for_status()
            length = answer.headers.get("Content-Length")
            total = int(length) if length and "Content-Encoding" not in answer.headers else None
            for chunk in answer.iter_bytes(_CHUNK):
                opened.write(chunk)
                done += len(chunk)
                self.progress(file.name, done, total)

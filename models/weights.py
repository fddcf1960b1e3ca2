"""Weight files: what an embedder needs, found in the weights folder, checked against their SHA-256."""

import hashlib
import re
from collections.abc import Iterable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from functools import lru_cache
from pathlib import Path, PurePosixPath

from seedqueue.models.errors import WeightsCorrupt, WeightsFolderUnusable, WeightsMissing, WeightsOutside

# In the folder, "<sha256>  <file>" lines as sha256sum writes them; what it lists is checked.
CHECKSUMS = "SHA256SUMS"

# torchvision and torch hub end their file names with the first digits of the SHA-256.
_DIGEST_IN_NAME = re.compile(r"-([0-9a-f]{8})\.pth$")


@dataclass(frozen=True)
class WeightsFile:
    """One file of an embedder's weights.

    name: its path in the weights folder, with `/`. url: where it is downloaded from, None where
    only a person can. also: other names under which it is accepted. sha256: the published digest
    or its beginning. size: bytes, where published. optional: whether the embedder works without it.
    Raises WeightsOutside for a name that leads out of the folder.
    """

    name: str
    url: str | None
    also: tuple[str, ...] = ()
    sha256: str | None = None
    size: int | None = None
    optional: bool = False

    def __post_init__(self) -> None:
        for name in self.names:
            path = PurePosixPath(name)
            if not path.parts or path.is_absolute() or ".." in path.parts or {"\\", ":", "\0"} & set(name):
                raise WeightsOutside(name)

    @property
    def names(self) -> tuple[str, ...]:
        """Every name under which it is accepted, its own first."""
        return (self.name, *self.also)


@dataclass(frozen=True)
class WeightsSource:
    """Where an embedder's weights come from.

    page: where a person reads about them. licence: its usual name. gate: what a person must do
    before they can be had, None where they are open to all.
    """

    files: tuple[WeightsFile, ...]
    page: str
    licence: str
    gate: str | None = None

    def command(self, embedder: str) -> str:
        """What is typed to get them."""
        if all(file.url for file in self.files if not file.optional):
            return f"seedqueue weights fetch {embedder}"
        return f"seedqueue weights add {embedder} PATH"


@dataclass(frozen=True)
class Found:
    """Weights that are there, checked: the path of each file by its name, and one SHA-256 over all."""

    paths: dict[str, Path]
    sha256: str


def find(folder: Path, file: WeightsFile) -> Path | None:
    """Where the file is in the folder, under its own name or another accepted one."""
    return next((folder / name for name in file.names if (folder / name).is_file()), None)


def require(folder: Path, source: WeightsSource, embedder: str) -> Found:
    """Find every file and check it before anything is unpickled.

    A published SHA-256 is checked, and so is a line for the file in the folder's SHA256SUMS. Raises
    WeightsMissing, naming the file, the folder and the command; WeightsCorrupt, WeightsFolderUnusable.
    """
    with usable(folder):
        paths = {file.name: path for file in source.files if (path := find(folder, file))}
        for file in source.files:
            if file.name not in paths and not file.optional:
                gate = source.gate and f"{source.gate}, see {source.page}"
                raise WeightsMissing(file.name, folder, source.command(embedder), gate)
        digests = [verify(folder, path, file.sha256) for file in source.files if (path := paths.get(file.name))]
    every = digests[0] if len(digests) == 1 else hashlib.sha256("\n".join(digests).encode()).hexdigest()
    return Found(paths, every)


@contextmanager
def usable(folder: Path) -> Iterator[None]:
    """Tell what the system refuses by name. Raises WeightsFolderUnusable."""
    try:
        yield
    except OSError as error:
        raise WeightsFolderUnusable(folder, str(error)) from error


def sha256_file(path: Path) -> str:
    """The SHA-256 of a file in hexadecimal; remembered while path, size and time stay the same."""
    state = path.stat()
    return _sha256(path, state.st_mtime_ns, state.st_size)


@lru_cache(maxsize=256)
def _sha256(path: Path, modified: int, size: int) -> str:
    with path.open("rb") as file:
        return hashlib.file_digest(file, "sha256").hexdigest()


def verify(folder: Path, path: Path, expected: str | None = None) -> str:
    """Check a file of the folder before it is unpickled; returns its SHA-256.

    expected: the published SHA-256 or its beginning, if any; the file's name may tell it too. Raises WeightsCorrupt.
    """
    name, actual = path.relative_to(folder).as_posix(), sha256_file(path)
    check(path, actual, (*published(name, expected), listed(folder).get(name, "")))
    return actual


def check(path: Path, actual: str, digests: Iterable[str], mend: str | None = None) -> None:
    """Compare a file's SHA-256 with what it should begin with. mend: what to do. Raises WeightsCorrupt."""
    for digest in digests:
        if not actual.startswith(digest):
            raise WeightsCorrupt(path, f"a SHA-256 of {digest}", actual, mend)


def published(name: str, expected: str | None) -> tuple[str, ...]:
    """The digests, or their beginnings, that are published for a file: `expected`, and one in its name."""
    in_name = _DIGEST_IN_NAME.search(name)
    return tuple(digest.lower() for digest in (expected, in_name and in_name[1]) if digest)


def listed(folder: Path) -> dict[str, str]:
    """{file: SHA-256} of the folder's SHA256SUMS, as sha256sum writes it; empty without one."""
    sums = folder / CHECKSUMS
    if not sums.is_file():
        return {}
    lines = sums.read_text(encoding="utf-8", errors="replace").splitlines()
    fields = (line.partition(" ") for line in lines if not line.startswith("#"))
    return {name.lstrip(" *").removeprefix("./"): digest.lower() for digest, _, name in fields if name}

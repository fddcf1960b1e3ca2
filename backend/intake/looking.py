"""The first look at every file, before anything is sent: what it shows, whose it is, what it repeats."""

from __future__ import annotations

from collections import deque
from collections.abc import Callable, Iterable, Iterator, Sequence
from concurrent.futures import Future, ThreadPoolExecutor
from dataclasses import dataclass
from typing import TypeVar

from seedqueue.backend.intake.burned_in import burned_in
from seedqueue.backend.intake.ledger import Ledger
from seedqueue.backend.intake.near import hash_of
from seedqueue.backend.intake.pictures import Limits, opened, shown
from seedqueue.backend.intake.private import Private
from seedqueue.backend.intake.pseudonyms import Pseudonyms
from seedqueue.backend.intake.sources import Listed
from seedqueue.backend.intake.tags import Tags
from seedqueue.models.errors import UnreadableImage

THREADS = 4
AHEAD = 8  # files that are in memory at once
FLUSH = 200  # looks that a crash may cost

# The number is that of how pictures are made and looked at: change it with them.
CACHE, COLUMNS = "looked-at-1.csv", ("sha256", "image_id", "hash", "letters", "frames")

Item = TypeVar("Item")
Loaded = TypeVar("Loaded")


@dataclass(frozen=True)
class Look:
    """What is in a file's pixels. letters: how many stand in rows, 0 for no text."""

    image_id: str
    hash: str
    letters: int


@dataclass(frozen=True)
class Seen:
    """A readable file. tags: what its DICOM header says, None for another kind of image."""

    listed: Listed
    look: Look
    tags: Tags | None


@dataclass(frozen=True)
class Unreadable:
    listed: Listed
    reason: str
    dicom: bool = False


class Looks:
    """What was seen before, by the SHA-256 of the file: a file is decoded once for its look, ever."""

    def __init__(self, private: Private, frames: str) -> None:
        self._ledger, self._frames = Ledger(private.folder / CACHE, COLUMNS), frames
        self._known = {
            row["sha256"]: Look(row["image_id"], row["hash"], int(row["letters"]))
            for row in self._ledger.rows()
            if row["frames"] == frames and row["letters"].isdecimal()
        }
        self._new: list[dict[str, object]] = []

    def get(self, sha256: str) -> Look | None:
        return self._known.get(sha256)

    def hashes(self) -> dict[str, str]:
        """{image id: its perceptual hash} of all that was ever looked at."""
        return {look.image_id: look.hash for look in self._known.values()}

    def add(self, sha256: str, look: Look) -> None:
        if sha256 in self._known:
            return
        self._known[sha256] = look
        self._new.append(
            {
                "sha256": sha256,
                "image_id": look.image_id,
                "hash": look.hash,
                "letters": look.letters,
                "frames": self._frames,
            }
        )
        if len(self._new) >= FLUSH:
            self.flush()

    def flush(self) -> None:
        self._ledger.add(self._new)
        self._new = []


def look_at(
    files: Sequence[Listed],
    looks: Looks,
    pseudonyms: Pseudonyms,
    limits: Limits,
    progress: Callable[[int, int], None],
) -> tuple[list[Seen], list[Unreadable]]:
    """All files in order; what is kept of each is some hundred bytes."""

    def one(listed: Listed) -> tuple[str, Seen] | Unreadable:
        try:
            found = opened(listed.file, limits)
        except UnreadableImage as error:
            return Unreadable(listed, error.reason)
        try:
            look = looks.get(found.sha256) or _look(found.content, pseudonyms, limits)
        except UnreadableImage as error:
            return Unreadable(listed, error.reason, found.dicom)
        return found.sha256, Seen(listed, look, found.tags())

    seen: list[Seen] = []
    unreadable: list[Unreadable] = []
    for result in ahead_of(one, files):
        if isinstance(result, Unreadable):
            unreadable.append(result)
        else:
            looks.add(result[0], result[1].look)
            seen.append(result[1])
        progress(len(seen) + len(unreadable), len(files))
    looks.flush()
    return seen, unreadable


def _look(content: bytes, pseudonyms: Pseudonyms, limits: Limits) -> Look:
    image = shown(content, limits).image
    return Look(pseudonyms.image(image), hash_of(image), burned_in(image))


def ahead_of(load: Callable[[Item], Loaded], items: Iterable[Item]) -> Iterator[Loaded]:
    """Items loaded by threads, in order; so few at once that large images stay bounded in memory."""
    with ThreadPoolExecutor(THREADS) as threads:
        loading: deque[Future[Loaded]] = deque()
        for item in items:
            loading.append(threads.submit(load, item))
            if len(loading) >= AHEAD:
                yield loading.popleft().result()
        while loading:
            yield loading.popleft().result()

"""Which installed packages seedqueue stands on: its requirements, theirs, and so on, as they are installed here."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator, Mapping
from dataclasses import dataclass
from importlib import metadata
from pathlib import Path

from packaging.requirements import Requirement
from packaging.utils import canonicalize_name

from seedqueue.backend.offline.errors import ExtraUnknown, PackageMissing

OURS = "seedqueue"
Find = Callable[[str], metadata.Distribution]


@dataclass(frozen=True)
class Package:
    """One installed package; requires: names of the packages in the closure that it needs itself."""

    name: str
    version: str
    requires: tuple[str, ...]
    installed: metadata.Distribution


def closure(root: str, extras: Iterable[str] = (), find: Find = metadata.distribution) -> dict[str, Package]:
    """The root package and all it needs on this machine, by name, sorted. extras: of the root, that count too.

    Raises `PackageMissing`, naming who needs it.
    """
    waiting = [(canonicalize_name(root), frozenset(extras), "this command")]
    asked: dict[str, set[str]] = {}
    found: dict[str, metadata.Distribution] = {}
    needs: dict[str, set[str]] = {}
    while waiting:
        name, wanted, needed_by = waiting.pop()
        if name in asked and wanted <= asked[name]:
            continue
        try:
            found[name] = find(name)
        except metadata.PackageNotFoundError as error:
            raise PackageMissing(name, needed_by) from error
        asked.setdefault(name, set()).update(wanted)
        for requirement in _requirements(found[name], asked[name]):
            child = canonicalize_name(requirement.name)
            needs.setdefault(name, set()).add(child)
            waiting.append((child, frozenset(requirement.extras), name))
    return {
        name: Package(name, found[name].version, tuple(sorted(needs.get(name, set()) - {name})), found[name])
        for name in sorted(found)
    }


def known_extras(distribution: metadata.Distribution) -> list[str]:
    return sorted(distribution.metadata.get_all("Provides-Extra") or ())


def check_extras(distribution: metadata.Distribution, extras: Iterable[str]) -> None:
    """Raises `ExtraUnknown`."""
    known = known_extras(distribution)
    for extra in extras:
        if extra not in known:
            raise ExtraUnknown(extra, known)


def installed_extras(distribution: metadata.Distribution, find: Find = metadata.distribution) -> list[str]:
    """The extras of which every requirement is installed."""

    def is_here(extra: str) -> bool:
        own = [each for each in _requirements(distribution, [extra]) if "extra" in str(each.marker or "")]
        try:
            return bool(own) and all(find(each.name) for each in own)
        except metadata.PackageNotFoundError:
            return False

    return [extra for extra in known_extras(distribution) if is_here(extra)]


def within(folder: Path) -> Find:
    """`find` for the packages in another environment's site-packages."""
    by_name: Mapping[str, metadata.Distribution] = {
        canonicalize_name(each.name): each for each in metadata.distributions(path=[str(folder)])
    }

    def find(name: str) -> metadata.Distribution:
        try:
            return by_name[canonicalize_name(name)]
        except KeyError:
            raise metadata.PackageNotFoundError(name) from None

    return find


def ours() -> metadata.Distribution:
    """seedqueue as pip installed it: beside a checkout's own `egg-info`, which knows less.

    Raises `PackageMissing` where seedqueue runs without having been installed.
    """
    every = list(metadata.distributions(name=OURS))
    if not every:
        raise PackageMissing(OURS, "this command")
    return next((each for each in every if each.read_text("RECORD")), every[0])


def _requirements(distribution: metadata.Distribution, extras: Iterable[str]) -> Iterator[Requirement]:
    for text in distribution.requires or ():
        requirement = Requirement(text)
        marker = requirement.marker
        if marker is None or any(marker.evaluate({"extra": extra}) for extra in {"", *extras}):
            yield requirement

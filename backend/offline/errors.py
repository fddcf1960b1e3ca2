"""What can be wrong with a bundle while it is made, and with the list of what is installed."""

from __future__ import annotations

from pathlib import Path

from seedqueue.backend.errors import SeedqueueError


class PackageMissing(SeedqueueError):
    """A package that another one needs is not installed here."""

    status = 500

    def __init__(self, name: str, needed_by: str) -> None:
        super().__init__(
            f"{needed_by} needs {name}, which is not installed here: the bundle and the list hold what runs here. "
            f"Run `pip install {name}`."
        )


class LibraryMissing(SeedqueueError):
    """cyclonedx-python-lib is not there."""

    status = 500

    def __init__(self) -> None:
        super().__init__(
            "The list of what is installed needs cyclonedx-python-lib, which is not here: run "
            "`pip install 'seedqueue[offline]'`."
        )


class ExtraUnknown(SeedqueueError):
    status = 422

    def __init__(self, extra: str, known: list[str]) -> None:
        super().__init__(f"seedqueue has no extra {extra!r}; give some of: {', '.join(known)}.")


class WheelsMissing(SeedqueueError):
    """pip could not gather or build the wheels."""

    status = 502

    def __init__(self, wanted: int, reason: str) -> None:
        super().__init__(
            f"pip could not gather the wheels of {wanted} packages ({reason}). This machine needs the network or a "
            "folder of wheels (PIP_FIND_LINKS); for PyTorch's CPU wheels set PIP_EXTRA_INDEX_URL to its index."
        )


class NoPip(SeedqueueError):
    status = 500

    def __init__(self, python: Path) -> None:
        super().__init__(f"{python} has no pip, which gathers the wheels: run `{python} -m ensurepip`.")


class BundleExists(SeedqueueError):
    status = 409

    def __init__(self, folder: Path) -> None:
        super().__init__(
            f"{folder} is there already and not empty: a bundle is made in a new folder. Give another --out."
        )


class ImageUnusable(SeedqueueError):
    """A container image that was named is no file that `docker save` writes, or two have the same name."""

    status = 422

    def __init__(self, path: Path, reason: str) -> None:
        super().__init__(
            f"The container image {path} cannot be bundled: {reason}. Make it by `docker save --output FILE`."
        )


class NoLabelStudio(SeedqueueError):
    """The folder that should be Label Studio's environment is none."""

    status = 422

    def __init__(self, folder: Path, reason: str) -> None:
        super().__init__(
            f"{folder} is no environment to take Label Studio from: {reason}. Give the folder of the virtual "
            "environment in which `label-studio` is installed."
        )

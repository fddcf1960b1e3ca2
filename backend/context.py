"""What a process of seedqueue works with: settings, Label Studio, Redis, the home; each opened on first use."""

from __future__ import annotations

from functools import cached_property
from pathlib import Path
from types import TracebackType

from seedqueue.backend import broker, label_studio
from seedqueue.backend.blobs import Blobs
from seedqueue.backend.embeddings import Sources
from seedqueue.backend.maps import Maps
from seedqueue.backend.pace import Pace
from seedqueue.backend.records import Records
from seedqueue.backend.settings import Settings
from seedqueue.backend.snapshots import Snapshots
from seedqueue.backend.tables import Home
from seedqueue.backend.versions import Versions
from seedqueue.models.runtime import Runtime

VERDICTS = "accuracy-gate"


class Context:
    """Opened lazily, so that a command that needs no Redis or no token asks for none."""

    def __init__(self, settings: Settings) -> None:
        self.settings = settings

    def __enter__(self) -> Context:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self.close()

    def close(self) -> None:
        """Close the connections that were opened."""
        opened = vars(self)
        if "studio" in opened:
            self.studio.close()
        if "broker" in opened:
            self.broker.close()

    @property
    def runtime(self) -> Runtime:
        """How this process runs its networks; the accuracy gate's findings lie beside the weights."""
        s = self.settings
        return Runtime(precision=s.precision, threads=s.threads, verdicts=s.weights / VERDICTS)

    @cached_property
    def pace(self) -> Pace:
        """The waits of jobs and workers."""
        return self.settings.pace

    @cached_property
    def studio(self) -> label_studio.Studio:
        return label_studio.connect(self.settings)

    @cached_property
    def broker(self) -> broker.Broker:
        return broker.connect(self.settings)

    @cached_property
    def home(self) -> Home:
        place = self.settings.home
        return Home(place) if isinstance(place, Path) else Home(place, self.broker.lock)

    @cached_property
    def records(self) -> Records:
        return Records(self.home, self.settings.label_studio_url)

    @cached_property
    def versions(self) -> Versions:
        return Versions(self.records)

    @cached_property
    def blobs(self) -> Blobs:
        return Blobs(self.home)

    @cached_property
    def sources(self) -> Sources:
        return Sources(self.home)

    @cached_property
    def snapshots(self) -> Snapshots:
        return Snapshots(self.home, self.settings.label_studio_url)

    @cached_property
    def maps(self) -> Maps:
        return Maps(self.home, self.settings.label_studio_url)

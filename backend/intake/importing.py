"""One import from beginning to end: look at all, tell, then send what is new."""

from __future__ import annotations

import errno
from collections.abc import Callable, Collection, Iterator, Sequence
from contextlib import AbstractContextManager, contextmanager
from dataclasses import dataclass
from pathlib import Path

from seedqueue.backend.context import Context
from seedqueue.backend.intake.asked import ImportChoices, check_choices, image_key_for
from seedqueue.backend.intake.encoding import Ready, encoded
from seedqueue.backend.intake.errors import NoRoom
from seedqueue.backend.intake.lists import Compared, Found, write_lists
from seedqueue.backend.intake.looking import Looks, Seen, Unreadable, look_at
from seedqueue.backend.intake.near import near_pairs
from seedqueue.backend.intake.patients import Patients
from seedqueue.backend.intake.pictures import GREY, Limits
from seedqueue.backend.intake.private import Private, open_private, place_of
from seedqueue.backend.intake.pseudonyms import Pseudonyms
from seedqueue.backend.intake.sending import Folder, Place, Uploads, known_images, make_tasks
from seedqueue.backend.intake.sorting import belongs, sort_out
from seedqueue.backend.intake.sources import Source, legible, read_source
from seedqueue.backend.intake.task_values import task_values
from seedqueue.backend.intake.uid_map import UidMap
from seedqueue.backend.intake.words import warnings
from seedqueue.backend.milestones import Imported

FULL = (errno.ENOSPC, errno.EDQUOT, errno.EROFS, errno.EFBIG, errno.EACCES)

Say = Callable[[str], None]
Bar = Callable[[str], AbstractContextManager[Callable[[int, int], None]]]


@dataclass(frozen=True)
class Outcome:
    """What an import did; `lists`: the folder with its lists, left: the table's columns that were not taken."""

    imported: Imported
    private: Path
    lists: Path
    checked: bool
    left: tuple[str, ...]


@contextmanager
def no_bar(label: str) -> Iterator[Callable[[int, int], None]]:
    yield lambda done, total: None


def import_images(
    context: Context, project: int, source: Path, choices: ImportChoices, say: Say, bar: Bar = no_bar
) -> Outcome:
    """Import a folder, or the files of a CSV, into a project; what the project has already is not sent again.

    say: told what was found before anything is sent. Saves `Imported`, also of an import that breaks off; not of a
    check. Raises the errors of `intake.errors`, `NoImages`, `TableUnusable`, `ProjectNotFound`,
    `NoImageInLabelConfig`, and what Label Studio refuses.
    """
    place = place_of(context.settings.home, choices.private)
    check_choices(choices, place)
    image_key = image_key_for(context.studio, project, uploads=choices.out is None)
    read = read_source(source, choices.patient_field, choices.fields)
    private = open_private(place)
    with private.alone():
        one = _Import(context, project, choices, private, image_key, read)
        with _room(one, private.folder):
            return one.run(say, bar)


class _Import:
    """One run; `sent` counts as it goes on."""

    def __init__(
        self, context: Context, project: int, choices: ImportChoices, private: Private, image_key: str, source: Source
    ) -> None:
        self.context, self.project, self.choices = context, project, choices
        self.private, self.image_key, self.source = private, image_key, source
        s = context.settings
        self.limits = Limits(s.max_image_bytes, s.max_image_pixels, s.dicom_frames)
        self.pseudonyms = Pseudonyms(private.key)
        self.uid_map = UidMap(private)
        self.sent: list[int] = []  # positions in the sorted images
        self.changed: list[tuple[str, str]] = []

    def run(self, say: Say, bar: Bar) -> Outcome:
        found = self._look(bar)
        write_lists(self.private, self.project, found)
        for line in warnings(found):
            say(line)
        if not self.choices.check:
            try:
                self._send(found, bar)
            finally:
                self._imported(found).save(self.context.records, self.project)
        return Outcome(
            self._imported(found),
            self.private.folder,
            self.private.reports(self.project),
            self.choices.check,
            self.source.left,
        )

    def _look(self, bar: Bar) -> Found:
        looks = Looks(self.private, self.limits.frames)
        with bar("looking") as progress:
            seen, unreadable = look_at(self.source.files, looks, self.pseudonyms, self.limits, progress)
        known = known_images(self.context.studio, self.project)
        found = sort_out(seen, known)
        patients = Patients(self.pseudonyms, self.choices.trust_ids)
        patients.remember(self.uid_map.patients())
        mine = tuple(belongs(one, patients, self.pseudonyms) for one in found.images)
        hashes, here = looks.hashes(), [one.look.image_id for one in found.images]
        earlier = self._earlier(known.difference(here).intersection(hashes))
        compared = [hashes[image] for image in (*(one.image_id for one in earlier), *here)]
        pairs = near_pairs(compared, self.choices.near, first=len(earlier))
        return Found(found, mine, tuple(unreadable), earlier, tuple(pairs), frozenset(patients.shared))

    def _earlier(self, images: Collection[str]) -> tuple[Compared, ...]:
        """What the project has beside this source, as far as it was imported with this private folder."""
        sent = self.uid_map.sent(self.project)
        return tuple(Compared(legible(sent[one][0]), one, sent[one][1]) for one in sorted(sent) if one in images)

    def _send(self, found: Found, bar: Bar) -> None:
        images, wanted = found.sorted.images, found.sorted.new
        if not wanted:
            return
        place = self._place()
        with bar("sending") as progress:
            for batch in encoded(images, wanted, self.pseudonyms, self.limits):
                self.changed += [(one.listed.name, one.reason) for one in batch if isinstance(one, Unreadable)]
                self._send_batch([one for one in batch if isinstance(one, Ready)], found, place)
                progress(len(self.sent) + len(self.changed), len(wanted))

    def _place(self) -> Place:
        if self.choices.out is not None:
            return Folder(self.choices.out.expanduser().absolute(), self.choices.url)
        return Uploads(self.context.studio, self.project)

    def _send_batch(self, batch: Sequence[Ready], found: Found, place: Place) -> None:
        if not batch:
            return
        images, mine = found.sorted.images, found.belongings
        # First the map: nothing may be out there that the lab cannot find the way back from.
        self.uid_map.add(self.project, [(images[one.at], mine[one.at], one.spacing) for one in batch])
        uris = place.put({one.name: one.png for one in batch})
        tasks = [
            task_values(images[one.at], mine[one.at], one.spacing, self.image_key, uris[one.name]) for one in batch
        ]
        make_tasks(self.context.studio, self.project, tasks)
        self.sent += [one.at for one in batch]

    def _imported(self, found: Found) -> Imported:
        """Of a check: what would be sent."""
        sent = found.sorted.new if self.choices.check else tuple(self.sent)
        mine = [found.belongings[at] for at in sent]
        listed = [(one.listed.name, one.reason) for one in found.unreadable] + self.changed
        dicom = sum(one.dicom for one in found.unreadable) + sum(one.tags is not None for one in self._seen(found))
        told = self._told
        return Imported(
            source=told(self.source.name),
            files=len(self.source.files),
            dicom=dicom,
            unreadable=tuple((told(name), reason) for name, reason in listed),
            repeats=len(found.sorted.repeats),
            known=found.sorted.known,
            tasks=len(sent),
            near=len(found.near),
            burned_in=sum(found.sorted.images[at].look.letters > 0 for at in sent),
            without_patient=sum(one.alone for one in mine),
            shared_ids=len(found.shared),
            patients=len({one.patient for one in mine if one.patient}),
            studies=len({one.study for one in mine if one.study}),
            grey=GREY,
        )

    def _told(self, name: str) -> str:
        """A file's name as the records hold it: a home in an object store gets a mark in its place."""
        home = self.context.settings.home
        return name if isinstance(home, Path) else f"f-{self.pseudonyms.mark('file', name)}"

    @staticmethod
    def _seen(found: Found) -> list[Seen]:
        return [*found.sorted.images, *(one for one, _ in found.sorted.repeats)]


@contextmanager
def _room(one: _Import, place: Path) -> Iterator[None]:
    try:
        yield
    except OSError as error:
        if error.errno not in FULL:
            raise
        where = Path(error.filename).parent if error.filename else place
        raise NoRoom(where, error.strerror or str(error), len(one.sent)) from error

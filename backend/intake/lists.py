"""The lists that an import leaves in the private folder, for people."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

from seedqueue.backend.intake.looking import Unreadable
from seedqueue.backend.intake.near import Pair
from seedqueue.backend.intake.private import Private
from seedqueue.backend.intake.sorting import Belongs, Sorted

UNREADABLE, REPEATS, NEAR, BURNED_IN = "unreadable.csv", "repeats.csv", "near-duplicates.csv", "burned-in.csv"
ALONE, SHARED = "without-patient.csv", "shared-ids.csv"
NEW, OLD = "new", "in the project"


@dataclass(frozen=True)
class Compared:
    """An image that near duplicates are looked for among: of this source, or of an earlier import into the project."""

    name: str
    image_id: str
    patient: str
    new: bool = False


@dataclass(frozen=True)
class Found:
    """All that is known before anything is sent. belongings: of each of `sorted.images`; shared: patient ids.

    earlier: what earlier imports brought into the project. pairs: positions in `compared`.
    """

    sorted: Sorted
    belongings: tuple[Belongs, ...]
    unreadable: tuple[Unreadable, ...]
    earlier: tuple[Compared, ...]
    pairs: tuple[Pair, ...]
    shared: frozenset[str]

    @property
    def new(self) -> frozenset[int]:
        return frozenset(self.sorted.new)

    @property
    def burned_in(self) -> list[int]:
        """Images with text in their pixels, as positions."""
        return [at for at, one in enumerate(self.sorted.images) if one.look.letters]

    @property
    def alone(self) -> list[int]:
        """DICOM images without a patient's id, as positions."""
        return [at for at, mine in enumerate(self.belongings) if mine.alone]

    @property
    def compared(self) -> list[Compared]:
        """The earlier ones, then those of this source."""
        images = enumerate(zip(self.sorted.images, self.belongings, strict=True))
        mine = [Compared(one.listed.name, one.look.image_id, to.patient, at in self.new) for at, (one, to) in images]
        return [*self.earlier, *mine]

    @property
    def near(self) -> list[tuple[Compared, Compared]]:
        """The pairs of which one is new."""
        there = self.compared
        found = [(there[pair.one], there[pair.other]) for pair in self.pairs]
        return [(one, other) for one, other in found if one.new or other.new]


def write_lists(private: Private, project: int, found: Found) -> None:
    """Each replaces that of the last import; a column tells which images are new."""
    images, mine = found.sorted.images, found.belongings
    is_new = [NEW if at in found.new else OLD for at in range(len(images))]
    names = [one.listed.name for one in images]
    ids = [one.look.image_id for one in images]

    def write(name: str, columns: str, rows: Sequence[Sequence[object]]) -> None:
        private.write(project, name, columns.split(), rows)

    write(UNREADABLE, "file reason", [(one.listed.name, one.reason) for one in found.unreadable])
    repeated = [(one.listed.name, other.listed.name, other.look.image_id) for one, other in found.sorted.repeats]
    write(REPEATS, "file same_as image_id", repeated)
    there = found.compared
    near = [
        (one.name, other.name, pair.distance, one.image_id, other.image_id, one.patient, other.patient,
         NEW if one.new else OLD)
        for pair in found.pairs for one, other in [(there[pair.one], there[pair.other])]
    ]  # fmt: skip
    write(NEAR, "file near distance image_id near_image_id patient near_patient state", near)
    burned = [(names[at], ids[at], images[at].look.letters, is_new[at]) for at in found.burned_in]
    write(BURNED_IN, "file image_id letters state", burned)
    alone = [(names[at], ids[at], mine[at].patient, is_new[at]) for at in found.alone]
    write(ALONE, "file image_id patient state", alone)
    shared = [
        (mine[at].number, mine[at].patient, names[at], tags.name, tags.birth, tags.sex, tags.issuer, is_new[at])
        for at, one in enumerate(images)
        if mine[at].number in found.shared and (tags := one.tags)
    ]
    write(SHARED, "patient_id patient file name birth_date sex issuer state", sorted(shared))

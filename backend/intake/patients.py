"""Who is who: one pseudonym for each patient, also where ids are missing or shared."""

from __future__ import annotations

import re
import unicodedata
from collections.abc import Iterable
from dataclasses import dataclass, field

from seedqueue.backend.intake.pseudonyms import Pseudonyms
from seedqueue.backend.intake.tags import Tags


@dataclass(frozen=True)
class Who:
    """Marks (HMACs) of what a header says of a person beside the id; "" where it says nothing."""

    issuer: str = ""
    name: str = ""
    birth: str = ""
    sex: str = ""

    def contradicts(self, other: Who) -> bool:
        pairs = zip(self.parts, other.parts, strict=True)
        return any(one != another for one, another in pairs if one and another)

    @property
    def parts(self) -> tuple[str, str, str, str]:
        return self.issuer, self.name, self.birth, self.sex

    def with_more(self, other: Who) -> Who:
        return Who(*(one or another for one, another in zip(self.parts, other.parts, strict=True)))

    def __str__(self) -> str:
        return ".".join(self.parts)

    @classmethod
    def from_text(cls, text: str) -> Who:
        parts = text.split(".")
        return cls(*parts) if len(parts) == 4 else cls()


def who_of(tags: Tags, pseudonyms: Pseudonyms) -> Who:
    """Names by their words in any order and without accents: Doe^John is John Doe."""
    plain = unicodedata.normalize("NFKD", tags.name).encode("ascii", "ignore").decode() or tags.name
    words = sorted(word for word in re.split(r"[\W_]+", plain.upper()) if word)
    birth = "".join(filter(str.isdigit, tags.birth))
    sex = tags.sex.upper() if tags.sex.upper() in ("M", "F", "O") else ""
    said = {"issuer": tags.issuer.upper(), "name": " ".join(words), "birth": birth, "sex": sex}
    return Who(**{kind: pseudonyms.mark(kind, value) for kind, value in said.items()})


@dataclass
class _Person:
    pseudonym: str
    who: Who


@dataclass
class Patients:
    """The pseudonyms of patient ids, those of earlier imports first.

    Who contradicts all that stand under an id so far, in name, birth date, sex or issuer, is another patient: with a
    pseudonym that is made of both. trust_ids: one id is one patient, whatever else is said. shared: ids that were
    asked for and under which two seem to stand.
    """

    pseudonyms: Pseudonyms
    trust_ids: bool = False
    shared: set[str] = field(default_factory=set)
    _people: dict[str, list[_Person]] = field(default_factory=dict)

    def remember(self, rows: Iterable[tuple[str, str, Who]]) -> None:
        """(id, pseudonym, who) of earlier imports."""
        for number, pseudonym, who in rows:
            people = self._people.setdefault(number, [])
            person = next((one for one in people if one.pseudonym == pseudonym), None)
            if person is None:
                people.append(_Person(pseudonym, who))
            else:
                person.who = person.who.with_more(who)

    def of(self, number: str, who: Who) -> str:
        """The pseudonym of who stands under this id."""
        people = self._people.setdefault(number, [])
        found = self._found(people, who)
        if found is None:
            found = _Person(self.pseudonyms.patient(number, str(who) if people else ""), who)
            if all(one.pseudonym != found.pseudonym for one in people):
                people.append(found)
        if len(people) > 1 or found.who.contradicts(who):
            self.shared.add(number)
        found.who = found.who.with_more(who)
        return found.pseudonym

    def _found(self, people: list[_Person], who: Who) -> _Person | None:
        if self.trust_ids:
            return people[0] if people else None
        fitting = [one for one in people if not one.who.contradicts(who)]
        if len(fitting) > 1:  # it could be either: only who is the same is taken for the same
            fitting = [one for one in fitting if one.who == who]
        return fitting[0] if fitting else None

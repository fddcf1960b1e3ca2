"""A week of a lab's dataset, and the month after: what docs/a-week.md reports.

    make a-week                    # writes docs/a-week.md

Breast ultrasound (busi) and DICOM from the test data, a real Label Studio, three annotators of whom one is careless
in a known way: 30 % of his kinds are wrong, and his masks lie 25 pixels too far right. What was planted and what the
commands say of it stand side by side. Exit code 1 where something that was known was not found.
"""

from __future__ import annotations

import argparse
import csv
import sys
import tempfile
from contextlib import ExitStack
from pathlib import Path

sys.path.insert(0, str(Path(__file__).resolve().parents[1] / "support"))

from truth import KINDS
from week_archive import BROKEN, dicoms
from week_lab import CARELESS, DATA, FOREIGN, LATER, NAMES, REPEATS, ROOT, TEST, Lab, digest
from week_readers import CONFIG, file_of, in_turns

from seedqueue.backend.arrivals.looking import look
from seedqueue.backend.children import Children
from seedqueue.backend.demo.project import create_project
from seedqueue.backend.people.agreeing import look_at_agreement

HEAD = (
    "# A week of a dataset, and the month after",
    "Made by `make a-week` (`tests/proofs/a_week.py`) on the test data, with a real Label Studio and SqueezeNet's "
    "ImageNet weights. Three annotators, played by the script, label breast ultrasounds; Cem is careless in a known "
    "way. Every command stands with what it printed; a line that begins with *Found* sets what was planted beside what "
    "was told.",
)


def main() -> int:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--out", type=Path, default=ROOT / "docs/a-week.md")
    parser.add_argument("--keep", type=Path, help="work in this folder and leave it")
    given = parser.parse_args()
    with ExitStack() as opened:
        children = opened.enter_context(Children())
        place = given.keep or Path(opened.enter_context(tempfile.TemporaryDirectory(prefix="sq-")))
        week = Week(opened, children, place.resolve())
        for day in (week.monday, week.tuesday, week.wednesday, week.thursday, week.friday, week.month_after, week.end):
            day()
        week.report.write(given.out, HEAD)
    for one in week.report.failed:
        print(f"NOT FOUND: {one}", file=sys.stderr)
    return 1 if week.report.failed else 0


class Week(Lab):
    """The days, in their order."""

    def monday(self) -> None:
        """In: images and DICOM, a test list."""
        r, p, table = self.report, self.project, "month-1/images.csv --field scanner --field set"
        r.say("## Monday: from the archive into Label Studio")
        r.say(
            f"`month-1` holds {len(self.first.known) - REPEATS} breast ultrasounds, {REPEATS} of them twice, and "
            f"{len(BROKEN)} broken files; its table says which {TEST} are the team's own test set. `pacs` holds 19 "
            "DICOM files into which names were put: one without a patient's id, one id under which two patients stand."
        )
        told = r.run(f"seedqueue import --project {p} {table}")
        tasks = self.tasks(p)
        listed = [name for name in BROKEN if name in told]
        r.check(f"of the {len(BROKEN)} broken files", f"{len(listed)} are listed.", len(listed) == len(BROKEN))
        out = len(self.first.known) - len(tasks)
        r.check(f"of the {REPEATS} planted repeats", f"at least all were left out: {out} images.", out >= REPEATS)
        r.run(f"seedqueue import --project {p} {table}", most=14)
        r.check("an import twice", "brings nothing new.", self.tasks(p) == tasks)
        chest = create_project(self.context.studio, "chest radiographs", CONFIG)
        dicoms(self.place / "pacs", DATA)
        told = r.run(f"seedqueue import --project {chest} pacs")
        leaks = self.leaks(chest)
        r.check("no name, date or id of the archive", f"is in a task or in an image's bytes ({len(leaks)}).", not leaks)
        r.run(f"seedqueue attach --project {p}")
        r.run(f"seedqueue lock --project {p} --where set=test")
        r.check(f"the {TEST} images of the test set", "are locked.", len(self.locked()) == TEST)
        self.ground_truth()

    def tuesday(self) -> None:
        """A seed queue, read by three."""
        r, p = self.report, self.project
        r.say("## Tuesday: a seed queue, read by three annotators")
        r.run(f"seedqueue seed --project {p} --budget 90 --audit 60")
        r.run(f"seedqueue overlap --project {p} --annotators 3")
        queue, apart = self.queue(), self.locked()
        r.check("the locked test set", f"gave none of the queue's {len(queue)} tasks.", not apart.intersection(queue))
        shared = self.shared()
        each = len(shared) + (90 + 60 - len(shared)) // 3  # the audit tasks that stand behind the queue too
        done = in_turns(self.readers, [each] * 3)
        r.say(
            f"Ada, Ben and Cem label {each} tasks each, as Label Studio serves them. Ada and Ben err on 3 % of the "
            "images; Cem on 30 %, and his masks lie 25 pixels too far right."
        )
        by_all = shared.intersection(*done)
        r.check(f"of {len(shared)} tasks read in common", f"{len(by_all)} were served to all three.", by_all == shared)
        r.check("no locked task", "was served.", not apart.intersection(*map(set, done)))
        r.run(f"seedqueue pace --project {p}")

    def wednesday(self) -> None:
        """Who agrees with whom, and which labels are wrong."""
        r, p = self.report, self.project
        r.say("## Wednesday: agreement, adjudication, label errors")
        self.learnt(80)
        r.run(f"seedqueue agreement --project {p} --tabs")
        looked = look_at_agreement(self.context, p, by_name=True)
        found = sorted({looked.names[one.annotator] for _, one in looked.flagged})
        r.check("Cem, and nobody else,", f"is flagged: {', '.join(found) or 'nobody'}.", found == [NAMES[CARELESS]])
        doubted = {one.task for one in looked.doubted.suspects}
        wrong = {task for reader in self.readers for task in reader.errors} - self.shared() - self.audit()
        r.check(
            f"of {len(wrong)} wrong kinds that one reader alone gave, outside of the audit,",
            f"{len(wrong & doubted)} are among the {len(doubted)} suspected ones.",
            bool(wrong & doubted),
        )
        mended = self.adjudicated(doubted.union(one.task for one in looked.disagreements))
        r.say(f"An adjudicator goes through both tabs, the truth at hand: {mended} annotations are corrected.")

    def thursday(self) -> None:
        """Two rounds by what the head is unsure of."""
        r, p = self.report, self.project
        r.say("## Thursday: two rounds, by Ada and Ben")
        for _ in range(2):
            before = self.labels()
            r.run(f"seedqueue round --project {p} --budget 30")
            in_turns(self.readers[:2], [15, 15])
            self.learnt(before + 25)
        r.run(f"seedqueue learning --project {p}")

    def friday(self) -> None:
        """Out, and into a paper."""
        r, p = self.report, self.project
        r.say("## Friday: the dataset, and the methods section")
        r.run(f"seedqueue export --project {p} --out dataset")
        first = digest(self.place / "dataset")
        r.run(f"seedqueue export --project {p} --out dataset", most=4)
        r.check("an export twice", "gives the same bytes.", digest(self.place / "dataset") == first)
        with (self.place / "dataset/labels.csv").open(newline="") as opened:
            rows = list(csv.DictReader(opened))
        parts = {int(one["task"]): one["split"] for one in rows}
        test = [parts.get(task) for task in sorted(self.locked())]
        r.check(f"of {len(test)} locked tasks", f"{test.count('test')} are in the split `test`.", set(test) == {"test"})
        tasks = self.tasks(p)
        said = [[kind for kind in KINDS if one[kind] == "1"] for one in rows]
        true = [[self.true(tasks[int(one["task"])]).kind] for one in rows]
        right = sum(one == other for one, other in zip(said, true, strict=True))
        r.say(f"{right} of {len(rows)} exported kinds are the true ones.")
        r.run(f"seedqueue methods --project {p} --out paper")
        text = (self.place / "paper/methods.md").read_text(encoding="utf-8")
        r.say("What `methods.md` says:", "\n".join(f"> {line}".rstrip() for line in text.splitlines()))

    def month_after(self) -> None:
        """New images, some of another kind."""
        r, p = self.report, self.project
        r.say("## The month after: new images")
        r.say(
            f"{LATER} more ultrasounds come, two thirds of them from a scanner B that there was none of before, and by "
            f"mistake {FOREIGN} chest radiographs."
        )
        old = max(self.tasks(p))
        r.run(f"seedqueue import --project {p} month-2/images.csv --field scanner --field set")
        r.run(f"seedqueue arrivals --project {p} --metadata scanner --audit 60 --seed 20")
        new = {task: one for task, one in self.tasks(p).items() if task > old}
        foreign = {task for task, one in new.items() if file_of(one, self.pseudonyms()) in self.later.foreign}
        looked = look(self.context, p, old, ["scanner"])
        novel = {one.task for one in looked.far}
        r.check(
            f"of the {len(foreign)} chest radiographs",
            f"{len(foreign & novel)} are novel, and {len(novel - foreign)} of {len(new) - len(foreign)} ultrasounds.",
            len(foreign & novel) >= 0.9 * len(foreign),
        )
        drifted = [one.name for one in looked.tests if one.drifted]
        r.check("the drift of `scanner`", f"is told, with {len(drifted)} drifts in all.", "scanner" in drifted)
        queue = self.queue()
        r.check("the seed queue", f"holds new tasks alone: {len(queue)}.", set(queue) <= set(new))
        in_turns(self.readers[:2], [40, 40])
        skipped = sum(one.skipped for one in self.readers)
        r.say(
            f"Ada and Ben label 40 tasks each, and skip chest radiographs {skipped} times: what one skips is shown to "
            "the other."
        )
        r.run(f"seedqueue arrivals --project {p} --after {old} --metadata scanner")

    def end(self) -> None:
        """Everything taken away again."""
        r, p = self.report, self.project
        r.say("## The end")
        r.run(f"seedqueue detach --project {p}")
        r.check("the project", "stands as before it was attached.", self.standing() == self.before)
        lost = f"{len(r.failed)} of what was known was not found: {'; '.join(r.failed)}."
        r.say("## In sum", lost if r.failed else "Everything that was planted was found.")


if __name__ == "__main__":
    sys.exit(main())

"""The flow of images adds up, whatever the records say, and the drawing shows it in full."""

from __future__ import annotations

import xml.etree.ElementTree as ET
from dataclasses import replace
from itertools import combinations, pairwise

from hypothesis import given, settings
from hypothesis import strategies as st

from seedqueue.backend.methods.flow import UNEXPLAINED, Step, flow
from seedqueue.backend.methods.flow_svg import WIDTH, drawn
from seedqueue.backend.methods.recorded import Dated, Recorded
from seedqueue.backend.methods.rounds import rounds_of

SVG = "{http://www.w3.org/2000/svg}"
few = st.integers(0, 400)


def steps(recorded: Recorded) -> tuple[Step, ...]:
    return flow(recorded, rounds_of(recorded.runs))


def balanced(found: tuple[Step, ...]) -> None:
    for step, after in pairwise(found):
        assert step.left == after.box.images, step
    for step in found:
        if step.parts:
            assert sum(box.images for box in step.parts) == step.box.images, step


def parts(step: Step) -> dict[str, int]:
    return {box.label: box.images for box in step.parts}


def test_a_whole_study(recorded: Recorded) -> None:
    found = steps(recorded)
    balanced(found)
    assert [(step.box.label, step.box.images) for step in found] == [
        ("Image files found", 1212),
        ("Images added by import", 1200),
        ("Images in the project", 1187),
        ("Labelled images", 271),
        ("Data set", 271),
    ]
    queues = {"Locked test list": 47, "Audit slice": 151, "Seed queue": 57, "Round 2": 23, "In no queue": 909}
    assert parts(found[2]) == queues
    assert parts(found[4]) == {"train": 62, "validation": 16, "test": 193}
    assert [(box.label, box.images) for box in found[1].lost] == [("No longer in the project", 13)]


@settings(max_examples=60, deadline=None)
@given(files=few, tasks=few, repeats=few, listed=few, images=few, split=few)
def test_it_adds_up_where_the_records_do_not(
    recorded: Recorded, files: int, tasks: int, repeats: int, listed: int, images: int, split: int
) -> None:
    """Tasks deleted, imported by other means, exported from elsewhere: a box says so."""
    first, last = recorded.imported[0], recorded.exported[0]
    bent = replace(
        recorded,
        imported=(Dated(replace(first.body, files=files, tasks=tasks, repeats=repeats), first.source),),
        runs=tuple(replace(row, run=replace(row.run, tasks=listed)) for row in recorded.runs),
        exported=(Dated(replace(last.body, images=images, splits=(("train", split, 1),)), last.source),),
    )
    balanced(steps(bent))


def test_what_differs_is_named(recorded: Recorded) -> None:
    more = tuple(replace(row, run=replace(row.run, tasks=1250)) for row in recorded.runs)
    found = steps(replace(recorded, runs=more))
    assert [(box.label, box.images) for box in found[1].gained] == [("Came by other means than import", 50)]
    less = tuple(replace(row, run=replace(row.run, tasks=100)) for row in recorded.runs)
    assert parts(steps(replace(recorded, runs=less))[2])["Counted in these, not in this listing"] == 100 - 278
    first = recorded.imported[0]
    lost = replace(recorded, imported=(Dated(replace(first.body, tasks=1100), first.source),))
    assert (UNEXPLAINED, 100) in [(box.label, box.images) for box in steps(lost)[0].lost]


def test_an_import_after_the_selection(recorded: Recorded) -> None:
    first = recorded.imported[0]
    after = Dated(replace(first.body, files=10, tasks=10, repeats=0, unreadable=()), recorded.exported[0].source)
    found = steps(replace(recorded, imported=(first, after)))
    balanced(found)
    assert ("Imported after the selection", 10) in [(box.label, box.images) for box in found[1].lost]


def test_a_task_counts_once_in_the_first_of_its_lists(recorded: Recorded) -> None:
    assert recorded.locked
    both = Dated(replace(recorded.locked.body, tasks=(*recorded.locked.body.tasks, 300, 1)), recorded.locked.source)
    found = steps(replace(recorded, locked=both))
    balanced(found)
    assert parts(found[2]) | {"In no queue": 0} == {
        "Locked test list": 49,
        "Audit slice": 150,
        "Seed queue": 56,
        "Round 2": 23,
        "In no queue": 0,
    }


def test_parts_of_the_records(recorded: Recorded) -> None:
    assert steps(replace(recorded, imported=(), runs=(), exported=())) == ()
    for missing in ({"imported": ()}, {"runs": ()}, {"exported": ()}, {"imported": (), "runs": ()}):
        found = steps(replace(recorded, **missing))  # type: ignore[arg-type]
        balanced(found)
        assert found


def boxes(svg: str) -> list[tuple[float, float, float, float]]:
    """x, y, width, height of every box."""
    rects = [one for one in ET.fromstring(svg).findall(f"{SVG}rect") if one.get("class") in ("box", "side")]
    found = [[float(one.get(name, 0)) for name in ("x", "y", "width", "height")] for one in rects]
    return [(x, y, width, height) for x, y, width, height in found]


def test_the_drawing_has_every_number_and_no_box_lies_on_another(recorded: Recorded) -> None:
    svg = drawn(steps(recorded), "Flow")
    root = ET.fromstring(svg)
    texts = [one.text or "" for one in root.iter(f"{SVG}text")]
    for step in steps(recorded):
        for box in (step.box, *step.parts, *step.lost, *step.gained):
            assert f"n = {box.images:,}" in texts
    height = float(root.get("height", 0))
    solid = boxes(svg)
    assert len(solid) == sum(1 + len(s.parts) + len(s.lost) + len(s.gained) for s in steps(recorded))
    for x, y, width, tall in solid:
        assert x >= 0
        assert x + width <= WIDTH
        assert y + tall <= height
    for (x, y, w, h), (a, b, c, d) in combinations(solid, 2):
        assert x + w <= a or a + c <= x or y + h <= b or b + d <= y


def test_names_from_outside_are_text(recorded: Recorded) -> None:
    last = recorded.exported[0]
    name = '<script>alert(1)</script> & "a name far longer than any box is wide"'
    odd = replace(last.body, splits=((name, 271, 9),))
    svg = drawn(steps(replace(recorded, exported=(Dated(odd, last.source),))), "a < b")
    assert "<script" not in svg
    ET.fromstring(svg)


def test_it_is_readable_in_the_dark_and_in_print(recorded: Recorded) -> None:
    svg = drawn(steps(recorded), "Flow")
    assert "@media screen and (prefers-color-scheme: dark)" in svg
    for kind in ("box", "side", "back"):
        assert f'class="{kind}"' in svg
    assert "var(" not in svg


def test_nothing_to_draw() -> None:
    assert "No image is counted yet." in drawn((), "Flow")

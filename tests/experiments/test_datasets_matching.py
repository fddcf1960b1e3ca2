"""Which image of a folder an entry is about."""

from seedqueue.experiments.datasets.labelled import LabelledImage, LabelTable
from seedqueue.experiments.datasets.matching import matched

UID = "1.2.276.0.7230010.3.1.4.8323329.1000.1517875165.878027"


def files(entries: list[str], names: list[str]) -> list[str | None]:
    table = LabelTable(tuple(LabelledImage(file, ("x",)) for file in entries), "a test")
    return [None if image is None else image.file for image in matched(table, names)]


def test_by_path_by_name_and_by_name_without_its_suffix() -> None:
    assert files(["images/a.png", "b.png", "c.png"], ["c.jpg", "deep/b.png", "images/a.png", "d.png"]) == [
        "c.png",
        "b.png",
        "images/a.png",
        None,
    ]
    other = UID.replace("878027", "900")
    assert files([f"{UID}.dcm", f"{other}.dcm"], [f"{other}.png", f"x/{UID}.dcm"]) == [f"{other}.dcm", f"{UID}.dcm"]


def test_a_name_tells_apart_what_it_would_not_without_its_suffix() -> None:
    assert files(["x/a.png", "x/a.jpg"], ["y/a.jpg", "y/a.png"]) == ["x/a.jpg", "x/a.png"]


def test_what_could_be_two_is_none() -> None:
    assert files(["a.png"], ["x/a.png", "y/a.png"]) == [None, None]
    assert files(["x/a.png", "y/a.png"], ["a.png"]) == [None]
    assert files(["x/a.png", "a.png"], ["x/a.png", "y/a.png"]) == ["x/a.png", None]
    assert files(["a.png", "a.jpg"], ["a.jpg", "a.tif"]) == ["a.jpg", None]


def test_an_entry_is_about_one_image() -> None:
    assert files(["a.png"], ["a.png", "a.jpg"]) == ["a.png", None]

"""The demo's drawn images: the same each time, of every kind, and marked as what they are."""

from __future__ import annotations

from collections import Counter
from pathlib import Path

import numpy as np
from PIL import Image

from seedqueue.backend.demo.phantoms import KINDS, SIDE, write_phantoms


def test_every_kind_is_there_and_files_are_grey_pngs(tmp_path: Path) -> None:
    files = write_phantoms(tmp_path, count=40)
    assert len(files) == 40
    kinds = Counter(file.name.split("_")[0] for file in files)
    assert set(kinds) == set(KINDS)
    assert kinds.most_common(1)[0][0] == "frontal"
    for file in files:
        with Image.open(file) as image:
            assert (image.format, image.mode, image.size) == ("PNG", "L", (SIDE, SIDE))


def test_a_seed_decides_every_byte(tmp_path: Path) -> None:
    first = [file.read_bytes() for file in write_phantoms(tmp_path / "a", count=12, seed=1)]
    again = [file.read_bytes() for file in write_phantoms(tmp_path / "b", count=12, seed=1)]
    other = [file.read_bytes() for file in write_phantoms(tmp_path / "c", count=12, seed=2)]
    assert first == again
    assert len(set(first)) == 12  # near duplicates are near, not the same
    assert first != other


def test_the_word_is_burnt_in_at_the_same_place(tmp_path: Path) -> None:
    corners = [
        np.asarray(Image.open(file))[SIDE - 26 : SIDE - 6, 10:110] > 150 for file in write_phantoms(tmp_path, count=10)
    ]
    word = np.all(corners, axis=0)
    assert word.sum() > 60


def test_one_image_is_possible(tmp_path: Path) -> None:
    assert len(write_phantoms(tmp_path, count=1)) == 1

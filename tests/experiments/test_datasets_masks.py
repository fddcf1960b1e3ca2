"""Masks on their image's grid: pictures of every mode, outlines, images of another size."""

from pathlib import Path

import numpy as np
import pytest
from PIL import Image

from seedqueue.experiments.datasets.errors import MaskUnusable
from seedqueue.experiments.datasets.masks import BoxMask, PngMask, PolygonMask, RleMask, decode_rle, outlines

MARKED = np.array([[0, 1, 0], [0, 1, 1]], dtype=bool)


def picture(mode: str) -> Image.Image:
    grey = Image.fromarray(MARKED.astype(np.uint8) * 7)
    if mode == "1":
        return Image.fromarray(MARKED)
    if mode == "I;16":
        return Image.fromarray(MARKED.astype(np.uint16) * 256)  # its low byte is zero
    if mode == "P":
        indexed = grey.point(lambda value: value // 7)
        indexed.putpalette([0, 0, 0, 0, 128, 0])
        return indexed
    if mode == "alpha":
        white = Image.new("RGB", grey.size, (255, 255, 255)).convert("RGBA")
        white.putalpha(Image.fromarray(MARKED.astype(np.uint8) * 255))
        return white
    if mode == "one channel":
        nothing = Image.new("L", grey.size)
        return Image.merge("RGB", (nothing, nothing, grey))
    return grey.convert(mode)


@pytest.mark.parametrize("mode", ["1", "L", "I;16", "RGB", "RGBA", "LA", "P", "alpha", "one channel"])
def test_whatever_is_not_black_is_foreground(tmp_path: Path, mode: str) -> None:
    picture(mode).save(tmp_path / "m.png")
    found = PngMask(tmp_path / "m.png").read((3, 2))
    assert found.dtype == np.bool_
    assert found.tolist() == MARKED.tolist()


def test_the_rim_of_a_jpeg_is_not_foreground(tmp_path: Path) -> None:
    marked = np.zeros((64, 64), dtype=bool)
    marked[20:41, 13:50] = True
    Image.fromarray(marked.astype(np.uint8) * 255).save(tmp_path / "m.jpg", quality=60)
    with Image.open(tmp_path / "m.jpg") as opened:
        assert (np.asarray(opened) > 0).sum() > marked.sum()
    assert (PngMask(tmp_path / "m.jpg").read(None) == marked).all()


def test_a_picture_that_is_none_is_named(tmp_path: Path) -> None:
    (tmp_path / "m.png").write_bytes(b"no picture")
    with pytest.raises(MaskUnusable, match=r"m\.png cannot be used: it is no picture"):
        PngMask(tmp_path / "m.png").read(None)
    with pytest.raises(MaskUnusable, match=r"none\.png"):
        PngMask(tmp_path / "none.png").read(None)


def test_an_image_of_another_size_gets_its_mask_by_nearest_neighbour() -> None:
    mask = BoxMask(((0, 0, 3, 1),), 8, 4)
    assert mask.read(None).sum() == 8
    for size, inside in (((4, 2), 2), ((16, 8), 32), ((8, 4), 8)):
        found = mask.read(size)
        assert found.shape == (size[1], size[0])
        assert found.sum() == inside
        assert found[: size[1] // 2, : size[0] // 2].all()
    with pytest.raises(MaskUnusable, match="8 x 4 pixels and its image 8 x 8"):
        mask.read((8, 8))


def test_polygons_are_filled_with_their_outline_and_joined() -> None:
    triangle, square = [[1, 1], [5, 1], [1, 5]], [[6, 6], [8, 6], [8, 8], [6, 8]]
    found = PolygonMask(outlines([triangle, square, [[0, 9], [9, 9]], []]), 10, 10).read(None)
    expected = np.array([[x >= 1 and y >= 1 and x + y <= 6 for x in range(10)] for y in range(10)])
    expected[6:9, 6:9] = True
    assert found.astype(int).tolist() == expected.astype(int).tolist()
    assert not PolygonMask((), 4, 3).read(None).any()
    assert PolygonMask((), 4, 3).read(None).shape == (3, 4)


def test_a_polygon_holds_what_scikit_image_has_inside() -> None:
    from skimage.draw import polygon2mask
    from skimage.morphology import dilation

    rng = np.random.default_rng(0)
    for _ in range(20):
        angles = np.sort(rng.uniform(0, 2 * np.pi, 12))
        radii = rng.uniform(5, 28, 12)
        points = np.rint(np.stack([32 + radii * np.cos(angles), 30 + radii * np.sin(angles)], axis=1))
        found = PolygonMask(outlines([points.tolist()]), 64, 60).read(None)
        inside = polygon2mask((60, 64), points[:, ::-1])
        assert (found >= inside).all()
        assert (found <= dilation(inside, np.ones((3, 3)))).all()


def test_runs_that_overlap_are_united_and_none_is_empty() -> None:
    found = RleMask(("0 2", "1 3"), 2, 3).read(None)
    assert found.tolist() == [[True, True], [True, False], [True, False]]
    assert not RleMask((), 2, 3).read(None).any()
    assert decode_rle("", 4).tolist() == [False] * 4
    assert decode_rle("1 1 0 1 1 0", 5).tolist() == [False, True, True, False, False]

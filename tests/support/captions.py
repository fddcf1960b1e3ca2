"""How often text in the pixels is noticed: on real ultrasound read by eye, and on words planted into radiographs.

`python tests/support/captions.py` prints the figures of docs/import.md; the real images are SEEDQUEUE_TEST_DATA's.
"""

from __future__ import annotations

import os
from collections.abc import Sequence
from pathlib import Path

import numpy as np
from PIL import Image, ImageDraw

from seedqueue.backend.intake.burned_in import burned_in

# 120 images of BUSI, drawn at random from those that no threshold was chosen on, read by eye. Of each kind the numbers.
LOOKED_AT = {
    "benign": "1 105 112 116 118 121 131 137 142 143 153 161 162 166 17 172 175 185 187 189 191 196 200 201 209 218 "
    "219 234 237 245 25 262 283 291 293 294 295 297 3 303 306 316 317 319 32 338 341 35 354 362 38 39 4 400 405 414 "
    "415 421 425 45 51 55 96",
    "malignant": "102 105 112 113 114 116 12 125 128 139 14 16 165 166 17 170 175 181 182 187 192 203 27 35 36 39 4 46 "
    "55 65 79 87 88 91 95",
    "normal": "104 115 12 123 128 19 20 23 3 30 37 42 48 58 61 62 7 74 9 93 97 99",
}
CAPTIONED = {  # with a word of three letters or more
    "benign": "1 196 200 209 237 245 262 293 294 295 297 3 306 319 362 4",
    "malignant": "112 113 12 128 139 182",
}
SHORT = {"benign": "201 291"}  # with two letters
HEIGHTS = (6, 8, 10, 12, 16, 24, 40)
WORDS = "DOE JANE 03.02.1951"


def numbered(kinds: dict[str, str]) -> set[str]:
    return {f"{kind}_{number}" for kind, numbers in kinds.items() for number in numbers.split()}


def on_ultrasound(folder: Path, every: int = 1) -> tuple[int, int, int, int]:
    """(found, captions of three letters or more, false alarms, images without). folder: busi/images.

    every: of the images without a caption only each so-manieth is looked at.
    """
    captioned = numbered(CAPTIONED)
    without = set(sorted(numbered(LOOKED_AT) - captioned)[::every])
    noticed = {name for name in captioned | without if burned_in(Image.open(folder / f"{name}.jpg"))}
    return len(noticed & captioned), len(captioned), len(noticed & without), len(without)


def planted(files: Sequence[Path], height: int, grey: int = 255) -> tuple[int, int]:
    """(noticed, planted): a name and a date in letters so many pixels high, somewhere in each image."""
    rng, noticed = np.random.default_rng(0), 0
    for file in files:
        picture = Image.open(file).convert("L")
        place = (int(rng.uniform(0.02, 0.3) * picture.width), int(rng.uniform(0.02, 0.9) * picture.height))
        ImageDraw.Draw(picture).text(place, WORDS, fill=grey, font_size=height * 1.4)
        noticed += burned_in(picture) > 0
    return noticed, len(files)


def main() -> None:
    data = Path(os.environ.get("SEEDQUEUE_TEST_DATA") or Path(__file__).resolve().parents[3] / "shared") / "data"
    found, captions, alarms, without = on_ultrasound(data / "busi/images")
    print(f"BUSI: {found} of {captions} captions noticed, {alarms} false alarms among {without} images without one")
    radiographs = sorted((data / "nih-cxr").rglob("*.jpg"))[::6]
    bare = [file for file in radiographs if not burned_in(Image.open(file))]
    print(f"NIH: {len(radiographs) - len(bare)} of {len(radiographs)} radiographs named as they are")
    for grey in (255, 180):
        told = ", ".join(
            f"{height} px {100 * (p := planted(bare, height, grey))[0] / p[1]:.0f} %" for height in HEIGHTS
        )
        print(f"NIH, a name and a date planted in grey {grey} into the {len(bare)} others (512 pixels): {told}")


if __name__ == "__main__":
    main()

"""Names for patients, studies, series and images that tell nothing to who lacks the lab's key."""

from __future__ import annotations

import hashlib
import hmac

import numpy as np
from PIL import Image

DIGITS = 12  # of patients, studies and series: among 100,000 of a kind two agree once in 50,000 labs
IMAGE_DIGITS = 20  # of images: equal ids are taken for equal pixels


class Pseudonyms:
    """HMAC-SHA256 under one secret key, shortened: the same for the same original, in every project of the lab."""

    def __init__(self, key: bytes) -> None:
        self._key = key

    def patient(self, number: str, who: str = "") -> str:
        """Of a patient id; `who` tells two patients apart that stand under one id."""
        return "p-" + self._digest("patient", DIGITS, number, who)

    def study(self, uid: str) -> str:
        return "st-" + self._digest("study", DIGITS, uid)

    def series(self, uid: str) -> str:
        return "se-" + self._digest("series", DIGITS, uid)

    def image(self, picture: Image.Image) -> str:
        """Of the pixels as annotators see them: a file that was renamed or got another header keeps its name."""
        kind = f"{picture.mode} {picture.width} {picture.height}".encode()
        pixels = hashlib.sha256(kind + b"\0" + np.ascontiguousarray(picture).tobytes()).hexdigest()
        return "i-" + self._digest("image", IMAGE_DIGITS, pixels)

    def mark(self, kind: str, value: str) -> str:
        """A short mark by which equal values are known again; "" for none."""
        return self._digest(f"mark {kind}", DIGITS, value) if value else ""

    def _digest(self, kind: str, digits: int, *parts: str) -> str:
        said = "\0".join((kind, *parts)).encode(errors="surrogatepass")
        return hmac.new(self._key, said, hashlib.sha256).hexdigest()[:digits]

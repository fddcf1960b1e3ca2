"""What the store's tests store: the key of a number, and vectors that tell which number they are."""

import hashlib

import numpy as np
from numpy.typing import NDArray

DIMENSION = 16


def key(number: int) -> str:
    return hashlib.sha256(str(number).encode()).hexdigest()


def vectors(*numbers: int) -> NDArray[np.float32]:
    return np.array([[n] * DIMENSION for n in numbers], dtype=np.float32).reshape(-1, DIMENSION)

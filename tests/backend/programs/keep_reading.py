"""Read all embeddings over and over: keep_reading.py PLACE KEYS.

Says "read" after each round in which every key was there with its vector; stops at the end of its input.
"""

import hashlib
import sys
from contextlib import nullcontext
from pathlib import Path
from threading import Thread

import numpy as np

from seedqueue.backend.embeddings import Embeddings
from seedqueue.backend.tables import Home

DIMENSION = 16


def main() -> None:
    place, count = sys.argv[1], int(sys.argv[2])
    hashes = [hashlib.sha256(str(n).encode()).hexdigest() for n in range(count)]
    wanted = np.repeat(np.arange(count, dtype=np.float32)[:, None], DIMENSION, axis=1)
    home = Home(place, lambda name: nullcontext()) if "://" in place else Home(Path(place))
    store = Embeddings(home, "f", DIMENSION)
    asked_to_stop = Thread(target=sys.stdin.read)
    asked_to_stop.start()
    while asked_to_stop.is_alive():
        assert store.stored() >= set(hashes)
        assert np.array_equal(store.read(hashes), wanted)
        print("read", flush=True)


if __name__ == "__main__":
    main()

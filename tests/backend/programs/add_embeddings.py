"""One of several processes that store embeddings at once: equal keys, and some of its own.

add_embeddings.py FOLDER NUMBER, or URL NUMBER REDIS_URL NAMESPACE: says "ready", waits for a line, stores, says "done".
"""

import hashlib
import sys
from pathlib import Path

import numpy as np

from seedqueue.backend.broker import Broker
from seedqueue.backend.embeddings import Embeddings, Source, Sources
from seedqueue.backend.tables import Home

EQUAL, OWN, DIMENSION = 512, 40, 16


def key(number: int) -> str:
    return hashlib.sha256(str(number).encode()).hexdigest()


def main() -> None:
    place, number, *redis = sys.argv[1:]
    home = Home(place, Broker(*redis).lock) if redis else Home(Path(place))
    own = range(1000 * int(number), 1000 * int(number) + OWN)
    print("ready", flush=True)
    sys.stdin.readline()
    store = Embeddings(home, "f", DIMENSION)
    for numbers in (range(EQUAL), own):
        store.add([key(n) for n in numbers], np.array([[n] * DIMENSION for n in numbers], dtype=np.float32))
    Sources(home).add(Source("i", 1, n, f"/{n}.png", key(n), 10, "") for n in (*range(EQUAL), *own))
    print("done", flush=True)


if __name__ == "__main__":
    main()

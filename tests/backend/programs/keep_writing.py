"""Store embeddings over and over, each round some known keys again as a race would: keep_writing.py PLACE KEYS.

Round n stores key 10000 + n too, and says so: "wrote n". Stops at the end of its input.
"""

import hashlib
import sys
from contextlib import nullcontext
from itertools import count
from pathlib import Path
from threading import Thread

import numpy as np

from seedqueue.backend.embeddings import Embeddings, Source, Sources
from seedqueue.backend.tables import Home

DIMENSION = 16


def key(number: int) -> str:
    return hashlib.sha256(str(number).encode()).hexdigest()


def main() -> None:
    place, keys = sys.argv[1], int(sys.argv[2])
    home = Home(place, lambda name: nullcontext()) if "://" in place else Home(Path(place))
    store, sources = Embeddings(home, "f", DIMENSION), Sources(home)
    table = home.existing("embeddings-f-float16")
    assert table is not None
    again = table.search().limit(keys).to_arrow()
    asked_to_stop = Thread(target=sys.stdin.read)
    asked_to_stop.start()
    for number in count():
        if not asked_to_stop.is_alive():
            break
        table.add(again)
        store.add([key(10_000 + number)], np.full((1, DIMENSION), number, dtype=np.float32))
        sources.add(Source("i", 1, task, "/x.png", key(number), 1, "") for task in range(20))
        print(f"wrote {number}", flush=True)


if __name__ == "__main__":
    main()

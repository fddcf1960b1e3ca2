"""Lesions of breast ultrasound, 100 labelled by the seed queue against 100 at random, five splits.

    python tests/proofs/lesions.py --results lesions.jsonl --side 96 --epochs 20

Each repeat holds out 35 % of the near-duplicate groups, gives both arms the same split, epochs, batches and
augmentation, and judges both on the same held-out images, on their native grid. A finished run is one line of the
results, so that a stopped proof goes on where it was. Data: SEEDQUEUE_TEST_DATA.
"""

from __future__ import annotations

import argparse
import csv
import json
import os
import time
from dataclasses import asdict
from pathlib import Path

import numpy as np
from numpy.typing import NDArray
from PIL import Image

from seedqueue.models import registry
from seedqueue.models.embedder import embed_images
from seedqueue.models.heads.images import prepare, prepare_masks, to_grid
from seedqueue.models.heads.network_head import NetworkHead
from seedqueue.models.heads.spec import honest
from seedqueue.models.metrics.segmentation import mask_figures, segmentation_figures
from seedqueue.models.runtime import Runtime
from seedqueue.selectors.choosing import select
from seedqueue.selectors.linking import alike, linked
from seedqueue.selectors.representation import fit_scaler, represent
from seedqueue.selectors.source import Matrix

DATA = Path(os.environ.get("SEEDQUEUE_TEST_DATA") or Path(__file__).resolve().parents[3] / "shared")
LABELLED, HELD_OUT, NEAR = 100, 0.35, 0.9
ARMS = ("kmeans", "uniform")


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--results", type=Path, required=True)
    parser.add_argument("--side", type=int, default=96)
    parser.add_argument("--epochs", type=int, default=20)
    parser.add_argument("--repeats", type=int, default=5)
    parser.add_argument("--threads", type=int, default=1)
    given = parser.parse_args()
    done = [json.loads(line) for line in given.results.read_text().splitlines()] if given.results.exists() else []
    with (DATA / "data/busi/labels.csv").open() as opened:
        rows = list(csv.DictReader(opened))
    images = [Image.open(DATA / "data/busi" / row["file"]).convert("L") for row in rows]
    masks = [np.asarray(Image.open(DATA / "data/busi" / row["mask"]).convert("L")) > 0 for row in rows]
    embeddings = embed_images(
        registry.create("imagenet:squeezenet1_1", DATA / "weights", Runtime(threads=given.threads)),
        (image.convert("RGB") for image in images),
    )
    groups = near_groups(embeddings)
    inputs = np.stack([prepare(image, given.side) for image in images])
    targets = np.stack([prepare_masks([mask], given.side) for mask in masks])
    for repeat in range(given.repeats):
        train, test = split(groups, repeat)
        for arm in ARMS:
            if any((one["repeat"], one["arm"]) == (repeat, arm) for one in done):
                continue
            began, core = time.monotonic(), time.process_time()
            chosen = train[select(arm, embeddings[train], LABELLED, seed=repeat).rows]
            head = NetworkHead.create(("lesion",), "masks", side=given.side, seed=repeat, threads=given.threads)
            head.fit(inputs[chosen], targets[chosen], honest("masks", epochs=given.epochs, seed=repeat))
            judged = []
            for row in test.tolist():
                maps = head.probabilities(inputs[row : row + 1])[0]
                own = to_grid(maps, *masks[row].shape)
                judged.append(mask_figures(own >= 0.5, masks[row][None], None))
            found = segmentation_figures(judged, ["lesion"], groups[test], seed=repeat)
            line = {
                "repeat": repeat,
                "arm": arm,
                "side": given.side,
                "epochs": given.epochs,
                "with_lesion": int(targets[chosen].any(axis=(1, 2, 3)).sum()),
                "seconds": round(time.monotonic() - began),
                "core_seconds": round(time.process_time() - core),
                "figures": asdict(found.classes[0]),
            }
            with given.results.open("a") as opened:
                opened.write(json.dumps(line) + "\n")
            done.append(line)
            print(f"repeat {repeat} {arm}: DSC {line['figures']['dsc']['value']:.3f}", flush=True)
    print(table(done))


def near_groups(embeddings: NDArray[np.float32]) -> NDArray[np.int64]:
    source = Matrix(embeddings)
    return linked(len(embeddings), alike(represent(source, fit_scaler(source), "unit"), NEAR))


def split(groups: NDArray[np.int64], seed: int) -> tuple[NDArray[np.int64], NDArray[np.int64]]:
    from sklearn.model_selection import GroupShuffleSplit

    return next(iter(GroupShuffleSplit(1, test_size=HELD_OUT, random_state=seed).split(groups, groups=groups)))


def table(done: list[dict]) -> str:  # type: ignore[type-arg]
    """Means over the splits, and the paired difference with its standard error by Nadeau & Bengio."""
    lines = [
        "| | DSC on lesions | miss rate | false positives on normal | lesions among 100 |",
        "| --- | ---: | ---: | ---: | ---: |",
    ]
    values = {arm: [one for one in done if one["arm"] == arm] for arm in ARMS}
    for arm, runs in values.items():
        cells = [
            np.array([run["figures"][name]["value"] for run in runs])
            for name in ("dsc", "miss_rate", "false_positive_rate")
        ]
        shown = [f"{cell.mean():.3f} ± {cell.std(ddof=1):.3f}" for cell in cells]
        lines.append(f"| `{arm}` | {' | '.join(shown)} | {np.mean([run['with_lesion'] for run in runs]):.0f} |")
    for name in ("dsc", "miss_rate"):
        pairs = [[run["figures"][name]["value"] for run in values[arm]] for arm in ARMS]
        gain = np.subtract(*pairs)
        error = np.sqrt((1 / len(gain) + HELD_OUT / (1 - HELD_OUT)) * gain.var(ddof=1))
        lines.append(f"| {name}, seed queue less random | {gain.mean():+.3f} ± {error:.3f} (standard error) | | | |")
    return "\n".join(lines)


if __name__ == "__main__":
    main()

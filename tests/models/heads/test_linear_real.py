"""The linear head on real ultrasound with real weights: what 100 labels are worth."""

import csv
from pathlib import Path

import numpy as np
from sklearn.metrics import average_precision_score
from sklearn.model_selection import GroupShuffleSplit

from seedqueue.backend.folder_pool import embed_folder
from seedqueue.backend.rules import unsplit
from seedqueue.models import registry
from seedqueue.models.heads.linear import fit_linear
from seedqueue.selectors.choosing import select
from seedqueue.selectors.representation import fit_scaler
from seedqueue.selectors.source import Matrix


def test_a_hundred_labels_find_malignant_lesions(test_data: Path) -> None:
    """AUPRC .70 at a prevalence of .27: the mean of 6 splits by near duplicates, whose spread is .04 each."""
    folder = test_data / "data/busi"
    model = registry.create("imagenet:squeezenet1_1", test_data / "weights")
    pool = embed_folder(folder / "images", 100, model, max_pixels=10**8, progress=lambda done, total: None)
    with (folder / "labels.csv").open() as table:
        label = {Path(row["file"]).name: row["label"] for row in csv.DictReader(table)}
    malignant = np.array([label[file.name] == "malignant" for file in pool.files])
    groups = unsplit(pool.embeddings, [{}] * len(malignant), "", 0.95)
    reached = []
    splits = GroupShuffleSplit(6, test_size=0.35, random_state=0).split(malignant, groups=groups)
    for seed, (train, test) in enumerate(splits):
        scaler = fit_scaler(Matrix(pool.embeddings[train]))
        rows = train[select("kmeans", pool.embeddings[train], 100, seed=seed).rows]
        targets = np.stack([~malignant[rows], malignant[rows]], axis=1)
        head = fit_linear(
            pool.embeddings[rows], targets, ("rest", "malignant"), "single", scaler.mean, scaler.deviation, seed
        )
        score = head.probabilities(pool.embeddings[test])[:, 1]
        reached.append(average_precision_score(malignant[test], score))
    assert np.mean(reached) >= 0.70

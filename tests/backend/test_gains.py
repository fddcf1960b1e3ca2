"""`bench gains`: a labelled folder, its splits, and what METHODS.md found on real ultrasound."""

from pathlib import Path

import numpy as np
import numpy.typing as npt
import pytest

from seedqueue.backend.bench import gains
from seedqueue.backend.bench.labelled import FEWEST, Target, labelled_pool, unsplit
from seedqueue.backend.bench.rows import Gain, gains_table
from seedqueue.backend.errors import InvalidRequest, NoGroups
from seedqueue.backend.folder_pool import embed_folder
from seedqueue.backend.records import Choices
from seedqueue.models import registry as embedders
from seedqueue.selectors.errors import BudgetExceedsPool, UnknownSelector

SMALL = gains.Protocol(budgets=(5, 15), splits=3, draws=2)


def two_kinds(n: int = 120, d: int = 10) -> tuple[npt.NDArray[np.float32], npt.NDArray[np.bool_]]:
    rng = np.random.default_rng(0)
    positive = rng.random(n) < 0.3
    return (rng.normal(size=(n, d)) + 1.5 * positive[:, None]).astype(np.float32), positive


def test_each_selector_has_a_row_and_random_is_the_first() -> None:
    embeddings, positive = two_kinds()
    names = ["kmeans", "margin", "dropquery"]
    found = gains.gains(embeddings, positive, np.arange(120), names, protocol=SMALL)
    assert [row.selector for row in found] == ["random", *names]
    assert (found[0].gain, found[0].error, found[0].coverage_gain) == (0, 0, 0)
    for row in found[1:]:
        assert row.gain == pytest.approx(row.auprc - found[0].auprc)
        assert 0 < row.error < 1
        assert 0.3 < row.auprc <= 1
    assert found == gains.gains(embeddings, positive, np.arange(120), names, protocol=SMALL)


def test_a_group_is_never_split(monkeypatch: pytest.MonkeyPatch) -> None:
    embeddings, positive = two_kinds()
    groups, seen = np.arange(120) // 4, []

    def split(*given: object) -> object:
        seen.append((given[3], given[4]))
        return real(*given)  # type: ignore[arg-type]

    real = gains._split
    monkeypatch.setattr(gains, "_split", split)
    gains.gains(embeddings, positive, groups, ["uniform"], protocol=SMALL)
    assert len(seen) == 3
    for train, test in seen:
        assert not set(groups[train].tolist()) & set(groups[test].tolist())  # type: ignore[index]


def test_what_cannot_be_measured_is_said() -> None:
    embeddings, positive = two_kinds()
    with pytest.raises(BudgetExceedsPool, match=r"^200 requested, 78 available"):
        gains.gains(embeddings, positive, np.arange(120), ["kmeans"], protocol=gains.Protocol((200,), 3, 2))
    lonely = np.zeros(120, dtype=bool)
    lonely[0] = True
    with pytest.raises(InvalidRequest, match="A held-out part has no positive image"):
        gains.gains(embeddings, lonely, np.arange(120), ["kmeans"], protocol=SMALL)
    with pytest.raises(InvalidRequest, match="'weak-label' needs weak_labels: give --weak-label"):
        gains.measured(["weak-label"], weak=False)
    with pytest.raises(InvalidRequest, match="'pixel-entropy' needs pixel_entropy: a linear head has none"):
        gains.measured(["pixel-entropy"], weak=True)
    with pytest.raises(UnknownSelector):
        gains.measured(["nothing"], weak=True)


def test_all_that_can_be_measured_is_by_default() -> None:
    names = gains.measured(None, weak=False)
    assert {"kmeans", "entropy", "dropquery"} <= set(names)
    assert not {"weak-label", "pixel-entropy", "uniform"} & set(names)
    assert set(gains.measured(None, weak=True)) - set(names) == {"weak-label"}


def test_a_target_is_a_value_of_a_column_alone_or_among_several() -> None:
    assert Target.parse(" label = No Finding ") == Target("label", "No Finding")
    for bad in ("label", "=x", "label=", ""):
        with pytest.raises(InvalidRequest, match="give COLUMN=VALUE"):
            Target.parse(bad)
    cells = ["Mass|Nodule", "Nodules", "", "Nodule"] * FEWEST
    known, positive = Target("label", "Nodule").labels([{"label": cell} for cell in cells])
    assert known.tolist() == [row for row, cell in enumerate(cells) if cell]
    assert positive.tolist() == [True, False, True] * FEWEST


def test_a_target_that_few_images_have_names_what_there_is() -> None:
    cells = ["a"] * 20 + ["b"] * 3
    with pytest.raises(InvalidRequest, match=r"^3 of 23 images have 'b' in the column 'label', which holds a, b; at"):
        Target("label", "b").labels([{"label": cell} for cell in cells])
    with pytest.raises(InvalidRequest, match="which holds nothing"):
        Target("finding", "b").labels([{"label": cell} for cell in cells])


def test_patients_and_near_duplicates_stay_together() -> None:
    embeddings = np.random.default_rng(1).normal(size=(6, 40)).astype(np.float32)
    embeddings[4] = embeddings[1] * 1.001
    fields = [{"patient": patient} for patient in ("p", "p", "q", "", "", "r")]

    def parts(group_field: str, near_duplicate: float) -> list[list[int]]:
        groups = unsplit(embeddings, fields, group_field, near_duplicate)
        return sorted(np.flatnonzero(groups == group).tolist() for group in set(groups.tolist()))

    assert parts("", 0) == [[0], [1], [2], [3], [4], [5]]
    assert parts("patient", 0) == [[0, 1], [2], [3], [4], [5]]
    assert parts("", 0.99) == [[0], [1, 4], [2], [3], [5]]
    assert parts("patient", 0.99) == [[0, 1, 4], [2], [3], [5]]  # through one another
    with pytest.raises(NoGroups, match="'study'"):
        parts("study", 0)


def test_the_table_begins_with_random_and_goes_on_by_gain() -> None:
    rows = [
        Gain("a", 0.5, -0.1, 0.02, 0.3, 0.01),
        Gain("random", 0.6, 0, 0, 0.29, 0),
        Gain("b", 0.7, 0.1, 0.03, 0.4, 0.1),
    ]
    lines = gains_table(rows).splitlines()
    assert [line.split("|")[1].strip() for line in lines[2:]] == ["random", "b", "a"]
    assert lines[3] == "| b | 0.700 | +0.100 | 0.030 | 0.400 | +0.100 |"


def test_gains_on_real_ultrasound_agree_with_methods(test_data: Path) -> None:
    """METHODS.md, busi malignant: K-means on unit vectors +.025, facility location +.048.

    Its standard errors over splits are .005 to .02: two of them. A third of its random queues do here.
    """
    model = embedders.create("imagenet:squeezenet1_1", test_data / "weights")
    pool = embed_folder(test_data / "data/busi/images", 100, model, max_pixels=10**8, progress=lambda done, total: None)
    choices = Choices(100, "imagenet:squeezenet1_1", "kmeans", 0)
    known = labelled_pool(
        pool, test_data / "data/busi/labels.csv", Target("label", "malignant"), choices, model.findings
    )
    assert known.described == "780 images in 780 groups, 210 positive (26.9%)"
    random, kmeans, facility_location = gains.gains(
        known.embeddings,
        known.positive,
        known.groups,
        ["kmeans", "facility-location"],
        protocol=gains.Protocol(draws=4),
    )
    assert random.auprc == pytest.approx(0.666, abs=0.04)
    assert kmeans.gain == pytest.approx(0.025, abs=0.04)
    assert facility_location.gain == pytest.approx(0.048, abs=0.04)
    # Facility location covers best: what it maximises.
    assert facility_location.coverage > kmeans.coverage > random.coverage

"""The linear head: scikit-learn's optimum whatever the labels are, saved and read byte by byte."""

import json
from dataclasses import replace
from typing import Any

import numpy as np
import numpy.typing as npt
import pytest
from sklearn.linear_model import LogisticRegression

from seedqueue.models.errors import EmbeddingsNotFinite, EmbeddingsOfAnotherSize, HeadUnusable, LabelsUnusable
from seedqueue.models.heads import file_format
from seedqueue.models.heads.linear import LinearHead, fit_linear
from seedqueue.models.heads.regression import Kind

NAMES = ("benign", "malignant", "normal", "other", "unclear")


def pool(n: int, d: int, seed: int = 0) -> npt.NDArray[np.float32]:
    of_columns = np.random.default_rng(d)
    scale, offset = of_columns.uniform(0.1, 30, d), of_columns.uniform(-200, 200, d)
    return (np.random.default_rng(seed).normal(size=(n, d)) * scale + offset).astype(np.float32)


def one_hot(labels: npt.NDArray[Any], classes: int) -> npt.NDArray[np.bool_]:
    return np.asarray(np.eye(classes, dtype=bool)[labels])


def scaling(d: int) -> tuple[npt.NDArray[np.float64], npt.NDArray[np.float64]]:
    """Mean and deviation of the pool, of which the labelled rows are a part: theirs are others."""
    rows = pool(200, d, seed=99).astype(np.float64)
    return rows.mean(axis=0), rows.std(axis=0)


def fitted(embeddings: npt.NDArray[np.float32], targets: npt.NDArray[np.bool_], kind: Kind) -> LinearHead:
    return fit_linear(embeddings, targets, NAMES[: targets.shape[1]], kind, *scaling(embeddings.shape[1]), seed=0)


def by_scikit_learn(
    rows: npt.NDArray[np.float32], labels: npt.NDArray[Any], of: npt.NDArray[np.float32]
) -> npt.NDArray[np.float64]:
    mean, deviation = scaling(rows.shape[1])
    model = LogisticRegression(C=0.1, tol=1e-9, max_iter=100_000).fit((rows - mean) / deviation, labels)
    return np.asarray(model.predict_proba((of - mean) / deviation))


@pytest.mark.parametrize(("n", "d"), [(12, 300), (60, 300), (150, 300), (90, 20)], ids=str)
@pytest.mark.parametrize("classes", [2, 3])
def test_it_is_scikit_learns_optimum_in_the_span_and_out_of_it(n: int, d: int, classes: int) -> None:
    embeddings, others = pool(n, d), pool(50, d, seed=1)
    labels = np.arange(n) % classes
    embeddings[:, :4] += 10 * labels[:, None]
    found = fitted(embeddings, one_hot(labels, classes), "single").probabilities(others)
    assert found.dtype == np.float32
    assert found == pytest.approx(by_scikit_learn(embeddings, labels, others), abs=2e-3)
    assert found.std(axis=0).min() > 0.01


def test_several_classes_an_image_are_one_regression_each() -> None:
    embeddings, others = pool(40, 200), pool(30, 200, seed=1)
    targets = np.random.default_rng(2).random((40, 3)) < 0.4
    found = fitted(embeddings, targets, "multi").probabilities(others)
    for index in range(3):
        assert found[:, index] == pytest.approx(by_scikit_learn(embeddings, targets[:, index], others)[:, 1], abs=2e-3)


def test_one_class_among_the_labels_is_laplaces_rule_everywhere() -> None:
    embeddings = pool(8, 30)
    single = fitted(embeddings, one_hot(np.ones(8, dtype=int), 3), "single")
    assert single.probabilities(pool(5, 30, seed=1)) == pytest.approx(np.tile([1 / 11, 9 / 11, 1 / 11], (5, 1)))
    assert not single.weight.any()
    targets = np.zeros((8, 2), dtype=bool)
    targets[:, 1] = True
    multi = fitted(embeddings, targets, "multi")
    assert multi.probabilities(pool(5, 30, seed=1)) == pytest.approx(np.tile([1 / 10, 9 / 10], (5, 1)))
    assert not multi.weight.any()


@pytest.mark.parametrize("present", [(0, 2), (0, 1, 3)])
def test_a_class_without_an_example_keeps_a_small_probability(present: tuple[int, ...]) -> None:
    embeddings = pool(30, 40)
    labels = np.array(present)[np.arange(30) % len(present)]
    head = fitted(embeddings, one_hot(labels, 5), "single")
    absent = [index for index in range(5) if index not in present]
    found = head.probabilities(embeddings)
    assert not head.weight[absent].any()
    assert found[:, absent].mean(axis=0) == pytest.approx(np.full(len(absent), 1 / 35), rel=0.2)
    # Among the classes that are there nothing changes.
    among = found[:, present] / found[:, present].sum(axis=1, keepdims=True)
    assert among == pytest.approx(by_scikit_learn(embeddings, labels, embeddings), abs=2e-3)


@pytest.mark.parametrize("kind", ["single", "multi"])
@pytest.mark.parametrize("n", [0, 1, 2, 3])
def test_fewer_labels_than_classes_have_an_answer(n: int, kind: Kind) -> None:
    rows = pool(50, 64)
    mean, deviation = rows.mean(axis=0, dtype=np.float64), rows.std(axis=0, dtype=np.float64)
    found = fit_linear(rows[:n], one_hot(np.arange(n), 5), NAMES, kind, mean, deviation, 0).probabilities(rows)
    assert np.isfinite(found).all()
    assert found.min() > 0
    if kind == "single":
        assert found.sum(axis=1) == pytest.approx(1, abs=1e-6)
    if n == 0:
        assert found == pytest.approx(1 / 5 if kind == "single" else 1 / 2)
    elif n > 1:
        assert found[:n].argmax(axis=1).tolist() == list(range(n))


def test_duplicate_rows_and_constant_columns_do_no_harm() -> None:
    embeddings = np.repeat(pool(6, 100), 5, axis=0)
    embeddings[:, 7] = 12345.678
    targets = one_hot(np.repeat(np.arange(6) % 2, 5), 2)
    mean, deviation = embeddings.mean(axis=0, dtype=np.float64), embeddings.std(axis=0, dtype=np.float64)
    assert deviation[7] == 0
    head = fit_linear(embeddings, targets, NAMES[:2], "single", mean, deviation, 0)
    assert head.deviation[7] == 1
    assert abs(head.weight[:, 7]).max() < 1e-6
    found = head.probabilities(embeddings)
    assert found.argmax(axis=1).tolist() == targets.argmax(axis=1).tolist()
    assert found[0] == pytest.approx(found[4], abs=1e-6)


def test_far_outliers_are_certain_and_no_nan() -> None:
    embeddings = pool(20, 50)
    head = fitted(embeddings, one_hot(np.arange(20) % 2, 2), "single")
    found = head.probabilities(np.stack([embeddings[0] * 1e30, embeddings[0] * -1e30]))
    assert np.isfinite(found).all()
    assert sorted(found.argmax(axis=1).tolist()) == [0, 1]


def test_nan_is_refused_with_its_row() -> None:
    embeddings = pool(10, 5)
    head = fitted(embeddings, one_hot(np.arange(10) % 2, 2), "single")
    embeddings[6, 2], embeddings[8, 0] = np.nan, np.inf
    for refused in (
        lambda: head.probabilities(embeddings),
        lambda: head.dropout_probabilities(embeddings, 2, 0),
        lambda: fit_linear(embeddings, one_hot(np.arange(10) % 2, 2), NAMES[:2], "single", *np.ones((2, 5)), 0),
    ):
        with pytest.raises(EmbeddingsNotFinite, match="in 2 of 10 embeddings, the first is row 6"):
            refused()


def test_another_embedders_vectors_are_refused() -> None:
    head = fitted(pool(10, 5), one_hot(np.arange(10) % 2, 2), "single")
    with pytest.raises(EmbeddingsOfAnotherSize, match=r"of 5 numbers, shape \(n, 5\), and was given \(3, 6\)"):
        head.probabilities(pool(3, 6))


def test_labels_that_say_nothing_are_refused() -> None:
    embeddings, (mean, deviation) = pool(4, 5), np.ones((2, 5))
    none, numbers = np.zeros((4, 2), dtype=bool), np.zeros((4, 2))
    with pytest.raises(LabelsUnusable, match="row 0 has 0 classes instead of one"):
        fit_linear(embeddings, none, NAMES[:2], "single", mean, deviation, 0)
    with pytest.raises(LabelsUnusable, match=r"float64 of shape \(4, 2\) instead of true or false of shape \(4, 2\)"):
        fit_linear(embeddings, numbers, NAMES[:2], "multi", mean, deviation, 0)  # type: ignore[arg-type]
    with pytest.raises(LabelsUnusable, match=r"bool of shape \(4, 2\) instead of true or false of shape \(4, 3\)"):
        fit_linear(embeddings, none, NAMES[:3], "multi", mean, deviation, 0)


@pytest.mark.parametrize("kind", ["single", "multi"])
def test_dropout_is_one_mask_a_draw_for_all_rows(kind: Kind) -> None:
    embeddings = pool(30, 60)
    head = fitted(embeddings, one_hot(np.arange(30) % 3, 3), kind)
    found = head.dropout_probabilities(embeddings, 4, seed=5)
    assert found.shape == (4, 30, 3)
    assert found.dtype == np.float32
    assert np.array_equal(found, head.dropout_probabilities(embeddings, 4, seed=5))
    assert found[:2] == pytest.approx(head.dropout_probabilities(embeddings, 2, seed=5), abs=1e-6)
    assert found[:, [20, 3]] == pytest.approx(head.dropout_probabilities(embeddings[[20, 3]], 4, seed=5), abs=1e-6)
    assert abs(found - head.dropout_probabilities(embeddings, 4, seed=6)).max() > 0.05
    assert abs(found[0] - found[1]).max() > 0.05
    if kind == "single":
        assert found.sum(axis=-1) == pytest.approx(1, abs=1e-6)


def test_dropout_drops_a_column_for_all_classes() -> None:
    embeddings = pool(30, 60)
    one = fitted(embeddings, one_hot(np.arange(30) % 2, 2), "multi")
    twice = replace(one, classes=NAMES[:2], weight=one.weight[[1, 1]], bias=one.bias[[1, 1]])
    found = twice.dropout_probabilities(embeddings, 3, 0)
    assert found[:, :, 0] == pytest.approx(found[:, :, 1], abs=1e-6)


def test_dropout_keeps_the_logits_mean_and_drops_nothing_at_0() -> None:
    embeddings = pool(30, 60)
    head = fitted(embeddings, one_hot(np.arange(30) % 2, 2), "multi")
    plain = head.probabilities(embeddings)
    assert head.dropout_probabilities(embeddings, 2, 0, share=0) == pytest.approx(np.stack([plain] * 2), abs=1e-6)
    draws = head.dropout_probabilities(embeddings, 4000, 0, share=0.3).astype(np.float64)
    assert np.log(draws / (1 - draws)).mean(axis=0) == pytest.approx(np.log(plain / (1 - plain)), abs=0.1)
    with pytest.raises(ValueError, match="the share of dropped columns is 1"):
        head.dropout_probabilities(embeddings, 2, 0, share=1)


def test_the_same_input_gives_the_same_bytes() -> None:
    embeddings, targets = pool(40, 200), one_hot(np.arange(40) % 3, 3)
    assert len({fitted(embeddings, targets, "single").to_bytes() for _ in range(20)}) == 1


@pytest.mark.parametrize("kind", ["single", "multi"])
def test_a_head_comes_back_from_its_bytes(kind: Kind) -> None:
    embeddings = pool(40, 20)
    head = fitted(embeddings, one_hot(np.arange(40) % 3, 3), kind)
    read = LinearHead.from_bytes(head.to_bytes())
    assert (read.classes, read.kind) == (NAMES[:3], kind)
    for name, value in head.tensors().items():
        assert np.array_equal(read.tensors()[name], value)
        assert read.tensors()[name].dtype == value.dtype
    assert np.array_equal(read.probabilities(embeddings), head.probabilities(embeddings))


@pytest.mark.parametrize(
    ("changed", "message"),
    [
        ({"head": "network"}, "head: expected 'linear', found 'network'; train it again"),
        ({"format": "2"}, "format: expected '1', found '2'"),
        ({"kind": "masks"}, "kind: expected 'single' or 'multi', found 'masks'"),
        ({"classes": "benign"}, "classes: expected a JSON list of texts, found 'benign'"),
        ({"classes": json.dumps(["a", "a"])}, r"classes: expected distinct names, found \['a', 'a'\]"),
        (
            {"classes": json.dumps(["a", "b", "c"])},
            r"weight: expected .* of shape \(3, 5\), found float32 of shape \(2,",
        ),
    ],
)
def test_metadata_of_something_else_are_named(changed: dict[str, str], message: str) -> None:
    head = fitted(pool(10, 5), one_hot(np.arange(10) % 2, 2), "single")
    with pytest.raises(HeadUnusable, match=message):
        LinearHead.from_bytes(file_format.to_bytes(head.tensors(), {**head.metadata(), **changed}))


@pytest.mark.parametrize(
    ("changed", "message"),
    [
        ({"more": np.ones(2)}, "arrays: expected bias, deviation, mean, weight, found bias, deviation, mean, more, "),
        ({"bias": np.ones(3)}, r"bias: expected float32 or float64 of shape \(2,\), found float64 of shape \(3,\)"),
        ({"bias": np.ones(2, dtype=np.int64)}, "bias: expected .*, found int64"),
        ({"weight": np.full((2, 5), np.nan)}, "weight: expected finite numbers, found NaN"),
        ({"deviation": np.zeros(5)}, "deviation: expected numbers above 0, found 0.0"),
    ],
)
def test_arrays_of_something_else_are_named(changed: dict[str, npt.NDArray[Any]], message: str) -> None:
    head = fitted(pool(10, 5), one_hot(np.arange(10) % 2, 2), "single")
    with pytest.raises(HeadUnusable, match=message):
        LinearHead.from_bytes(file_format.to_bytes({**head.tensors(), **changed}, head.metadata()))


def test_what_is_no_head_at_all_is_named() -> None:
    from safetensors.numpy import save

    whole = fitted(pool(10, 5), one_hot(np.arange(10) % 2, 2), "single").to_bytes()
    for content in (b"", b"\x00" * 100, whole[:-1], whole[:50]):
        with pytest.raises(HeadUnusable, match=f"the file: expected safetensors, found {len(content)} bytes"):
            LinearHead.from_bytes(content)
    for metadata in (None, {"seedqueue": "{"}, {"other": "{}"}):
        with pytest.raises(HeadUnusable, match="the metadata: expected JSON under 'seedqueue', found none"):
            LinearHead.from_bytes(save({"bias": np.ones(2)}, metadata=metadata))
    with pytest.raises(HeadUnusable, match="the metadata: expected an object of texts"):
        LinearHead.from_bytes(save({"bias": np.ones(2)}, metadata={"seedqueue": "[1]"}))

"""One training of a linear head: what it may see, what it becomes, and what serves when it ends early."""

import hashlib
import json
from collections.abc import Iterator
from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest
from pools import CLASSES, D, embedded, example, freeze, gathered, places, published, sha, store, trained, uri

from seedqueue.backend import audit
from seedqueue.backend.context import Context
from seedqueue.backend.learn import groups_of, predicted_of
from seedqueue.backend.learning_errors import NothingToTrain, WeightsOfVersionLost
from seedqueue.backend.learnt import Bounds, unrelated
from seedqueue.backend.settings import Settings
from seedqueue.backend.vectors import vectors_of
from seedqueue.backend.versions import ModelVersion
from seedqueue.models.heads.linear import LinearHead

TASKS = 160
HELD_OUT = range(101, 161)


@pytest.fixture
def context(tmp_path: Path) -> Iterator[Context]:
    """A home with the embeddings of 160 tasks; nobody else is there."""
    with Context(Settings(home=tmp_path / "home", label_studio_url="http://ls")) as opened:
        store(opened, embedded(TASKS))
        yield opened


def weights(context: Context, version: ModelVersion) -> LinearHead:
    return LinearHead.from_bytes(context.blobs.get(version.weights))


def test_without_an_audit_slice_a_version_is_unaudited_and_serves(context: Context) -> None:
    run = published(context)
    made = trained(context, run, gathered(example(task) for task in range(1, 31)))
    assert (made.name, made.labels, made.per_class, made.classes) == ("linear-1", 30, (10, 10, 10), CLASSES)
    assert (made.audited, made.audit, made.parent) == (False, (), None)
    assert made.verdict.startswith("unaudited")
    now = context.versions.serving(1)["classes"]
    assert (now.name, now.weights, now.promoted) == (made.name, made.weights, True)
    json.dumps([made.figures, made.primary, made.signal], allow_nan=False)
    said = weights(context, made).probabilities(embedded(TASKS))
    assert (said.argmax(axis=1) == np.arange(1, TASKS + 1) % 3).mean() > 0.7


def test_the_audit_slice_judges_and_every_task_of_it_is_predicted(context: Context) -> None:
    run = published(context)
    freeze(context, HELD_OUT)
    labelled = [example(task) for task in HELD_OUT[:55]]
    made = trained(context, run, gathered((example(task) for task in range(1, 31)), labelled))
    assert (made.held_out, made.audit) == ("audit slice", tuple(HELD_OUT[:55]))
    assert made.primary["value"] > 0.7
    assert (made.prior, len(made.target)) == (pytest.approx([1 / 3] * 3), 3)
    assert len(made.threshold) == 3
    assert set(made.signal) == {"cross_validation", "best_f1", "youden"}
    predicted = predicted_of(context, made)
    assert predicted is not None
    assert sorted(predicted.probabilities) == list(HELD_OUT)


def test_the_same_annotations_and_random_seed_give_the_same_version(tmp_path: Path) -> None:
    made = []
    for number in (1, 2):
        with Context(Settings(home=tmp_path / str(number), label_studio_url="http://ls")) as context:
            store(context, embedded(TASKS))
            freeze(context, HELD_OUT if number == 1 else reversed(HELD_OUT))
            order = range(1, 31) if number == 1 else range(30, 0, -1)
            found = gathered(map(example, order), map(example, HELD_OUT))
            made.append(trained(context, published(context, near_duplicate=0.9), found))
    first, second = (replace(one, made="", seconds=0.0) for one in made)
    assert first == second


def test_the_same_training_again_gives_the_same_bytes_and_figures(context: Context) -> None:
    freeze(context, HELD_OUT)
    found = gathered(map(example, range(1, 31)), map(example, HELD_OUT))
    first, second = (trained(context, published(context), found) for _ in range(2))
    assert first.weights == second.weights
    assert (first.figures, first.signal, first.threshold) == (second.figures, second.signal, second.threshold)
    assert second.difference is not None
    assert (second.difference["value"], second.parent) == (0, 1)


def test_a_version_that_is_surely_worse_does_not_serve(context: Context) -> None:
    run = published(context)
    freeze(context, HELD_OUT)
    held_out = [example(task) for task in HELD_OUT]
    good = trained(context, run, gathered(map(example, range(1, 61)), held_out))
    wrong = [example(task, shows=(task + 1) % 3) for task in range(1, 61)]
    bad = trained(context, run, gathered(wrong, held_out))
    assert bad.verdict.startswith("worse: ")
    assert bad.difference is not None
    assert bad.difference["high"] < 0
    assert context.versions.serving(1)["classes"].number == good.number == 1
    again = trained(context, run, gathered(map(example, range(1, 71)), held_out))
    assert again.parent == 1
    assert context.versions.serving(1)["classes"].number == 3


def test_killed_before_the_pointer_moves_the_old_version_serves(
    context: Context, monkeypatch: pytest.MonkeyPatch
) -> None:
    run = published(context)
    trained(context, run, gathered(map(example, range(1, 21))))

    def killed(version: ModelVersion) -> None:
        raise KeyboardInterrupt

    monkeypatch.setattr(context.versions, "promote", killed)
    with pytest.raises(KeyboardInterrupt):
        trained(context, run, gathered(map(example, range(1, 25))))
    assert [(one.number, one.promoted) for one in context.versions.all(1)] == [(1, True), (2, False)]
    assert context.blobs.get(context.versions.get(1, 2).weights)


def test_a_parent_whose_weights_are_lost_is_compared_with_all_the_same(context: Context) -> None:
    run = published(context)
    freeze(context, HELD_OUT)
    held_out = [example(task) for task in HELD_OUT]
    first = trained(context, run, gathered(map(example, range(1, 31)), held_out))
    table = context.home.existing("heads")
    assert table is not None
    table.delete(f"blob = '{first.weights}'")
    with pytest.raises(WeightsOfVersionLost):
        context.blobs.get(first.weights)
    second = trained(context, run, gathered(map(example, range(1, 41)), held_out))
    assert second.difference is not None
    assert second.difference["n"] == len(HELD_OUT)
    assert context.versions.serving(1)["classes"].number == 2


def test_ground_truth_judges_where_nothing_of_an_audit_slice_is_labelled(context: Context) -> None:
    truth = [example(task, ground_truth=True) for task in HELD_OUT]
    made = trained(context, published(context), gathered(map(example, range(1, 31)), ground_truth=truth))
    assert (made.held_out, len(made.audit)) == ("ground truth", 60)
    assert (made.prior, made.target) == ((), ()), "ground truth is no sample of the pool: it tells no prevalence"


def test_images_without_embedding_are_left_out(context: Context) -> None:
    found = gathered(example(task) for task in range(151, 181))
    assert trained(context, published(context), found).labels == 10
    with pytest.raises(NothingToTrain, match="none of the labelled images can be read"):
        trained(context, published(context), gathered(example(task) for task in range(201, 211)))
    unknown = replace(published(context), fingerprint="an embedder that stored nothing")
    with pytest.raises(NothingToTrain, match="no embeddings of hog"):
        trained(context, unknown, gathered(map(example, range(1, 11))))
    assert [one.number for one in context.versions.all(1)] == [1]


@pytest.mark.parametrize("shown", [[1, 1], [1, 1, 1, 1], [0, 1], [0, 1, 2]])
def test_few_labels_and_one_class_only_give_a_version(context: Context, shown: list[int]) -> None:
    made = trained(context, published(context), gathered(example(t, shows=s) for t, s in enumerate(shown, 1)))
    assert made.labels == len(shown)
    said = weights(context, made).probabilities(embedded(TASKS))
    np.testing.assert_allclose(said.sum(axis=1), 1, rtol=1e-5)


@pytest.mark.parametrize("as_audit", [True, False])
def test_the_standardisation_sees_no_held_out_image(context: Context, as_audit: bool) -> None:
    truth = [example(task, ground_truth=not as_audit) for task in HELD_OUT]
    if as_audit:
        freeze(context, HELD_OUT)  # nothing of it is labelled yet
    given = gathered(map(example, range(1, 31)), ground_truth=() if as_audit else truth)
    head = weights(context, trained(context, published(context), given))
    seen = vectors_of(context, 1, "f").of(places(range(1, 101)))
    np.testing.assert_allclose(head.mean, seen.mean(axis=0), atol=1e-5)
    np.testing.assert_allclose(head.deviation, seen.std(axis=0), atol=1e-5)


# Which examples may be seen.


def kept(context: Context, near: float, training: range, held_out: range = range(0), **groups: str) -> set[int]:
    vectors = vectors_of(context, 1, "f")
    slice_ = [(one.task, one.uri) for one in audit.frozen(context.records, 1)]
    told = [example(task, group=groups.get(f"t{task}", f"task {task}")) for task in training]
    judges = [example(task, group=groups.get(f"t{task}", f"task {task}")) for task in held_out]
    return {one.task for one in unrelated(told, judges, slice_, vectors, Bounds(near, 0))}


def test_a_patient_of_the_audit_slice_is_not_learnt_from(context: Context) -> None:
    freeze(context, [101])
    found = kept(context, 0.0, range(1, 6), range(101, 102), t2="anna", t3="bert", t101="anna")
    assert found == {1, 3, 4, 5}


def test_near_duplicates_of_audit_tasks_are_not_learnt_from_labelled_or_not(tmp_path: Path) -> None:
    with Context(Settings(home=tmp_path, label_studio_url="http://ls")) as context:
        vectors = np.random.default_rng(0).standard_normal((20, D)).astype(np.float32)
        vectors[1] = vectors[18] * 1.0001  # of the audit task 19
        vectors[4] = vectors[1] * 1.0001  # through 2 of 19
        store(context, vectors, hashes={7: sha(20)})  # 7 has the bytes of the audit task 20
        freeze(context, [19, 20])
        assert kept(context, 0.99, range(1, 9)) == {1, 3, 4, 6, 8}
        assert kept(context, 0.0, range(1, 9)) == {1, 2, 3, 4, 5, 6, 8}
        assert kept(context, 0.99, range(1, 9), range(19, 21)) == {1, 3, 4, 6, 8}
        assert kept(context, 0.99, range(4, 9), t6="one", t5="one") == {4, 8}  # 6 and 5 are of one patient


def test_near_duplicates_of_ground_truth_are_not_learnt_from(tmp_path: Path) -> None:
    with Context(Settings(home=tmp_path, label_studio_url="http://ls")) as context:
        vectors = np.random.default_rng(0).standard_normal((20, D)).astype(np.float32)
        vectors[1] = vectors[18] * 1.0001
        store(context, vectors)
        assert kept(context, 0.99, range(1, 5), range(19, 21)) == {1, 3, 4}


def test_a_bootstrap_draws_patients_and_near_duplicates_whole(tmp_path: Path) -> None:
    with Context(Settings(home=tmp_path, label_studio_url="http://ls")) as context:
        vectors = np.random.default_rng(0).standard_normal((6, D)).astype(np.float32)
        vectors[3] = vectors[0] * 1.0001
        store(context, vectors)
        known = vectors_of(context, 1, "f")
        told = [example(task, group="x" if task in (2, 3) else f"task {task}") for task in range(1, 7)]
        assert groups_of(known, told, 0.99).tolist() == [0, 1, 1, 0, 2, 3]
        assert len(set(groups_of(known, told, 0.0).tolist())) == 5
        assert len(groups_of(known, [], 0.99)) == 0
        beyond = [*told, example(99, group="x")]  # its embedding is not stored: groups by name alone
        assert groups_of(known, beyond, 0.99)[[1, 2, 6]].tolist() == [groups_of(known, beyond, 0.99)[1]] * 3


def test_embeddings_are_found_by_task_and_place(context: Context) -> None:
    known = vectors_of(context, 1, "f")
    assert known.has(3, uri(3))
    assert known.has(3, f"{uri(3)}?X-Amz-Signature=ab")
    assert known.hash_of(3, uri(3)) == hashlib.sha256(b"3").hexdigest()
    assert not known.has(3, uri(4))
    assert known.hash_of(999, uri(999)) is None
    np.testing.assert_allclose(known.of(places([5, 2])), embedded(TASKS)[[4, 1]], atol=2e-3)  # stored in float16
    assert vectors_of(context, 2, "f").hashes == {}
    assert vectors_of(context, 1, "none").hashes == {}

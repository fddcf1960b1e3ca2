"""What every selector of later rounds promises where the head tells nothing: coverage decides, not the row's number.

The rows of the pool lie cluster by cluster, the largest first, so that the lowest rows are all of one kind.
"""

from functools import cache

import numpy as np
import numpy.typing as npt
import pytest

from seedqueue.selectors import registry
from seedqueue.selectors.allowance import Rules
from seedqueue.selectors.choosing import select
from seedqueue.selectors.coverage import covered_by
from seedqueue.selectors.representation import fit_scaler, represent
from seedqueue.selectors.signals import Signals
from seedqueue.selectors.source import Matrix

Doubles = npt.NDArray[np.float64]

SIZES = (150, 30, 20, 15, 15, 10, 10, 10, 10, 10, 10, 10)
N = sum(SIZES)
KIND = np.repeat(np.arange(len(SIZES)), SIZES)
FIRST_OF_KIND = np.flatnonzero(np.diff(KIND, prepend=-1))
DRAWS = 6

later_rounds = pytest.mark.parametrize("name", [entry.name for entry in registry.entries() if not entry.first_round])


def clustered() -> npt.NDArray[np.float32]:
    rng = np.random.default_rng(4)
    return (rng.normal(size=(len(SIZES), 16))[KIND] * 3 + rng.normal(size=(N, 16)) / 2).astype(np.float32)


def two_classes(second: Doubles, dtype: type[np.floating]) -> npt.NDArray[np.floating]:
    """The class of a row is its kind's; `second` (..., n) is the other's probability."""
    both = np.stack([1 - second, second], axis=-1).astype(dtype)
    odd = KIND % 2 == 1
    both[..., odd, :] = both[..., odd, ::-1]
    return both


def signals(second: Doubles, dtype: type[np.floating] = np.float64) -> Signals:
    """second (n,); under dropout it is a little more or less."""
    drawn = second * np.random.default_rng(1).uniform(0.5, 1.5, size=(DRAWS, N))
    return Signals(
        probabilities=two_classes(second, dtype),
        dropout_probabilities=two_classes(np.minimum(drawn, 1), dtype),
        pixel_entropy=second.astype(dtype),
        pixel_disagreement=second.astype(dtype),
    )


def saturated() -> dict[str, Signals]:
    """Heads that are sure of every row; their last digits single out the first, largest kind."""
    rng = np.random.default_rng(2)
    last_digits = rng.uniform(0.1, 1, size=N) * np.where(KIND == 0, 1, 0.01)
    return {
        "zeros and ones": signals(np.zeros(N)),
        "float32": signals(3e-7 * last_digits, np.float32),
        "float64": signals(1e-15 * last_digits),
        "below the rounding of 1": signals(1e-25 * last_digits),
    }


def unit() -> npt.NDArray[np.float32]:
    source = Matrix(clustered())
    return represent(source, fit_scaler(source), "unit")


def coverage(rows: npt.NDArray[np.int64]) -> float:
    return float(covered_by(unit(), unit()[rows]).mean())


@cache
def coverage_of_uniform(budget: int) -> float:
    return float(np.mean([coverage(select("uniform", clustered(), budget, seed=seed).rows) for seed in range(20)]))


@later_rounds
@pytest.mark.parametrize("head", saturated())
def test_it_covers_no_worse_than_a_random_queue(name: str, head: str) -> None:
    for budget in (6, 12, 40):
        rows = select(name, clustered(), budget, signals=saturated()[head]).rows
        assert len(set(rows.tolist())) == budget
        assert coverage(rows) >= coverage_of_uniform(budget)


@later_rounds
@pytest.mark.parametrize("head", saturated())
def test_it_goes_where_no_label_is(name: str, head: str) -> None:
    """With all but the last four kinds labelled a queue of four has one of each."""
    labelled = np.flatnonzero(KIND <= 7)
    rows = select(name, clustered(), 4, labelled=labelled, signals=saturated()[head]).rows
    assert sorted(KIND[rows].tolist()) == [8, 9, 10, 11]


@later_rounds
@pytest.mark.parametrize("head", saturated())
def test_the_same_again_and_a_prefix_is_the_smaller_queue(name: str, head: str) -> None:
    longer = select(name, clustered(), 60, signals=saturated()[head], seed=3).rows
    assert np.array_equal(longer, select(name, clustered(), 60, signals=saturated()[head], seed=3).rows)
    shorter = select(name, clustered(), 40, signals=saturated()[head], seed=3).rows
    if registry.get(name).greedy:
        assert np.array_equal(longer[:40], shorter)
    more = select(name, clustered(), 20, labelled=shorter, signals=saturated()[head], seed=3).rows
    assert len(set(shorter.tolist()) | set(more.tolist())) == 60


@later_rounds
@pytest.mark.parametrize("head", saturated())
def test_the_chosen_images_do_not_depend_on_the_order_of_the_pool(name: str, head: str) -> None:
    rng = np.random.default_rng(5)
    keys, order = np.array([f"{key:016x}" for key in rng.permutation(N)]), rng.permutation(N)
    rules, given = Rules(rng.integers(-1, 200, size=N), 1, 0.95), saturated()[head]
    first = select(name, clustered(), 30, keys=keys, rules=rules, signals=given)
    again = select(name, clustered()[order], 30, keys=keys[order], rules=rules.at(order), signals=given.at(order))
    assert keys[order][again.rows].tolist() == keys[first.rows].tolist()


@later_rounds
def test_the_few_that_it_is_unsure_of_come_first_and_coverage_goes_on(name: str) -> None:
    second = np.zeros(N)
    unsure = np.array([3, 160, 249])
    second[unsure] = 0.45
    given = signals(second)
    assert given.dropout_probabilities is not None
    for budget in (12, 40):
        rows = select(name, clustered(), budget, signals=given).rows
        assert set(unsure.tolist()) <= set(rows.tolist())
        assert coverage(rows) >= coverage_of_uniform(budget)
    if registry.get(name).greedy:
        # BADGE draws one of the certain rows, whose gradients are all alike, by the way.
        assert set(unsure.tolist()) <= set(rows[:4].tolist())


@later_rounds
def test_duplicates_of_a_chosen_row_wait_until_all_else_is_covered(name: str) -> None:
    """Where nothing is uncertain equal images add nothing, but a queue of all of them is still one."""
    embeddings = np.repeat(clustered()[FIRST_OF_KIND], 5, axis=0)
    n = len(embeddings)
    certain = Signals(
        probabilities=np.eye(2)[np.zeros(n, dtype=int)],
        dropout_probabilities=np.stack([np.eye(2)[np.zeros(n, dtype=int)]] * 3),
        pixel_entropy=np.zeros(n),
        pixel_disagreement=np.zeros(n),
    )
    rows = select(name, embeddings, len(SIZES), signals=certain).rows
    assert sorted((rows // 5).tolist()) == list(range(len(SIZES)))
    assert sorted(select(name, embeddings, n, signals=certain).rows.tolist()) == list(range(n))

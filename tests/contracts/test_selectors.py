"""What every selector promises, asked of each one in the registry."""

from itertools import product
from typing import Any

import numpy as np
import numpy.typing as npt
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from signals import all_signals

from seedqueue.selectors import choosing, registry
from seedqueue.selectors.allowance import Rules
from seedqueue.selectors.errors import (
    BudgetExceedsGroups,
    BudgetExceedsPool,
    InvalidBudget,
    InvalidEmbeddings,
    InvalidLabelledRows,
    MissingSignal,
    UnknownSelector,
)
from seedqueue.selectors.representation import REPRESENTATIONS
from seedqueue.selectors.selection import Selection

Matrix = npt.NDArray[np.float32]


def select(name: str, embeddings: Any, budget: Any, **options: Any) -> Selection:
    """Every selector is given every signal."""
    shape = np.shape(embeddings)
    signals = all_signals(shape[0]) if len(shape) == 2 else None
    return choosing.select(name, embeddings, budget, **{"signals": signals, **options})


every_selector = pytest.mark.parametrize("name", registry.names())


def gaussian(n: int = 90, d: int = 12, seed: int = 7) -> Matrix:
    return np.random.default_rng(seed).normal(size=(n, d)).astype(np.float32)


def pools() -> dict[str, Matrix]:
    spread = gaussian()
    return {
        "gaussian": spread,
        "duplicates": np.repeat(gaussian(9), 10, axis=0),
        "near duplicates": np.repeat(gaussian(9), 10, axis=0) + 1e-6 * spread,
        "constant": np.full((90, 12), 0.1, dtype=np.float32),
        "zeros": np.zeros((90, 12), dtype=np.float32),
        "one column": spread[:, :1],
        "constant column": np.hstack([spread, np.full((90, 1), 3.3, dtype=np.float32)]),
        "huge and tiny": spread * np.logspace(-18, 18, 12, dtype=np.float32),
        "outlier": np.vstack([spread[:-1], np.full((1, 12), 1e6, dtype=np.float32)]),
    }


def assert_valid(selection: Selection, budget: int, n: int, labelled: tuple[int, ...] = (), pool: str = "") -> None:
    for column in (selection.rows, selection.cluster, selection.weight):
        assert column.shape == (budget,), pool
        assert column.dtype == np.int64, pool
    assert len(set(selection.rows.tolist())) == budget, pool
    assert set(selection.rows.tolist()) <= set(range(n)) - set(labelled), pool
    assert selection.weight.min() >= 1, pool
    assert selection.weight.sum() <= n - len(labelled), pool


def same(one: Selection, other: Selection) -> bool:
    return all(np.array_equal(getattr(one, part), getattr(other, part)) for part in ("rows", "cluster", "weight"))


@every_selector
def test_the_entry_is_complete(name: str) -> None:
    entry = registry.get(name)
    assert entry.name == name
    assert entry.title
    assert entry.summary.endswith(".")
    assert entry.representation in REPRESENTATIONS


@every_selector
@pytest.mark.parametrize(
    ("budget", "labelled"), [(1, ()), (20, (3, 4, 50)), (30, tuple(range(60)))], ids=["the first", "some", "all"]
)
def test_exactly_the_budget_of_distinct_unlabelled_rows(name: str, budget: int, labelled: tuple[int, ...]) -> None:
    for pool, embeddings in pools().items():
        chosen = select(name, embeddings, budget, labelled=labelled)
        assert_valid(chosen, budget, 90, labelled, pool)


@every_selector
def test_the_smallest_pool(name: str) -> None:
    assert select(name, gaussian(1), 1).rows.tolist() == [0]
    assert select(name, gaussian(2), 1, labelled=[0]).rows.tolist() == [1]


@every_selector
def test_the_same_arguments_give_the_same_selection(name: str) -> None:
    assert same(select(name, gaussian(), 20, seed=3), select(name, gaussian(), 20, seed=3))


@every_selector
def test_labelled_rows_count_as_a_set(name: str) -> None:
    once = select(name, gaussian(), 20, labelled=[5, 9, 30])
    assert same(once, select(name, gaussian(), 20, labelled=[30, 5, 9, 5]))


@every_selector
def test_any_random_seed_is_taken(name: str) -> None:
    for seed in (0, 1, 2**31, 2**32 - 1, 2**40):
        assert_valid(select(name, gaussian(), 5, seed=seed), 5, 90)


@every_selector
def test_the_input_stays_as_it_was(name: str) -> None:
    embeddings, labelled = gaussian(), np.array([4, 2])
    before = embeddings.copy()
    select(name, embeddings, 20, labelled=labelled)
    assert np.array_equal(embeddings, before)
    assert labelled.tolist() == [4, 2]
    assert embeddings.flags.writeable


@every_selector
def test_other_dtypes_and_layouts_give_the_same(name: str) -> None:
    expected = select(name, gaussian(), 20)
    assert same(expected, select(name, np.asfortranarray(gaussian()), 20))
    assert same(expected, select(name, gaussian().astype(np.float64), 20))


@every_selector
def test_extending_keeps_the_queue_and_adds_to_it(name: str) -> None:
    first = select(name, gaussian(), 12)
    more = select(name, gaussian(), 8, labelled=first.rows)
    assert_valid(more, 8, 90, tuple(first.rows.tolist()))
    extended = np.concatenate([first.rows, more.rows])
    assert len(set(extended.tolist())) == 20


@pytest.mark.parametrize("name", [entry.name for entry in registry.entries() if entry.greedy])
def test_a_greedy_queue_begins_with_the_smaller_one(name: str) -> None:
    longer = select(name, gaussian(), 60).rows
    for budget in (1, 20, 40):
        assert np.array_equal(longer[:budget], select(name, gaussian(), budget).rows)


@every_selector
def test_a_budget_that_is_no_whole_number_from_one(name: str) -> None:
    for budget in (0, -1, 2.0, "3", None, True):
        with pytest.raises(InvalidBudget) as caught:
            select(name, gaussian(), budget)
        assert caught.value.budget is budget


@every_selector
def test_more_than_the_pool_holds(name: str) -> None:
    with pytest.raises(BudgetExceedsPool, match=r"^40 requested, 31 available: lower the budget") as caught:
        select(name, gaussian(40), 40, labelled=range(9))
    assert (caught.value.requested, caught.value.available) == (40, 31)


@every_selector
def test_embeddings_that_are_not_finite(name: str) -> None:
    for bad in (np.nan, np.inf, -np.inf):
        embeddings = gaussian()
        embeddings[17, 3] = bad
        with pytest.raises(InvalidEmbeddings, match="row 17"):
            select(name, embeddings, 5)


@every_selector
def test_embeddings_of_the_wrong_shape(name: str) -> None:
    for embeddings in (np.zeros(5), np.zeros((5, 0)), np.zeros((2, 2, 2)), np.array([["a"]])):
        with pytest.raises(InvalidEmbeddings):
            select(name, embeddings, 1)


@every_selector
def test_labelled_rows_outside_the_matrix(name: str) -> None:
    for labelled in ([90], [-1], [0.5], [[1]]):
        with pytest.raises(InvalidLabelledRows):
            select(name, gaussian(), 5, labelled=labelled)


def test_an_unknown_name_lists_the_known_ones() -> None:
    with pytest.raises(UnknownSelector, match="kmeans, kmeans-nested, kmeans-paper") as caught:
        select("nothing-like-it", gaussian(), 5)
    assert caught.value.known == registry.names()


@st.composite
def drawn_pools(draw: st.DrawFn) -> tuple[Matrix, int, list[int], int]:
    """Embeddings with repeats and constant columns, a budget, labelled rows, a random seed."""
    n, d = draw(st.integers(2, 40)), draw(st.integers(1, 6))
    kinds = draw(st.integers(1, n))
    rng = np.random.default_rng(draw(st.integers(0, 2**16)))
    points = rng.normal(size=(kinds, d)).round(draw(st.sampled_from([0, 1, 6])))
    embeddings = points[rng.integers(kinds, size=n)].astype(np.float32)
    labelled = draw(st.lists(st.integers(0, n - 1), max_size=n - 1, unique=True))
    return embeddings, draw(st.integers(1, n - len(labelled))), labelled, draw(st.integers(0, 2**33))


@every_selector
@settings(max_examples=12, deadline=None, derandomize=True)
@given(drawn=drawn_pools())
def test_any_pool_gives_exactly_the_budget(name: str, drawn: tuple[Matrix, int, list[int], int]) -> None:
    embeddings, budget, labelled, seed = drawn
    before = embeddings.copy()
    chosen = select(name, embeddings, budget, labelled=labelled, seed=seed)
    assert_valid(chosen, budget, len(embeddings), tuple(labelled))
    assert same(chosen, select(name, embeddings, budget, labelled=labelled, seed=seed))
    assert np.array_equal(embeddings, before)


@every_selector
@settings(max_examples=5, deadline=None, derandomize=True)
@given(seed=st.integers(0, 2**32 - 1))
def test_the_chosen_images_do_not_depend_on_the_order_of_the_pool(name: str, seed: int) -> None:
    n = 50
    rng = np.random.default_rng(seed)
    embeddings, groups, signals = gaussian(n, seed=seed), rng.integers(-1, 30, size=n), all_signals(n, seed)
    keys = np.array([f"{key:016x}" for key in rng.permutation(n)])
    labelled, rules = rng.permutation(n)[:5], Rules(groups, 1, 0.9)
    first = select(name, embeddings, 12, labelled=labelled, keys=keys, rules=rules, signals=signals)
    order = rng.permutation(n)
    again = select(
        name,
        embeddings[order],
        12,
        labelled=np.flatnonzero(np.isin(order, labelled)),
        keys=keys[order],
        rules=rules.at(order),
        signals=signals.at(order),
    )
    assert keys[order][again.rows].tolist() == keys[first.rows].tolist()
    assert again.weight.tolist() == first.weight.tolist()


@every_selector
def test_extending_from_40_to_60_keeps_the_first_40(name: str) -> None:
    embeddings = gaussian(200)
    forty = select(name, embeddings, 40).rows
    sixty = np.concatenate([forty, select(name, embeddings, 20, labelled=forty).rows])
    assert sixty[:40].tolist() == forty.tolist()
    assert len(set(sixty.tolist())) == 60


@every_selector
@pytest.mark.parametrize("per_group", [1, 2])
def test_at_most_so_many_of_a_group(name: str, per_group: int) -> None:
    groups = np.arange(90) % 20
    groups[:10] = -1  # these have none
    rules = Rules(groups, per_group)
    labelled = [30, 31, 32]
    chosen = select(name, gaussian(), 25, labelled=labelled, rules=rules)
    assert_valid(chosen, 25, 90, tuple(labelled))
    counted = groups[np.concatenate([chosen.rows, labelled])]
    assert np.bincount(counted[counted >= 0]).max() <= per_group


@every_selector
def test_as_many_as_the_groups_allow_and_not_one_more(name: str) -> None:
    rules = Rules(np.arange(90) % 20, 2)
    assert_valid(select(name, gaussian(), 37, labelled=[0, 1, 2], rules=rules), 37, 90, (0, 1, 2))
    with pytest.raises(BudgetExceedsGroups, match="38 requested, 37 available with at most 2 of a group") as caught:
        select(name, gaussian(), 38, labelled=[0, 1, 2], rules=rules)
    assert (caught.value.requested, caught.value.available, caught.value.per_group) == (38, 37, 2)


@every_selector
def test_near_duplicates_are_not_chosen_twice_while_others_are_left(name: str) -> None:
    embeddings = pools()["near duplicates"]  # nine kinds of ten
    kinds = np.arange(90) // 10
    rules = Rules(near_duplicate=0.999)
    chosen = select(name, embeddings, 7, labelled=[0, 55], rules=rules)
    assert sorted(kinds[chosen.rows].tolist()) == [1, 2, 3, 4, 6, 7, 8]
    assert_valid(select(name, embeddings, 12, labelled=[0, 55], rules=rules), 12, 90, (0, 55))
    assert_valid(select(name, embeddings, 88, labelled=[0, 55], rules=rules), 88, 90, (0, 55))


@every_selector
def test_what_a_selector_needs_is_asked_for(name: str) -> None:
    entry = registry.get(name)
    if not entry.needs:
        assert_valid(choosing.select(name, gaussian(), 5), 5, 90)
        return
    with pytest.raises(MissingSignal, match=f"^the selector '{name}' needs ") as caught:
        choosing.select(name, gaussian(), 5)
    assert caught.value.signal == entry.needs[0]


@every_selector
def test_any_representation(name: str) -> None:
    for representation, components in product(REPRESENTATIONS, (0, 3)):
        chosen = select(name, gaussian(), 10, labelled=[1], representation=representation, components=components)
        assert_valid(chosen, 10, 90, (1,), f"{representation} {components}")

"""Scores: what Label Studio serves first. The calls to it are in tests/flow."""

from itertools import pairwise

from seedqueue.backend.publish import seed_scores, tail, tail_score


def test_seed_scores_grow_with_the_rank_below_one_half() -> None:
    tasks = [30, 10, 20, *range(100, 2000)]
    scores = seed_scores(tasks)
    values = [scores[task] for task in tasks]
    assert list(scores) == tasks
    assert values[0] == 0
    assert all(earlier < later < 0.5 for earlier, later in pairwise(values))


def test_one_seed_and_none() -> None:
    assert seed_scores([7]) == {7: 0.0}
    assert seed_scores([]) == {}


def test_tail_scores_are_behind_every_seed_and_within_what_label_studio_takes() -> None:
    scores = [tail_score(task) for task in range(20_000)]
    assert all(0.5 <= score < 1 for score in scores)
    assert len(set(scores)) > 19_990


def test_tail_scores_never_change() -> None:
    # Written down: a top-up by another version of this program must continue the same order.
    assert [round(tail_score(task), 9) for task in (1, 2, 3)] == [0.993317963, 0.981991055, 0.612269831]


def test_the_tail_takes_the_lowest_whatever_the_order_of_the_candidates() -> None:
    candidates = list(range(1, 500))
    lowest = sorted(candidates, key=tail_score)[:50]
    assert list(tail(candidates, 50)) == lowest
    assert tail(reversed(candidates), 50) == tail(candidates, 50)
    assert all(score == tail_score(task) for task, score in tail(candidates, 50).items())


def test_the_tail_is_as_long_as_there_are_candidates() -> None:
    assert set(tail([3, 1, 2], 10)) == {1, 2, 3}
    assert tail([3, 1, 2], 0) == {}


def test_a_topped_up_tail_is_the_longer_tail() -> None:
    first = tail(range(100), 20)
    more = tail(set(range(100)) - set(first), 10)
    assert first | more == tail(range(100), 30)


def test_audit_tasks_stand_before_all_others_of_the_tail_in_their_order() -> None:
    candidates = range(1, 500)
    scores = tail(candidates, 50, first=[400, 7, 300])
    assert list(scores)[:3] == [400, 7, 300]
    assert list(scores)[3:] == [task for task in tail(candidates, 60) if task not in (400, 7, 300)][:47]
    values = list(scores.values())
    assert all(0.5 <= earlier < later < 1 for earlier, later in pairwise(values))


def test_what_is_no_candidate_is_not_put_first() -> None:
    assert set(tail([1, 2], 10, first=[9, 2])) == {1, 2}
    assert list(tail([1, 2], 1, first=[9, 2])) == [2]
    many = list(range(1000))
    assert list(tail(many, 1000, first=many[::-1])) == many[::-1]

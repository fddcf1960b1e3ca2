"""The sentences that say why a task stands in the queue."""

from dataclasses import replace

from seedqueue.backend.pool_map import Spot
from seedqueue.backend.records import Choices, QueuedTask, Run
from seedqueue.backend.why import Neighbour, sentences

RUN = Run(1, 2, "published", Choices(2, "hog", "kmeans", 0), tasks=1780)
SEED = QueuedTask(1, 11, "/a.png", 0, 1041)
QUEUE = [SEED, QueuedTask(2, 12, "/b.png", -1, 1, audit=True), QueuedTask(3, 13, "/c.png", -1, 1, by_hand=True)]
SPOT = Spot(11, 0.0, 0.0, 1, 0.5, "<b>tumour</b>", "normal", 0.25, 2, None, None)


def test_a_seed() -> None:
    told = sentences(RUN, QUEUE, SEED, SPOT, None, None, "")
    assert told[0].startswith("Rank 1 of 3 in Seed queue 2, chosen by K-means")
    assert "1,041 images of 1,780" in told[0]
    assert told[1:] == (
        "No other image was labelled when the map was drawn.",
        "Labelled: <b>tumour</b>.",
        "The head that serves says normal, with an uncertainty of 0.25 of 1.",
    )


def test_an_audit_task_and_one_added_by_hand() -> None:
    assert "drawn at random for the audit" in sentences(RUN, QUEUE, QUEUE[1], None, None, None, "")[0]
    assert sentences(RUN, QUEUE, QUEUE[2], None, None, None, "") == ("Rank 3 of 3 in Seed queue 2: added by hand.",)


def test_tasks_outside_the_queue() -> None:
    by, near = Neighbour(11, 0.834, 1), Neighbour(40, 0.5)
    told = sentences(RUN, QUEUE, None, SPOT, by, near, "")
    assert told[0] == "Not in the queue: rank 1, task 11, stands for it (cosine 0.83)."
    assert told[1] == "The labelled image most like it is task 40 (cosine 0.50)."
    assert "could not be read (no PNG)" in sentences(RUN, QUEUE, None, None, None, None, "no PNG")[0]
    assert "not on the map" in sentences(RUN, QUEUE, None, None, None, None, "")[0]


def test_a_task_held_out_for_the_audit_is_stood_for_by_nobody() -> None:
    told = sentences(RUN, QUEUE, None, SPOT, None, None, "", "audit")
    assert told[0].startswith("Not in the queue: it was drawn at random for the audit")


def test_a_dry_run_is_named_as_one() -> None:
    tried = replace(RUN, state="chosen", choices=replace(RUN.choices, dry_run=True))
    assert sentences(tried, QUEUE, SEED, None, None, None, "")[0].startswith("Rank 1 of 3 in dry run 2, chosen by")

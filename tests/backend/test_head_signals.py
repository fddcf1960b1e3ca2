"""What a later round's selector is told of the pool, and which head tells it."""

from collections.abc import Iterator
from io import BytesIO
from pathlib import Path

import numpy as np
import pytest
from image_server import ImageServer
from PIL import Image
from pools import FINGERPRINT, embedded, example, freeze, gathered, published, sha, store, trained, uri, version

from seedqueue.backend import audit, head_signals
from seedqueue.backend.context import Context
from seedqueue.backend.embeddings import Embeddings
from seedqueue.backend.learning_errors import AuditExceedsPool, NoTrainedHead
from seedqueue.backend.pool import PoolTask
from seedqueue.backend.records import QueuedTask, Run
from seedqueue.backend.run_queue import queue_of
from seedqueue.backend.settings import Settings
from seedqueue.backend.versions import HeadKind, ModelVersion
from seedqueue.models.embedder import Embedder, Floats, Input
from seedqueue.models.heads.linear import fit_linear
from seedqueue.models.heads.network_head import NetworkHead
from seedqueue.selectors import registry

TASKS = 60
OF_CLASSES = [each.name for each in registry.entries() if not each.first_round and "pixel" not in str(each.needs)]
OF_MASKS = [each.name for each in registry.entries() if "pixel" in str(each.needs)]


@pytest.fixture
def context(tmp_path: Path) -> Iterator[Context]:
    settings = Settings(
        home=tmp_path / "home",
        label_studio_url="http://127.0.0.1:1",
        label_studio_api_key="a" * 40,
        image_hosts="127.0.0.1",
        threads=1,
    )
    with Context(settings) as opened:
        store(opened, embedded(TASKS))
        yield opened


def pool(labelled: int = 0, tasks: int = TASKS) -> list[PoolTask]:
    return [PoolTask(task, uri(task), task <= labelled) for task in range(1, tasks + 1)]


def embeddings(context: Context) -> Embeddings:
    return Embeddings.of_fingerprint(context.home, FINGERPRINT)


def serve(context: Context, number: int, content: bytes, head: HeadKind = "linear", **changes: object) -> ModelVersion:
    made = version(number, head, weights=context.blobs.put(content), **changes)
    context.versions.save(made)
    context.versions.promote(made)
    return made


def a_head(context: Context) -> ModelVersion:
    return trained(context, published(context), gathered(map(example, range(1, 21))))


def test_there_are_selectors_of_both_families() -> None:
    assert {"entropy", "margin", "badge", "dropquery", "uncertainty-herding"} <= set(OF_CLASSES)
    assert set(OF_MASKS) == {"pixel-entropy", "pixel-disagreement"}


@pytest.mark.parametrize("selector", ["entropy", "pixel-entropy"])
def test_without_a_head_a_later_round_is_refused(context: Context, selector: str) -> None:
    with pytest.raises(NoTrainedHead, match=f"{selector}.*seedqueue train --project 1"):
        head_signals.head_for(context, 1, selector, FINGERPRINT)


def test_the_head_of_the_family_that_the_selector_needs(context: Context) -> None:
    a_head(context)
    assert head_signals.head_for(context, 1, "entropy", FINGERPRINT).name == "linear-1"
    with pytest.raises(NoTrainedHead, match="a segmenter's mean entropy"):
        head_signals.head_for(context, 1, "pixel-entropy", FINGERPRINT)
    serve(context, 2, b"", "unet-vgg11")
    assert head_signals.head_for(context, 1, "pixel-entropy", "another").name == "unet-vgg11-2"
    with pytest.raises(NoTrainedHead):  # it knows another embedder's embeddings
        head_signals.head_for(context, 1, "entropy", "another")
    serve(context, 3, b"", "vgg11")
    assert head_signals.head_for(context, 1, "entropy", "another").name == "vgg11-3"


@pytest.mark.parametrize("selector", OF_CLASSES)
@pytest.mark.parametrize("kind", ["single", "multi"])
def test_signals_of_a_linear_head_suit_the_selector(context: Context, selector: str, kind: str) -> None:
    targets = np.eye(3, dtype=bool)[np.arange(1, TASKS + 1) % 3]
    if kind == "multi":
        targets[::5, 0] = True
    head = fit_linear(embedded(TASKS)[:30], targets[:30], ("a", "b", "c"), kind, np.zeros(8), np.ones(8), 0)  # type: ignore[arg-type]
    made = serve(context, 1, head.to_bytes(), kind=kind, prior=(0.4, 0.3, 0.3), target=(0.2, 0.3, 0.5))
    run = published(context, selector=selector)
    source = embeddings(context).source([sha(task) for task in range(1, TASKS + 1)])
    signals = head_signals.head_signals(context, run, made, pool(), source)
    signals.check(TASKS)
    needs = registry.get(selector).needs
    assert set(needs) <= signals.known()
    assert signals.probabilities is not None
    assert signals.probabilities.shape == (TASKS, 3 if kind == "single" else 2)
    if "dropout_probabilities" in needs:
        assert signals.dropout_probabilities is not None
        assert signals.dropout_probabilities.shape == (head_signals.DRAWS, *signals.probabilities.shape)
        assert signals.dropout_probabilities.std(axis=0).max() > 0
    again = head_signals.head_signals(context, run, made, pool(), source)
    np.testing.assert_array_equal(again.probabilities, signals.probabilities)


def noise(seed: int) -> bytes:
    kept = BytesIO()
    drawn = np.random.default_rng(seed).random((32, 32)) * 255
    Image.fromarray(drawn.astype(np.uint8)).save(kept, "PNG")
    return kept.getvalue()


@pytest.mark.parametrize("selector", OF_MASKS)
def test_signals_of_a_segmenter(context: Context, selector: str, monkeypatch: pytest.MonkeyPatch) -> None:
    content = NetworkHead.create(("a", "b"), "masks", side=32, seed=1, threads=1).to_bytes()
    made = serve(context, 1, content, "unet-vgg11")
    run = published(context, selector=selector)
    source = embeddings(context).source([sha(1)])
    with ImageServer({f"{task}.png": noise(task) for task in range(1, 7)}) as images:
        images.files["4.png"] = b"no image any more"
        tasks = [PoolTask(task, f"{images.url}/{task}.png", task <= 2) for task in range(1, 8)]
        found = head_signals.head_signals(context, run, made, tasks, source)
        found.check(7)
        [name] = registry.get(selector).needs
        assert found.known() == {name}
        values = getattr(found, name)
        assert (values[[0, 1, 3, 6]] == 0).all()  # labelled, unreadable and missing ones count as certain
        assert (images.hits["1.png"], images.hits["3.png"]) == (0, 1)
        monkeypatch.setattr(head_signals, "LOOKED_AT", 2)
        images.hits.clear()
        few = [getattr(head_signals.head_signals(context, run, made, tasks, source), name) for _ in range(2)]
        assert sum(images.hits.values()) <= 4
        np.testing.assert_array_equal(few[0], few[1])


# The queue of a run: seeds, audit tasks among them, one after another round.


class Named(Embedder):
    """An embedder that is asked for its fingerprint alone: the embeddings are stored."""

    def __init__(self, fingerprint: str) -> None:
        self.fingerprint = fingerprint

    def prepare(self, image: Image.Image) -> Input:
        raise AssertionError

    def embed(self, inputs: Input) -> Floats:
        raise AssertionError


@pytest.fixture
def embedder() -> Embedder:
    return Named(FINGERPRINT)


def next_queue(context: Context, embedder: Embedder, run: Run, tasks: list[PoolTask]) -> list[QueuedTask]:
    queue, _, _ = queue_of(context, run, tasks, embedder, embeddings(context))
    context.records.save_queue(run, queue)
    context.records.save_run(run)
    return queue


def audits(queue: list[QueuedTask]) -> list[int]:
    return [one.task for one in queue if one.audit]


def test_rounds_and_extensions_repeat_no_audit_task(context: Context, embedder: Embedder) -> None:
    first = next_queue(context, embedder, published(context, budget=8, audit=12), pool())
    slice_ = [one.task for one in audit.frozen(context.records, 1)]
    assert len(slice_) == 12
    assert audits(first) == slice_[:4]
    assert [one.rank for one in first] == list(range(1, 13))
    longer = next_queue(context, embedder, published(context, number=2, budget=12, audit=12, extends=1), pool())
    assert longer[:12] == first
    assert audits(longer) == slice_[:6]
    assert [one.rank for one in longer] == list(range(1, 19))
    done = {one.task for one in longer}
    rest = [PoolTask(one.task, one.uri, one.task in done) for one in pool()]
    second = next_queue(context, embedder, published(context, number=3, budget=6, audit=12), rest)
    assert audits(second) == slice_[6:9]
    everything = [one.task for one in [*longer, *second]]
    assert len(set(everything)) == len(everything)
    assert not set(slice_) & {one.task for one in [*longer, *second] if not one.audit}


def test_the_slice_is_drawn_once_whatever_is_asked_later(context: Context, embedder: Embedder) -> None:
    next_queue(context, embedder, published(context, budget=4), pool())
    assert audit.frozen(context.records, 1) == []
    next_queue(context, embedder, published(context, number=2, budget=4, audit=6), pool())
    slice_ = audit.frozen(context.records, 1)
    assert len(slice_) == 6
    next_queue(context, embedder, published(context, number=3, budget=4, audit=20, random_seed=5), pool())
    assert audit.frozen(context.records, 1) == slice_


def test_a_slice_as_large_as_the_pool_is_refused_and_binds_nobody(context: Context, embedder: Embedder) -> None:
    with pytest.raises(AuditExceedsPool):
        next_queue(context, embedder, published(context, budget=4, audit=200), pool())
    assert audit.frozen(context.records, 1) == []
    assert len(next_queue(context, embedder, published(context, number=2, budget=4, audit=10), pool())) == 6


@pytest.mark.parametrize("selector", OF_CLASSES)
def test_a_later_round_goes_by_the_heads_word(context: Context, selector: str) -> None:
    freeze(context, range(55, 61))
    made = a_head(context)
    run = published(context, number=2, budget=4, selector=selector, audit=6)
    queue, _, head = queue_of(context, run, pool(labelled=20), Named(FINGERPRINT), embeddings(context))
    assert head == made.name
    assert len(queue) == 6
    assert audits(queue) == [55, 56]
    assert not {one.task for one in queue} & set(range(1, 21))
    with pytest.raises(NoTrainedHead):
        queue_of(context, run, pool(labelled=20), Named("another"), embeddings(context))

"""The training loop on drawn shapes: it learns, it is reproducible, and a killed training loses nothing."""

from collections.abc import Callable
from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest
import torch
from shapes import drawn

from seedqueue.models.errors import TrainingDiverged
from seedqueue.models.heads.arithmetic import Arithmetic
from seedqueue.models.heads.augmentation import Augmentation
from seedqueue.models.heads.images import Floats, look
from seedqueue.models.heads.networks import unet_vgg11
from seedqueue.models.heads.predicting import probabilities
from seedqueue.models.heads.spec import Progress, Trained, TrainingSpec, honest, paper
from seedqueue.models.heads.training import Targets, Validation, train
from seedqueue.models.vision import normalised

SHAPES = drawn(48)
FULL = Arithmetic("cpu", "float32")


def small(seed: int = 0, pixels: int = 32 * 32) -> torch.nn.Module:
    """A network with everything that makes resuming hard: batch normalisation and dropout."""
    torch.manual_seed(seed)
    layers: list[torch.nn.Module] = []
    for before, after in ((3, 16), (16, 32), (32, 32)):
        layers += [torch.nn.Conv2d(before, after, 3, padding=1), torch.nn.BatchNorm2d(after), torch.nn.ReLU()]
        layers += [torch.nn.MaxPool2d(2)]
    ending = [torch.nn.Flatten(), torch.nn.Dropout(0.2), torch.nn.Linear(pixels // 2, 2)]
    return normalised(torch.nn.Sequential(*layers, *ending), look())


def same(one: torch.nn.Module, other: torch.nn.Module) -> bool:
    """Bit for bit."""
    states = one.state_dict(), other.state_dict()
    return all(torch.equal(states[0][name], states[1][name]) for name in states[0])


def accuracy(shown: Floats, targets: Targets) -> float:
    return float((shown.argmax(axis=1) == targets.argmax(axis=1)).mean())


def dice(shown: Floats, targets: Targets) -> float:
    found = shown >= 0.5
    return float(np.mean(2 * (found & targets).sum(axis=(1, 2, 3)) / (found.sum((1, 2, 3)) + targets.sum((1, 2, 3)))))


def test_one_class_an_image_is_learnt() -> None:
    network, test = small(), drawn(60, seed=1)
    spec = replace(honest("single", epochs=25), rate=3e-3)
    told: list[Progress] = []
    trained = train(network, SHAPES.pixels, SHAPES.classes, spec, report=told.append)
    assert accuracy(np.concatenate(list(probabilities(network, test.pixels, "single", FULL))), test.classes) > 0.85
    assert trained.losses[-1] < 0.6 * trained.losses[0]
    assert [each.epoch for each in told] == list(range(1, 26))
    assert tuple(each.loss for each in told) == trained.losses
    assert told[-1].seconds_left == 0
    assert (trained.epochs, trained.best, trained.resumed, trained.stopped) == (25, 25, 0, False)


def test_any_number_of_classes_is_learnt() -> None:
    # Each image is two halves, each with a shape: 0, 1 or 2 of the labels hold.
    test = drawn(120, seed=1)
    pixels = np.concatenate([test.pixels[:60], test.pixels[::-1][:60]], axis=3)
    labels = test.classes[:60] | test.classes[::-1][:60]
    labels[:10], pixels[:10] = False, 60
    network = small(pixels=2 * 32 * 32)
    trained = train(network, pixels, labels, replace(honest("multi", epochs=20), rate=3e-3))
    shown = np.concatenate(list(probabilities(network, pixels, "multi", FULL)))
    assert ((shown >= 0.5) == labels).mean() > 0.85
    assert trained.losses[-1] < trained.losses[0]


def test_masks_are_learnt() -> None:
    torch.manual_seed(0)
    network, test = unet_vgg11(1), drawn(12, seed=1)
    train(network, SHAPES.pixels[:24], SHAPES.masks[:24], honest("masks", epochs=8))
    assert dice(np.concatenate(list(probabilities(network, test.pixels, "masks", FULL))), test.masks) > 0.85


class Killed(Exception):
    """Stands for the end of a process."""


def kill_after(epochs: int) -> Callable[[Progress], None]:
    def report(progress: Progress) -> None:
        if progress.epoch == epochs:
            raise Killed

    return report


def halving() -> TrainingSpec:
    return replace(paper("single", epochs=6), rate=0.05, patience=1, stop_after=4)


@pytest.mark.parametrize("spec", [honest("single", epochs=6), halving()], ids=["honest", "paper"])
def test_a_killed_training_ends_with_the_same_weights(spec: TrainingSpec, tmp_path: Path) -> None:
    file, test = tmp_path / "kept" / "training.pt", drawn(20, seed=1)
    checked = Validation(test.pixels, test.classes, accuracy)

    def run(network: torch.nn.Module, report: Callable[[Progress], None], checkpoint: Path | None) -> Trained:
        chosen = checked if spec.keeps_best else None
        return train(
            network, SHAPES.pixels, SHAPES.classes, spec, validation=chosen, checkpoint=checkpoint, report=report
        )

    undisturbed, resumed = small(), small()
    whole = run(undisturbed, lambda progress: None, None)
    for epochs in (1, 3):
        with pytest.raises(Killed):
            run(small(), kill_after(epochs), file)
        torch.rand(7)  # another process has drawn other numbers
    told: list[Progress] = []
    trained = run(resumed, told.append, file)
    assert 1 <= trained.resumed <= 3
    assert told[0].epoch == trained.resumed + 1
    assert same(undisturbed, resumed)
    assert replace(trained, resumed=0) == whole
    # What is complete is not trained again.
    complete = small()
    assert run(complete, kill_after(6), file).resumed == whole.epochs
    assert same(complete, undisturbed)
    assert [each.name for each in file.parent.iterdir()] == ["training.pt"]


@pytest.mark.slow
def test_a_killed_segmenter_ends_with_the_same_weights(tmp_path: Path) -> None:
    def run(report: Callable[[Progress], None], checkpoint: Path | None) -> tuple[torch.nn.Module, Trained]:
        torch.manual_seed(0)
        network = unet_vgg11(1)
        spec = honest("masks", epochs=2)
        told = train(network, SHAPES.pixels[:4], SHAPES.masks[:4], spec, checkpoint=checkpoint, report=report)
        return network, told

    undisturbed, _ = run(lambda progress: None, None)
    with pytest.raises(Killed):
        run(kill_after(1), tmp_path / "training.pt")
    resumed, trained = run(lambda progress: None, tmp_path / "training.pt")
    assert trained.resumed == 1
    assert same(undisturbed, resumed)


def test_another_training_s_checkpoint_is_left_alone(tmp_path: Path) -> None:
    file, spec = tmp_path / "training.pt", honest("single", epochs=2)
    pixels, classes = SHAPES.pixels[:12], SHAPES.classes[:12]
    with pytest.raises(Killed):
        train(small(), pixels, classes, spec, checkpoint=file, report=kill_after(1))
    kept = file.read_bytes()

    def resumed(pixels: np.ndarray, classes: np.ndarray, spec: TrainingSpec, seed: int = 0) -> int:
        file.write_bytes(kept)
        return train(small(seed=seed), pixels, classes, spec, checkpoint=file).resumed

    assert resumed(pixels, classes, spec) == 1
    assert resumed(SHAPES.pixels[1:13], classes, spec) == 0
    assert resumed(pixels, classes[:, ::-1].copy(), spec) == 0
    assert resumed(pixels, classes, replace(spec, seed=1)) == 0
    assert resumed(pixels, classes, spec, seed=1) == 0  # other weights to begin with
    file.write_bytes(kept[: len(kept) // 2])
    assert train(small(), pixels, classes, spec, checkpoint=file).resumed == 0


def test_a_seed_gives_the_same_weights_whatever_was_drawn_before() -> None:
    found = []
    for seed, disturbance in ((0, 0), (0, 5), (1, 0)):
        network = small()
        torch.rand(disturbance)
        before = torch.random.get_rng_state()
        train(network, SHAPES.pixels[:12], SHAPES.classes[:12], honest("single", epochs=2, seed=seed))
        assert torch.equal(torch.random.get_rng_state(), before)
        found.append(network)
    assert same(found[0], found[1])
    assert not same(found[0], found[2])


def test_the_best_epoch_s_weights_are_kept_and_waiting_ends() -> None:
    scores = iter([0.1, 0.5, 0.4, float("nan"), 0.5, 0.9])
    seen: list[Floats] = []

    def score(shown: Floats, targets: Targets) -> float:
        seen.append(shown)
        return next(scores)

    network = small()
    spec = replace(paper("single", epochs=9), stop_after=3)
    checked = Validation(SHAPES.pixels[:4], SHAPES.classes[:4], score)
    trained = train(network, SHAPES.pixels[:12], SHAPES.classes[:12], spec, validation=checked)
    assert (trained.epochs, trained.best, trained.stopped) == (5, 2, False)
    shown = np.concatenate(list(probabilities(network, SHAPES.pixels[:4], "single", FULL)))
    distance = [np.abs(shown - each).max() for each in seen]
    assert np.argmin(distance) == 1


def test_halving_needs_a_validation_set() -> None:
    with pytest.raises(ValueError, match="validation"):
        train(small(), SHAPES.pixels, SHAPES.classes, paper("single"))


def test_a_training_can_be_stopped_and_goes_on_later(tmp_path: Path) -> None:
    file, spec, told = tmp_path / "training.pt", honest("single", epochs=3), []
    stopped = train(
        small(), SHAPES.pixels, SHAPES.classes, spec, checkpoint=file, report=told.append, stop=lambda: len(told) == 2
    )
    assert (stopped.stopped, stopped.epochs) == (True, 2)
    trained = train(small(), SHAPES.pixels, SHAPES.classes, spec, checkpoint=file)
    assert (trained.stopped, trained.epochs) == (False, 3)
    assert trained.resumed >= 1


def test_a_loss_that_is_no_number_ends_training() -> None:
    spec = replace(honest("single", epochs=20), optimiser="sgd", rate=1e30)
    with pytest.raises(TrainingDiverged, match="lower the rate") as caught:
        train(small(), SHAPES.pixels, SHAPES.classes, spec)
    assert caught.value.epoch >= 1
    assert not np.isfinite(caught.value.loss)


@pytest.mark.parametrize("n", [1, 2, 3, 9])
@pytest.mark.slow
def test_tiny_sets_train_a_network_with_batch_normalisation(n: int) -> None:
    # At side 32 the deepest features are one pixel: a batch of one image would have no variance.
    torch.manual_seed(0)
    network = unet_vgg11(1)
    spec = replace(honest("masks", epochs=1), batch=4)
    assert np.isfinite(train(network, SHAPES.pixels[:n], SHAPES.masks[:n], spec).losses).all()


def test_one_class_only_is_learnt_as_it_is() -> None:
    network, only = small(), SHAPES.classes[::2]
    trained = train(network, SHAPES.pixels[::2], only, replace(honest("single", epochs=8), rate=3e-3))
    shown = np.concatenate(list(probabilities(network, SHAPES.pixels[::2], "single", FULL)))
    assert np.isfinite(trained.losses).all()
    assert (shown[:, 0] > 0.9).all()


@pytest.mark.slow
def test_empty_masks_only_teach_emptiness() -> None:
    torch.manual_seed(0)
    network, none = unet_vgg11(1), np.zeros_like(SHAPES.masks[:8])
    trained = train(network, SHAPES.pixels[:8], none, honest("masks", epochs=30))
    assert np.isfinite(trained.losses).all()
    shown = np.concatenate(list(probabilities(network, SHAPES.pixels[:8], "masks", FULL)))
    assert (shown < 0.5).mean() > 0.99


@pytest.mark.slow
def test_half_precision_predicts_what_full_precision_does() -> None:
    torch.manual_seed(0)
    network = unet_vgg11(1)
    train(network, SHAPES.pixels[:8], SHAPES.masks[:8], honest("masks", epochs=3))
    full, half = (
        np.concatenate(list(probabilities(network, SHAPES.pixels, "masks", Arithmetic("cpu", name))))
        for name in ("float32", "bfloat16")
    )
    assert not np.array_equal(full, half)
    assert np.abs(full - half).mean() < 0.01
    assert ((full >= 0.5) == (half >= 0.5)).mean() > 0.99


def test_threads_are_given_back() -> None:
    before = torch.get_num_threads()
    within: list[int] = []
    train(
        small(),
        SHAPES.pixels[:4],
        SHAPES.classes[:4],
        replace(honest("single", epochs=1), augmentation=Augmentation.none()),
        report=lambda progress: within.append(torch.get_num_threads()),
        threads=before + 1,
    )
    assert within == [before + 1]
    assert torch.get_num_threads() == before

"""The losses: weighted cross-entropy, binary cross-entropy with weighted positives, Dice with binary cross-entropy."""

from collections.abc import Callable
from typing import TYPE_CHECKING

from seedqueue.models.heads.spec import TrainingSpec

if TYPE_CHECKING:
    import torch

    Loss = Callable[[torch.Tensor, torch.Tensor], torch.Tensor]

# Absent or very rare positives would otherwise weigh without bound.
_LARGEST_WEIGHT = 100.0


def loss_of(spec: TrainingSpec, targets: "torch.Tensor", device: str) -> "Loss":
    """The loss of logits and targets, its weights from the training set's targets."""
    from torch.nn.functional import binary_cross_entropy_with_logits, cross_entropy

    if spec.task == "single":
        weight = class_weights(targets).to(device)
        return lambda logits, wanted: cross_entropy(logits.float(), wanted.long().argmax(dim=1), weight=weight)
    if spec.task == "multi":
        positive = positive_weights(targets).to(device)
        return lambda logits, wanted: binary_cross_entropy_with_logits(
            logits.float(), wanted.float(), pos_weight=positive
        )
    return lambda logits, wanted: (
        spec.dice * dice_loss(logits.float(), wanted.float())
        + (1 - spec.dice) * binary_cross_entropy_with_logits(logits.float(), wanted.float())
    )


def class_weights(targets: "torch.Tensor") -> "torch.Tensor":
    """n / (classes present * count), (classes,), of bool (n, classes): each that occurs weighs the same in all."""
    import torch

    counts = targets.float().sum(dim=0)
    present = (counts > 0).sum()
    return torch.where(counts > 0, len(targets) / (present * counts.clamp(min=1)), 0.0)


def positive_weights(targets: "torch.Tensor") -> "torch.Tensor":
    """Negatives per positive for bool (n, labels), from 1/100 to 100: (labels,)."""
    positives = targets.float().sum(dim=0)
    return ((len(targets) - positives) / positives.clamp(min=1)).clamp(1 / _LARGEST_WEIGHT, _LARGEST_WEIGHT)


def dice_loss(logits: "torch.Tensor", wanted: "torch.Tensor") -> "torch.Tensor":
    """1 - the soft Dice coefficient, mean over the masks that are not empty; 0 where all are.

    (n, labels, h, w) both. Milletari et al., "V-Net", 1606.04797, without squares. Of an empty mask Dice only
    says that it is missed altogether, so that cross-entropy alone teaches emptiness.
    """
    likely = logits.sigmoid()
    both, size = (likely * wanted).sum(dim=(2, 3)), wanted.sum(dim=(2, 3))
    lost = 1 - (2 * both + 1) / (likely.sum(dim=(2, 3)) + size + 1)
    marked = (size > 0).float()
    return (lost * marked).sum() / marked.sum().clamp(min=1)

"""DINOv2: trained on 142 million photographs without labels.

Oquab et al., "DINOv2: Learning Robust Visual Features without Supervision", TMLR 2024.
"""

from pathlib import Path

from seedqueue.models import transformer, weights
from seedqueue.models.embedder import Embedder
from seedqueue.models.registry import register
from seedqueue.models.runtime import Runtime

_SIZES = ("small", "base", "large", "giant")


def _source(variant: str) -> weights.WeightsSource:
    return transformer.source(f"facebook/dinov2-{variant}", "Apache-2.0", preprocessor_optional=False)


@register(
    "dinov2",
    title="DINOv2",
    summary="Trained on photographs without labels; small, base, large or giant.",
    dimension=768,
    input="224 x 224, RGB (grey repeated), ImageNet mean and deviation",
    default_variant="base",
    variants=lambda: _SIZES,
    weights_source=_source,
    extra="hf",
    has_seen="LVD-142M, natural images",
)
def create(name: str, weights_folder: Path, runtime: Runtime) -> Embedder:
    """Load `dinov2:<size>`: the class token after the last norm, as `hf:facebook/dinov2-<size>` gives it."""
    return transformer.load(name, _source(name.partition(":")[2]), weights_folder, runtime)

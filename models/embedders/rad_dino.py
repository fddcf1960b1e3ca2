"""RAD-DINO: DINOv2 trained on chest X-rays.

Pérez-García et al., "Exploring scalable medical image encoders beyond text supervision",
Nature Machine Intelligence 2025 (arXiv 2401.10815).
"""

from pathlib import Path

from seedqueue.models import transformer
from seedqueue.models.embedder import Embedder
from seedqueue.models.registry import register
from seedqueue.models.runtime import Runtime

# Its mean and deviation are those of its own images: they come with it, in preprocessor_config.json.
_SOURCE = transformer.source(
    "microsoft/rad-dino",
    "MIT, formerly the Microsoft Research licence; meant for research (see its page)",
    preprocessor_optional=False,
)


@register(
    "rad-dino",
    title="RAD-DINO",
    summary="DINOv2 trained on chest X-rays without labels; large inputs make it slow.",
    dimension=768,
    input="518 x 518, RGB (grey repeated), its own mean and deviation",
    weights_source=lambda variant: _SOURCE,
    extra="hf",
    has_seen="chest radiographs: BRAX, CheXpert, MIMIC-CXR, NIH ChestX-ray14, PadChest",
)
def create(name: str, weights_folder: Path, runtime: Runtime) -> Embedder:
    """Load `rad-dino`: the class token after the last norm."""
    return transformer.load(name, _SOURCE, weights_folder, runtime)

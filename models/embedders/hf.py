"""Any vision model of Hugging Face's transformers, by its repository on huggingface.co.

Wolf et al., "Transformers: State-of-the-Art Natural Language Processing", EMNLP 2020.
"""

import re
from pathlib import Path

from seedqueue.models import transformer, weights
from seedqueue.models.embedder import Embedder
from seedqueue.models.errors import UnusableModel
from seedqueue.models.registry import register
from seedqueue.models.runtime import Runtime

# Never a path that leads out of the weights folder.
_REPOSITORY = re.compile(r"[A-Za-z0-9_][A-Za-z0-9._-]*/[A-Za-z0-9_][A-Za-z0-9._-]*")


def _source(variant: str) -> weights.WeightsSource:
    if not _REPOSITORY.fullmatch(variant):
        raise UnusableModel(
            f"hf:{variant}", "write org/repository as huggingface.co does, such as hf:facebook/dinov2-base"
        )
    return transformer.source(variant, "see the model's page", preprocessor_optional=True)


@register(
    "hf",
    title="Hugging Face",
    summary="Any vision model that transformers itself can build, by its repository on huggingface.co.",
    dimension=None,
    input="the model's own size, mean and deviation, RGB (grey repeated)",
    weights_source=_source,
    any_variant="its repository on huggingface.co, such as hf:facebook/dinov2-base",
    extra="hf",
)
def create(name: str, weights_folder: Path, runtime: Runtime) -> Embedder:
    """Load `hf:<org>/<repository>`; of a model of images and texts, the part that sees, before any projection."""
    return transformer.load(name, _source(name.partition(":")[2]), weights_folder, runtime)

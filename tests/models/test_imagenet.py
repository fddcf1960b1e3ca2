"""The ImageNet embedder against torchvision's own preprocessing and network."""

import re
from pathlib import Path

import numpy as np
import pytest
from PIL import Image

from seedqueue.models import registry
from seedqueue.models.embedder import embed_images
from seedqueue.models.errors import WeightsCorrupt
from seedqueue.models.runtime import Runtime

EXACT = Runtime(device="cpu", threads=1, precision="float32")


def pictures() -> list[Image.Image]:
    rng = np.random.default_rng(4)
    coarse = [rng.integers(0, 256, (9, 12, 3), dtype=np.uint8) for _ in range(3)]
    return [Image.fromarray(each).resize((300, 260), Image.Resampling.BICUBIC) for each in coarse]


def test_real_squeezenet_gives_what_torchvision_gives(real_weights: Path) -> None:
    import torch
    from torchvision import models, transforms

    network = models.squeezenet1_1(weights=None)
    network.load_state_dict(torch.load(real_weights / "squeezenet1_1_imagenet.pth", weights_only=True))
    standard = transforms.Compose(
        [
            transforms.Resize((224, 224)),
            transforms.ToTensor(),
            transforms.Normalize([0.485, 0.456, 0.406], [0.229, 0.224, 0.225]),
        ]
    )
    with torch.inference_mode():
        maps = network.eval().features(torch.stack([standard(each) for each in pictures()]))
        expected = maps.mean(dim=(2, 3)).numpy()
    embedder = registry.create("imagenet:squeezenet1_1", real_weights, EXACT)
    assert embedder.dimension == 512
    assert np.allclose(embed_images(embedder, pictures()), expected, rtol=1e-4, atol=1e-4)
    assert expected.std() > 0.1  # real weights: not nothing


@pytest.mark.parametrize(("variant", "last"), [("densenet121", "classifier"), ("resnet18", "fc")])
@pytest.mark.slow
def test_the_embedding_is_what_the_last_layer_sees(tmp_path: Path, variant: str, last: str) -> None:
    import torch
    from torchvision.models import get_model

    torch.manual_seed(0)
    network = get_model(variant, weights=None).eval()
    # Published DenseNet files write `norm.1` where the code says `norm1`.
    state = {
        re.sub(r"(denselayer\d+\.(?:norm|relu|conv))([12]\.)", r"\1.\2", key): value
        for key, value in network.state_dict().items()
    }
    assert (variant == "densenet121") == any(".norm.1." in key for key in state)
    torch.save(state, tmp_path / f"{variant}_imagenet.pth")
    embedder = registry.create(f"imagenet:{variant}", tmp_path, EXACT)
    inputs = np.stack([embedder.prepare(each) for each in pictures()])
    embeddings = embedder.embed(inputs)
    mean, deviation = (torch.tensor(each).reshape(3, 1, 1) for each in ((0.485, 0.456, 0.406), (0.229, 0.224, 0.225)))
    with torch.inference_mode():
        expected = network((torch.from_numpy(inputs) / 255 - mean) / deviation)
        scores = getattr(network, last)(torch.from_numpy(embeddings))
    assert embeddings.shape == (3, embedder.dimension)
    assert torch.allclose(scores, expected, rtol=1e-3, atol=1e-4)


@pytest.mark.parametrize("variant", ["vgg11", "mobilenet_v3_small", "vit_b_32", "swin_t", "shufflenet_v2_x0_5"])
@pytest.mark.slow
def test_other_families_lose_their_last_layer(variant: str) -> None:
    import torch
    from torchvision.models import get_model

    from seedqueue.models.embedders.imagenet import _headless

    model = get_model(variant, weights=None).eval()
    linear = [layer for layer in model.modules() if isinstance(layer, torch.nn.Linear)][-1]
    with torch.inference_mode():
        assert _headless(model)(torch.zeros(1, 3, 224, 224)).shape == (1, linear.in_features)


def test_a_file_under_torchvisions_name_is_checked_by_its_hash(tmp_path: Path) -> None:
    (tmp_path / "densenet121-a639ec97.pth").write_bytes(b"not this")
    with pytest.raises(WeightsCorrupt, match="a639ec97"):
        registry.create("imagenet", tmp_path)


def test_another_models_weights_are_refused(tmp_path: Path) -> None:
    import torch

    for content in ({"features.weight": torch.zeros(3)}, [1, 2], torch.zeros(2)):
        torch.save(content, tmp_path / "densenet121_imagenet.pth")
        with pytest.raises(WeightsCorrupt, match="torchvision's densenet121"):
            registry.create("imagenet", tmp_path)
    (tmp_path / "densenet121_imagenet.pth").write_bytes(b"garbage")
    with pytest.raises(WeightsCorrupt):
        registry.create("imagenet", tmp_path)

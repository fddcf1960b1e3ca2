"""Selectors and embedders as a paper defines them: one clause each, and whom to cite. What a plugin brings is told by
its own title and summary."""

from __future__ import annotations

from dataclasses import dataclass

from seedqueue.models import registry as embedders
from seedqueue.models.errors import UnknownEmbedder
from seedqueue.selectors import registry as selectors
from seedqueue.selectors.errors import UnknownSelector

_UNIT = "on embeddings standardised over the pool and scaled to unit length"


@dataclass(frozen=True)
class Definition:
    """title: its name in a sentence. clause: what it does, to follow a colon; empty where nothing is known of it."""

    title: str
    clause: str
    cites: tuple[str, ...] = ()


_SELECTORS = {
    "kmeans": Definition(
        "K-means initialisation",
        f"K-means clustering {_UNIT}, with one cluster for each image to be chosen and each labelled before; of every "
        "cluster without a labelled image the one nearest to the centroid within that cluster was taken",
        ("yuan2024", "arthur2007", "pedregosa2011"),
    ),
    "kmeans-paper": Definition(
        "K-means initialisation as published",
        "K-means clustering on embeddings standardised over the pool, with one cluster for each image to be chosen and "
        "each labelled before; of every cluster without a labelled image the one nearest to the centroid was taken",
        ("yuan2024", "arthur2007", "pedregosa2011"),
    ),
    "kmeans-nested": Definition(
        "nested K-means initialisation",
        "the images nearest to the centroids of K-means with 2, 3, 4 and more clusters on standardised embeddings, "
        "each image once",
        ("yuan2024", "arthur2007", "pedregosa2011"),
    ),
    "agglomerative": Definition(
        "Ward's hierarchical clustering",
        f"Ward's clusters {_UNIT}; of every cluster without a labelled image the one nearest to its mean was taken",
        ("ward1963", "yuan2024", "pedregosa2011"),
    ),
    "weak-label": Definition(
        "stratified K-means",
        f"K-means clustering {_UNIT} within the strata of a weak label; a stratum's share of the budget grew with the "
        "square root of its size",
        ("bankier1988", "arthur2007", "pedregosa2011"),
    ),
    "facility-location": Definition(
        "facility location",
        "greedy maximisation of the summed cosine similarity of every image to the nearest chosen or labelled one, "
        f"{_UNIT}",
        ("nemhauser1978", "krause2014"),
    ),
    "density-coverage": Definition(
        "density-weighted facility location",
        "greedy maximisation of the summed cosine similarity of every image to the nearest chosen or labelled one, "
        f"each image weighted by the density around it, {_UNIT}",
        ("settles2008", "krause2014"),
    ),
    "maxherding": Definition(
        "MaxHerding",
        f"greedy maximisation of the pool's coverage under a Gaussian kernel, {_UNIT}",
        ("bae2024",),
    ),
    "repdiv": Definition(
        "RepDiv",
        "70% of the images by facility location, the others by the largest distance to the nearest chosen one, "
        f"{_UNIT}",
        ("medcal2025", "krause2014"),
    ),
    "kcenter": Definition(
        "k-center greedy",
        f"again and again the image farthest from its nearest chosen or labelled one, {_UNIT}",
        ("sener2018",),
    ),
    "probcover": Definition(
        "ProbCover",
        "again and again the image whose ball of a fixed radius holds most uncovered images; the radius was the "
        f"largest at which at least 95% of the balls hold a single K-means pseudo-label, {_UNIT}",
        ("yehuda2022",),
    ),
    "typiclust": Definition(
        "TypiClust",
        "the most typical image, by the mean distance to its nearest 20 of the same cluster, of the K-means cluster "
        f"with the fewest labelled or chosen images, {_UNIT}",
        ("hacohen2022", "pedregosa2011"),
    ),
    "pseudo-margin": Definition(
        "label-free margin sampling",
        f"of every K-means cluster in turn the image nearest to belonging to another cluster, {_UNIT}",
        ("chen2022", "pedregosa2011"),
    ),
    "uniform": Definition("random sampling", "uniform random choice without replacement"),
    "entropy": Definition("entropy sampling", "the images of the largest predictive entropy", ("settles2009",)),
    "least-confidence": Definition(
        "least-confidence sampling", "the images whose most probable class was least probable", ("lewis1994",)
    ),
    "margin": Definition(
        "margin sampling",
        "the images of the smallest difference between the two most probable classes",
        ("scheffer2001",),
    ),
    "mc-dropout": Definition(
        "BALD", "the images of the largest mutual information between predictions under dropout", ("gal2017",)
    ),
    "badge": Definition(
        "BADGE", "k-means++ sampling on the gradient embeddings of the classifier's last layer", ("ash2020",)
    ),
    "cluster-margin": Definition(
        "Cluster-Margin",
        "in the order of the smallest margin between the two most probable classes, at most one image of every K-means "
        f"cluster, {_UNIT}",
        ("citovsky2021",),
    ),
    "dropquery": Definition(
        "DropQuery",
        f"the K-means medoids of the images whose predicted class did not withstand dropout, {_UNIT}",
        ("gupte2024",),
    ),
    "uncertainty-herding": Definition(
        "uncertainty herding",
        "greedy maximisation of the pool's coverage under a Gaussian kernel, each image weighted by the uncertainty of "
        f"its prediction, {_UNIT}",
        ("bae2025",),
    ),
    "pixel-entropy": Definition(
        "pixel-entropy sampling", "the images of the largest mean entropy over the pixels predicted as foreground"
    ),
    "pixel-disagreement": Definition(
        "mask-disagreement sampling", "the images whose masks predicted under dropout overlapped least", ("roy2019",)
    ),
}
_EMBEDDERS: dict[str, tuple[str, ...]] = {
    "txrv": ("cohen2022",),
    "imagenet": ("torchvision", "deng2009"),
    "dinov2": ("oquab2024",),
    "rad-dino": ("perezgarcia2025",),
    "remedis": ("azizi2023",),
    "cxrf": ("sellergren2022", "xu2023"),
    "timm": ("wightman2019",),
    "hf": ("wolf2020",),
    "onnx": ("onnx",),
    "hog": ("dalal2005",),
    "pixels": ("yuan2024",),
}
AUTOENCODER = "txrv:autoencoder-101-elastic"


def selector(name: str) -> Definition:
    if name in _SELECTORS:
        return _SELECTORS[name]
    try:
        entry = selectors.get(name)
    except UnknownSelector:
        return Definition(name, "")
    return Definition(entry.title, entry.summary.rstrip("."))


def embedder(name: str) -> Definition:
    """clause: what its weights had seen, "nothing" or "not known" where that is so."""
    try:
        entry = embedders.get(name)
    except UnknownEmbedder:
        return Definition(name, "not known")
    cites = _EMBEDDERS.get(entry.name, ()) + (("cohen2021",) if name == AUTOENCODER else ())
    return Definition(entry.title, _seen(name, entry.has_seen), cites)


def _seen(name: str, told: str) -> str:
    """Of a family whose variants saw different collections, what this variant did."""
    if not name.startswith("txrv:"):
        return told
    everything = told.partition(" (`all`)")[0]
    if name.endswith("-all"):
        return everything
    return "not known" if name == AUTOENCODER else "the chest radiographs of the collection in its name"

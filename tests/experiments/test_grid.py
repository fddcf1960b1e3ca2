"""What an experiment runs, as TOML and as it is typed."""

from __future__ import annotations

import json
from dataclasses import asdict, replace
from pathlib import Path

import drawn_pools
import pytest

from seedqueue.experiments.errors import InvalidGrid, UnknownArm
from seedqueue.experiments.grid import PAPER_BUDGETS, PoolSpec, grid_from, read_grid
from seedqueue.selectors.errors import UnknownSelector

ROOT = Path(__file__).parents[2]
LEAST = """
embedders = ["hog"]
[[pools]]
name = "busi"
images = "busi"
labels = "busi/labels.csv"
"""


def written(folder: Path, text: str) -> Path:
    path = folder / "mine.toml"
    path.write_text(text, encoding="utf-8")
    return path


def test_the_least_that_has_to_be_said(tmp_path: Path) -> None:
    grid = read_grid(written(tmp_path, LEAST))
    assert (grid.title, grid.question) == ("mine", "")
    assert grid.pools == (PoolSpec("busi", "busi", "busi/labels.csv"),)
    assert (grid.embedders, grid.selectors, grid.budgets) == (("hog",), ("uniform", "kmeans"), PAPER_BUDGETS)
    assert (grid.repeats, grid.draws, grid.heads, grid.protocol) == (20, 10, ("linear",), "honest")


def test_everything_else_is_a_key_of_that_name(tmp_path: Path) -> None:
    told = """
    title = "T"
    selectors = ["kmeans:pool=90", "uniform"]
    budgets = [40, 10]
    repeats = 3
    held_out = 0.5
    protocol = "paper"
    convergence = true
    features = "hog"
    [has_seen]
    mine = "nothing"
    """ + LEAST.replace('embedders = ["hog"]', "").replace("[[pools]]", "[[pools]]\npositive = ['malignant']")
    told = "embedders = ['hog', 'mine']\n" + told + "[pools.embeddings]\nmine = 'mine.npz'\n"
    grid = read_grid(written(tmp_path, told))
    assert grid.selectors == ("uniform", "kmeans:pool=90"), "the reference is first"
    assert grid.budgets == (10, 40), "and the budgets ascend"
    assert (grid.title, grid.repeats, grid.held_out, grid.protocol) == ("T", 3, 0.5, "paper")
    assert (grid.convergence, grid.features, grid.has_seen) == (True, "hog", {"mine": "nothing"})
    assert grid.pools[0].positive == ("malignant",)
    assert grid.pools[0].embeddings == {"mine": "mine.npz"}


def test_the_reference_is_added(tmp_path: Path) -> None:
    assert read_grid(written(tmp_path, "selectors = ['kmeans']" + LEAST)).selectors == ("uniform", "kmeans")


@pytest.mark.parametrize(
    ("line", "refusal"),
    [
        ("budget = [20]", "key is 'budget': "),
        ("budgets = 20", "budgets is 20: give a list of whole numbers"),
        ("budgets = ['20']", "budgets is ('20',): give a list of whole numbers"),
        ("budgets = []", "budgets is (): name at least one"),
        ("budgets = [20, 20]", "budgets is ['20', '20']: name each once"),
        ("budgets = [1, 20]", "budgets is (1, 20): give numbers from 2 on"),
        ("selectors = 'kmeans'", "selectors is 'kmeans': give a list of texts"),
        ("heads = ['forest']", "head is 'forest': there are linear, vgg11, unet-vgg11"),
        ("repeats = 1", "repeats is 1: give at least 2"),
        ("repeats = 2.5", "repeats is 2.5: give a whole number"),
        ("repeats = true", "repeats is True: give a whole number"),
        ("fixed_split = 'no'", "fixed_split is 'no': give true or false"),
        ("draws = 0", "draws is 0: give at least 1"),
        ("held_out = 1.5", "held_out is 1.5: give a share between 0 and 1"),
        ("validation = 0", "validation is 0: give a share between 0 and 1"),
        ("protocol = 'published'", "protocol is 'published': there are 'honest', 'paper'"),
        ("side = 50", "side is 50: give a multiple of 32 pixels"),
        ("has_seen = 'x'", "has_seen is 'x': give a table"),
        ("title = 3", "title is 3: give a text"),
        ("title = ", "configuration is "),
    ],
)
def test_a_wrong_line_is_told_with_its_value(line: str, refusal: str, tmp_path: Path) -> None:
    with pytest.raises(InvalidGrid) as caught:
        read_grid(written(tmp_path, line + LEAST))
    assert str(caught.value).startswith(f"The experiment's {refusal}")


@pytest.mark.parametrize(
    ("line", "refusal"),
    [
        ("image = 'x'", "key is 'image': "),
        ("near_duplicate = 3", "near_duplicate is 3: give a cosine from 0 (off) to 1"),
        ("task = 'boxes'", "task is 'boxes': there are '', 'classes', 'masks'"),
        ("positive = 'malignant'", "positive is 'malignant': give a list of texts"),
        ("[[pools]]", "configuration is "),
        ("[[pools]]\nname = 'busi'\nimages = 'a'\nlabels = 'b'", "pools is ['busi', 'busi']: name each once"),
    ],
)
def test_a_wrong_line_of_a_pool_is_told_with_its_value(line: str, refusal: str, tmp_path: Path) -> None:
    with pytest.raises(InvalidGrid) as caught:
        read_grid(written(tmp_path, LEAST + line))
    assert str(caught.value).startswith(f"The experiment's {refusal}")


@pytest.mark.parametrize("text", ["embedders = ['hog']", "embedders = ['hog']\npools = 'busi'", "embedders = []"])
def test_what_lacks_is_told(text: str, tmp_path: Path) -> None:
    with pytest.raises(InvalidGrid, match=r"pools is|embedders is"):
        read_grid(written(tmp_path, text))


def test_a_file_that_is_not_there_is_told_with_its_path(tmp_path: Path) -> None:
    with pytest.raises(InvalidGrid, match=r"absent.toml.*cannot be read"):
        read_grid(tmp_path / "absent.toml")


def test_arms_are_checked_before_anything_runs() -> None:
    with pytest.raises(UnknownArm, match="pool=x"):
        drawn_pools.grid(selectors=("kmeans:pool=x",))
    with pytest.raises(UnknownSelector, match="'best'"):
        drawn_pools.grid(selectors=("best",))
    with pytest.raises(InvalidGrid, match=r"'margin'.*linear head alone"):
        drawn_pools.grid(selectors=("margin",), heads=("vgg11",))


def test_precomputed_embeddings_are_of_the_pools_that_have_them() -> None:
    one = PoolSpec("one", "a", "b", embeddings={"mine": "x.npz"})
    two = PoolSpec("two", "a", "b")
    grid = drawn_pools.grid(pools=(one, two), embedders=("hog", "mine"))
    assert grid.embedders_of("one") == ("hog", "mine")
    assert grid.embedders_of("two") == ("hog",)
    with pytest.raises(InvalidGrid, match=r"embedders is \('mine',\).*'two'"):
        replace(grid, embedders=("mine",)).check()


def test_a_grid_survives_json() -> None:
    pool = PoolSpec("one", "a", "b", positive=("x",), embeddings={"mine": "x.npz"})
    grid = drawn_pools.grid(pools=(pool,), embedders=("hog", "mine"), has_seen={"mine": "all"})
    again = grid_from(json.loads(json.dumps(asdict(grid))), Path("grid.json"))
    assert asdict(again) == asdict(grid)


@pytest.mark.parametrize("path", sorted((ROOT / "docs" / "experiments").glob("*.toml")), ids=lambda path: path.stem)
def test_the_configurations_of_the_repository_are_read(path: Path) -> None:
    assert read_grid(path).pools


def test_an_unknown_metric_is_refused() -> None:
    with pytest.raises(InvalidGrid, match="'aurco': there are auprc,"):
        drawn_pools.grid(metrics=("aurco",))

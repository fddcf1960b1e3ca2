"""Weights that somebody downloaded: found in a file or folder, checked, copied to their names, recorded."""

from pathlib import Path

import pytest
from weights_family import CONTENT, DIGEST, sha256, source

from seedqueue.models import weights
from seedqueue.models.adding import add
from seedqueue.models.errors import WeightsCorrupt, WeightsFolderUnusable, WeightsNotAdded
from seedqueue.models.weights import WeightsFile

SINGLE = source(WeightsFile("hub/net.safetensors", None, also=("hub/net.bin",)), WeightsFile("hub/more.json", None))
ONE = source(WeightsFile("net.pth", None, also=("own.pth", "net.bin")), WeightsFile("net.json", None, optional=True))
GRAPH, INDEX = "net/graph/saved_model.pb", "net/graph/variables/index"
SEVERAL = source(WeightsFile(GRAPH, None), WeightsFile(INDEX, None), WeightsFile("net/more", None, optional=True))


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    return tmp_path / "weights"


def put(folder: Path, *names: str) -> Path:
    for name in names:
        (folder / name).parent.mkdir(parents=True, exist_ok=True)
        (folder / name).write_bytes(name.rpartition("/")[2].encode())
    return folder


def held(folder: Path) -> dict[str, bytes]:
    """The folder's files but for its SHA256SUMS."""
    files = [path for path in folder.rglob("*") if path.is_file() and path.name != "SHA256SUMS"]
    return {path.relative_to(folder).as_posix(): path.read_bytes() for path in files}


@pytest.mark.parametrize(
    ("given", "name"), [("downloaded.pth", "net.pth"), ("own.pth", "own.pth"), ("pytorch_model.bin", "net.bin")]
)
def test_a_file_is_copied_to_the_accepted_name_of_its_kind(tmp_path: Path, folder: Path, given: str, name: str) -> None:
    (tmp_path / given).write_bytes(CONTENT)
    (folder).mkdir()
    (folder / "SHA256SUMS").write_text(f"{'0' * 64}  {name}\n")  # of what it replaces
    assert add(folder, ONE, tmp_path / given) == (folder / name,)
    assert held(folder) == {name: CONTENT}
    assert weights.listed(folder) == {name: DIGEST}
    assert (tmp_path / given).exists()
    assert weights.require(folder, ONE, "one").sha256 == DIGEST


@pytest.mark.parametrize("given", ["", "net", "net/graph"], ids=["named", "within net", "within graph"])
def test_a_folder_is_searched_with_and_without_the_leading_folders(tmp_path: Path, folder: Path, given: str) -> None:
    download = put(tmp_path / "download", GRAPH, INDEX, "net/README.md")
    placed = add(folder, SEVERAL, download / given)
    assert placed == (folder / GRAPH, folder / INDEX)
    assert held(folder) == {GRAPH: b"saved_model.pb", INDEX: b"index"}
    assert weights.listed(folder) == {GRAPH: sha256(b"saved_model.pb"), INDEX: sha256(b"index")}


def test_an_optional_file_comes_along(tmp_path: Path, folder: Path) -> None:
    add(folder, SEVERAL, put(tmp_path / "download", GRAPH, INDEX, "net/more"))
    assert set(held(folder)) == {GRAPH, INDEX, "net/more"}


def test_a_snapshot_of_the_hub_is_links(tmp_path: Path, folder: Path) -> None:
    blobs = put(tmp_path / "models--org--net" / "blobs", "1", "2")
    snapshot = tmp_path / "models--org--net" / "snapshots" / "main"
    snapshot.mkdir(parents=True)
    for blob, name in (("1", "net.bin"), ("2", "more.json")):
        (snapshot / name).symlink_to(blobs / blob)
    assert add(folder, SINGLE, snapshot) == (folder / "hub" / "net.bin", folder / "hub" / "more.json")
    assert held(folder) == {"hub/net.bin": b"1", "hub/more.json": b"2"}
    assert not any(path.is_symlink() for path in folder.rglob("*"))


def test_what_is_in_place_already_can_be_added(folder: Path) -> None:
    put(folder, GRAPH, INDEX)
    assert add(folder, SEVERAL, folder) == (folder / GRAPH, folder / INDEX)
    assert set(weights.listed(folder)) == {GRAPH, INDEX}


def test_what_is_not_there(tmp_path: Path, folder: Path) -> None:
    for absent in (tmp_path / "absent", tmp_path / "absent.pth"):
        with pytest.raises(WeightsNotAdded, match=f"nothing was added: {absent} does not exist"):
            add(folder, SEVERAL, absent)
    with pytest.raises(WeightsNotAdded, match=f"does not hold {INDEX}, nor"):
        add(folder, SEVERAL, put(tmp_path / "half", GRAPH))
    with pytest.raises(WeightsNotAdded, match=f"does not hold {GRAPH}, {INDEX}, nor"):
        add(folder, SEVERAL, put(tmp_path / "other", "README.md"))
    with pytest.raises(WeightsNotAdded, match=f"is one file, and 2 are needed: give the folder that holds {GRAPH}"):
        add(folder, SEVERAL, put(tmp_path, "saved_model.pb") / "saved_model.pb")
    with pytest.raises(WeightsNotAdded, match=r"is of another kind than what is read: net\.pth, own\.pth, net\.bin"):
        add(folder, ONE, put(tmp_path, "net.safetensors") / "net.safetensors")
    assert not folder.exists()


def test_one_of_two_networks_is_not_taken_for_both(tmp_path: Path, folder: Path) -> None:
    both = source(WeightsFile("net/eye/graph.pb", None), WeightsFile("net/ear/graph.pb", None))
    download = put(tmp_path / "net", "eye/graph.pb", "ear/graph.pb")
    with pytest.raises(WeightsNotAdded, match="give the folder that holds them all"):
        add(folder, both, download / "eye")
    assert len(add(folder, both, download)) == 2


def test_a_wrong_checksum_puts_nothing_in_place(tmp_path: Path, folder: Path) -> None:
    files = [WeightsFile(GRAPH, None), WeightsFile(INDEX, None, sha256="00000000")]
    put(folder, GRAPH)
    (folder / GRAPH).write_bytes(b"as before")
    download = put(tmp_path / "download", GRAPH, INDEX)
    with pytest.raises(WeightsCorrupt, match=f"found {sha256(b'index')}; nothing was added") as caught:
        add(folder, source(*files), download)
    assert caught.value.file == download / INDEX
    assert held(folder) == {GRAPH: b"as before"}
    assert [path.name for path in folder.iterdir()] == ["net"]


def test_a_file_that_another_would_hide(tmp_path: Path, folder: Path) -> None:
    put(folder, "net.pth")
    own = put(tmp_path, "own.pth") / "own.pth"
    with pytest.raises(WeightsNotAdded, match=f"would not be used while {folder / 'net.pth'} is there"):
        add(folder, ONE, own)
    (folder / "net.pth").unlink()
    put(folder, "net.bin")  # comes after own.pth
    assert add(folder, ONE, own) == (folder / "own.pth",)


def test_a_folder_that_cannot_be_written_is_named(tmp_path: Path) -> None:
    put(tmp_path, "net.pth", "weights")
    with pytest.raises(WeightsFolderUnusable, match="File exists"):
        add(tmp_path / "weights", ONE, tmp_path / "net.pth")

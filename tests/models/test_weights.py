"""Weight files: where they are looked for, what they are checked against, what they may be called."""

from pathlib import Path

import pytest
from weights_family import CONTENT, DIGEST, sha256, source

from seedqueue.models import weights
from seedqueue.models.errors import WeightsCorrupt, WeightsFolderUnusable, WeightsMissing, WeightsOutside
from seedqueue.models.weights import WeightsFile

ONE = WeightsFile("a.pth", "https://example.org/a.pth", also=("b.pth",))


def test_the_first_of_the_accepted_names_that_is_there(tmp_path: Path) -> None:
    assert weights.find(tmp_path, ONE) is None
    for name in ("b.pth", "a.pth"):
        (tmp_path / name).write_bytes(CONTENT)
        assert weights.find(tmp_path, ONE) == tmp_path / name
        assert weights.require(tmp_path, source(ONE), "one") == weights.Found({"a.pth": tmp_path / name}, DIGEST)


def test_missing_weights_name_file_folder_and_command(tmp_path: Path) -> None:
    with pytest.raises(WeightsMissing, match=r"a\.pth are not in .* run `seedqueue weights fetch one`, or") as caught:
        weights.require(tmp_path, source(ONE), "one")
    assert (caught.value.file, caught.value.folder) == ("a.pth", tmp_path)
    gated = source(ONE, gate="accept the terms")
    with pytest.raises(WeightsMissing, match=r"fetch one` \(first: accept the terms, see https://example.org/weights"):
        weights.require(tmp_path, gated, "one")
    with pytest.raises(WeightsMissing, match=r"c\.pb are not .* run `seedqueue weights add one PATH`"):
        weights.require(tmp_path, source(WeightsFile("c.pb", None)), "one")


def test_a_person_is_needed_for_what_has_no_address_and_must_be_there() -> None:
    by_hand, extra = WeightsFile("b.pb", None), WeightsFile("c.json", None, optional=True)
    assert source(ONE, extra).command("one") == "seedqueue weights fetch one"
    assert source(ONE, by_hand).command("one") == "seedqueue weights add one PATH"


def test_all_files_make_one_digest_and_optional_ones_count_when_there(tmp_path: Path) -> None:
    several = source(ONE, WeightsFile("d/c.json", None, optional=True))
    (tmp_path / "a.pth").write_bytes(CONTENT)
    alone = weights.require(tmp_path, several, "one")
    (tmp_path / "d").mkdir()
    (tmp_path / "d" / "c.json").write_bytes(b"{}")
    both = weights.require(tmp_path, several, "one")
    assert alone.sha256 == DIGEST
    assert both.sha256 == sha256(f"{DIGEST}\n{sha256(b'{}')}".encode())
    assert set(both.paths) == {"a.pth", "d/c.json"}


def test_a_changed_file_has_another_hash(tmp_path: Path) -> None:
    file = tmp_path / "w"
    file.write_bytes(CONTENT)
    assert weights.sha256_file(file) == DIGEST
    file.write_bytes(b"other")
    assert weights.sha256_file(file) == sha256(b"other")


def test_a_file_is_checked_against_what_is_published_and_what_is_listed(tmp_path: Path) -> None:
    file = tmp_path / "sub" / "w.pth"
    file.parent.mkdir()
    file.write_bytes(CONTENT)
    assert weights.verify(tmp_path, file, DIGEST[:8].upper()) == DIGEST
    with pytest.raises(WeightsCorrupt) as caught:
        weights.verify(tmp_path, file, "00000000")
    assert (caught.value.expected, caught.value.actual) == ("a SHA-256 of 00000000", DIGEST)
    lines = f"# what sha256sum wrote\n{'1' * 64}  other.pth\n{DIGEST.upper()} *./sub/w.pth\n"
    (tmp_path / "SHA256SUMS").write_text(lines, encoding="utf-8")
    assert set(weights.listed(tmp_path)) == {"other.pth", "sub/w.pth"}
    weights.verify(tmp_path, file)
    file.write_bytes(b"changed")
    with pytest.raises(WeightsCorrupt, match=f"expected a SHA-256 of {DIGEST}, found {sha256(b'changed')}"):
        weights.verify(tmp_path, file)


def test_the_digest_in_a_name_counts(tmp_path: Path) -> None:
    right, wrong = tmp_path / f"net-{DIGEST[:8]}.pth", tmp_path / "net-00000000.pth"
    for file in (right, wrong):
        file.write_bytes(CONTENT)
    assert weights.verify(tmp_path, right) == DIGEST
    with pytest.raises(WeightsCorrupt, match="a SHA-256 of 00000000"):
        weights.verify(tmp_path, wrong)


def test_a_list_that_is_no_text_lists_nothing(tmp_path: Path) -> None:
    (tmp_path / "SHA256SUMS").write_bytes(b"\xff\xfe\x00\n\n   \nword\n")
    (tmp_path / "a.pth").write_bytes(CONTENT)
    assert weights.require(tmp_path, source(ONE), "one").sha256 == DIGEST


@pytest.mark.parametrize(
    "name", ["../w.pth", "a/../../w.pth", "/etc/passwd", "C:/w.pth", "a\\..\\w.pth", "", ".", "\0"]
)
def test_no_name_leads_out_of_the_folder(name: str) -> None:
    with pytest.raises(WeightsOutside, match="is not within the weights folder"):
        WeightsFile(name, None)
    with pytest.raises(WeightsOutside):
        WeightsFile("w.pth", None, also=("v.pth", name))


@pytest.mark.skipif(not Path("/proc/self/mem").is_file(), reason="needs a file that even root cannot read from")
def test_a_file_that_cannot_be_read_is_named(tmp_path: Path) -> None:
    (tmp_path / "a.pth").symlink_to("/proc/self/mem")
    with pytest.raises(WeightsFolderUnusable, match="set SEEDQUEUE_WEIGHTS to another") as caught:
        weights.require(tmp_path, source(ONE), "one")
    assert str(tmp_path) in str(caught.value)

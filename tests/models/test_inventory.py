"""What is in the weights folder, told of families and variants."""

from pathlib import Path

import pytest
from weights_family import CONTENT, DIGEST, register, source

from seedqueue.models import inventory, registry
from seedqueue.models.errors import ExtraMissing, NoWeightsNeeded, UnknownEmbedder
from seedqueue.models.inventory import WeightsState
from seedqueue.models.weights import WeightsFile, WeightsSource

TWO = source(WeightsFile("two/a", "https://example.org/a"), WeightsFile("two/b", "https://example.org/b"))


@pytest.fixture(autouse=True)
def _families(monkeypatch: pytest.MonkeyPatch) -> None:
    """A registry with nothing but these."""
    registry.names()
    monkeypatch.setattr(registry, "_entries", {})
    register("two", TWO)


def register_variants(name: str, *variants: str, default: str | None, **more: str) -> None:
    def of(variant: str) -> WeightsSource:
        return source(WeightsFile(f"{name}/{variant}.pth", None, sha256=DIGEST[:8]))

    registry.register(
        name,
        title=name,
        summary="V.",
        dimension=1,
        input="any",
        default_variant=default,
        variants=lambda: variants,
        weights_source=of,
        **more,
    )(registry.create)  # type: ignore[arg-type]


def only(states: tuple[WeightsState, ...]) -> WeightsState:
    [state] = states
    return state


def test_no_partly_yes_damaged(tmp_path: Path) -> None:
    def state() -> tuple[str | None, int | None]:
        found = only(inventory.of(tmp_path, "two"))
        assert inventory.every(tmp_path) == (found,)
        return found.present, found.size

    assert state() == ("no", None)
    (tmp_path / "two").mkdir()
    (tmp_path / "two" / "a").write_bytes(b"12")
    assert state() == ("partly", None)
    (tmp_path / "two" / "b").write_bytes(b"345")
    assert state() == ("yes", 5)
    (tmp_path / "SHA256SUMS").write_text(f"{'0' * 64}  two/b\n")
    assert state() == ("damaged", 5)
    a, b = only(inventory.of(tmp_path, "two")).files
    assert (a.fault, b.path) == (None, tmp_path / "two" / "b")
    assert b.fault == f"expected a SHA-256 of {'0' * 64}, found {b.sha256}"


def test_the_published_size_counts_and_an_optional_file_only_when_it_is_there(tmp_path: Path) -> None:
    register("sized", source(WeightsFile("a", None, size=7), WeightsFile("b", None, size=2, optional=True)))
    assert only(inventory.of(tmp_path, "sized")).size == 7
    (tmp_path / "b").write_bytes(b"12")
    found = only(inventory.of(tmp_path, "sized"))
    assert (found.size, found.present, found.command) == (9, "partly", "seedqueue weights add sized PATH")
    (tmp_path / "a").write_bytes(b"")
    (tmp_path / "b").unlink()
    assert only(inventory.of(tmp_path, "sized")).present == "yes"


def test_the_usual_variant_and_those_that_are_there(tmp_path: Path) -> None:
    register_variants("many", "a", "b", "c", default="b")
    (tmp_path / "many").mkdir()
    (tmp_path / "many" / "c.pth").write_bytes(CONTENT)
    found = {state.embedder: state.present for state in inventory.every(tmp_path)}
    assert found == {"many:b": "no", "many:c": "yes", "two": "no"}
    assert [state.embedder for state in inventory.of(tmp_path, "many")] == ["many:b", "many:a", "many:c"]
    assert [state.embedder for state in inventory.of(tmp_path, "many:a")] == ["many:a"]
    (tmp_path / "many" / "a.pth").write_bytes(b"other")
    assert only(inventory.of(tmp_path, "many:a")).present == "damaged"


def test_a_family_without_a_usual_variant_has_a_line(tmp_path: Path) -> None:
    register_variants("many", "a", default=None)
    many, _ = inventory.every(tmp_path)
    assert (many.embedder, many.present, many.hint) == ("many", None, "see seedqueue weights list many")


def test_a_family_of_any_model_has_its_hint(tmp_path: Path) -> None:
    register("any", TWO, any_variant="its name, such as any:thing")
    for states in (inventory.every(tmp_path)[:1], inventory.of(tmp_path, "any")):
        assert states == (WeightsState("any", hint="any model: its name, such as any:thing"),)
    named = only(inventory.of(tmp_path, "any:thing"))
    assert (named.embedder, named.source) == ("any:thing", TWO)


def test_a_family_whose_extra_is_not_installed_is_listed_with_it(tmp_path: Path) -> None:
    def missing(variant: str) -> WeightsSource:
        raise ExtraMissing(f"extra:{variant}", "somelib", "some")

    registry.register(
        "extra",
        title="E",
        summary="E.",
        dimension=1,
        input="any",
        default_variant="x",
        variants=lambda: ("x",),
        weights_source=missing,
        extra="some",
    )(registry.create)  # type: ignore[arg-type]
    extra, two = inventory.every(tmp_path)
    assert (extra.embedder, extra.extra, extra.present, two.embedder) == ("extra", "some", None, "two")
    assert "pip install 'seedqueue[some]'" in str(extra.hint)


def test_what_has_no_weights_or_no_name(tmp_path: Path) -> None:
    registry.register("none", title="N", summary="N.", dimension=1, input="any")(registry.create)  # type: ignore[arg-type]
    assert [state.embedder for state in inventory.every(tmp_path)] == ["two"]
    with pytest.raises(NoWeightsNeeded):
        inventory.of(tmp_path, "none")
    with pytest.raises(UnknownEmbedder, match=r"did you mean two\?"):
        inventory.of(tmp_path, "tow")

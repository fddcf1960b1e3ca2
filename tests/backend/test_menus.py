"""Menus: every registered thing stands there with a sentence, and says what it lacks."""

from pathlib import Path

from seedqueue.backend import menus
from seedqueue.backend.settings import Settings
from seedqueue.models import registry as embedders
from seedqueue.selectors import registry as selectors


def test_embedders_without_weights_can_be_chosen_and_others_say_what_is_missing(tmp_path: Path) -> None:
    found = {item.name: item for item in menus.embedder_menu(Settings(weights=tmp_path))}
    assert next(iter(found)) == "txrv:densenet121-res224-all"  # the default stands first
    assert found["hog"].available
    txrv = found["txrv:densenet121-res224-all"]
    assert not txrv.available
    assert "seedqueue weights fetch txrv" in txrv.missing
    families = {name.partition(":")[0] for name in found}
    assert families == {entry.name for entry in embedders.entries() if not entry.any_variant}
    assert all(item.sentence for item in found.values())


def test_the_embedder_of_the_settings_is_in_the_menu_whatever_it_is(tmp_path: Path) -> None:
    [first, *_] = menus.embedder_menu(Settings(weights=tmp_path, embedder="timm:resnet18"))
    assert first.name == "timm:resnet18"
    [first, *_] = menus.embedder_menu(Settings(weights=tmp_path, embedder="nonsense"))
    assert (first.available, "nonsense" in first.missing) == (False, True)


def test_selectors() -> None:
    seed = [item.name for item in menus.selector_menu(first_round=True)]
    assert set(seed) == {entry.name for entry in selectors.entries() if entry.offered and entry.first_round}
    later = [item.name for item in menus.selector_menu(first_round=False)]
    assert not selectors.get(later[0]).first_round  # those that go by a head come first
    assert set(seed) < set(later)

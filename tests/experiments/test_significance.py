"""The arithmetic against values worked out by hand, and how cells become comparisons."""

import math
from dataclasses import replace

import numpy as np
import planted_cells
import pytest

from seedqueue.experiments import spread
from seedqueue.experiments.cells import NO_EMBEDDER, Cell
from seedqueue.experiments.comparisons import Findings
from seedqueue.experiments.errors import PoolUnusable
from seedqueue.experiments.saving import saving
from seedqueue.experiments.series import ALL_TARGETS, Key
from seedqueue.experiments.significance import area, corrected, holm, jaccard, labels_for, monotone
from seedqueue.experiments.study import Study

KMEANS = Key("planted", "lesion", "linear", "pixels", "kmeans")


def test_nadeau_and_bengio_by_hand() -> None:
    """s^2 = 2.5, so the error is sqrt((1/5 + 1/2) 2.5), t = 2.2678; with 4 degrees Student's p has a closed form."""
    found = corrected(np.array([1.0, 2.0, 3.0, 4.0, 5.0]), 0.5)
    assert found.mean == 3
    assert found.error == pytest.approx(math.sqrt(1.75))
    assert found.high - found.mean == pytest.approx(2.776445 * math.sqrt(1.75), rel=1e-6)
    assert found.mean - found.low == pytest.approx(found.high - found.mean)
    assert found.p == pytest.approx(0.0859375)
    assert found.repeats == 5


def test_on_a_fixed_split_nothing_is_added() -> None:
    found = corrected(np.array([1.0, 2.0, 3.0, 4.0, 5.0]), None)
    assert found.error == pytest.approx(math.sqrt(0.5))


def test_what_is_not_defined_is_left_out_and_one_pair_has_no_interval() -> None:
    assert corrected(np.array([1.0, math.nan, 3.0]), None).repeats == 2
    alone = corrected(np.array([math.nan, 2.0]), 0.5)
    assert (alone.mean, alone.repeats) == (2.0, 1)
    assert math.isnan(alone.low)
    assert math.isnan(alone.p)
    assert math.isnan(corrected(np.array([math.nan]), 0.5).mean)


def test_pairs_that_are_all_equal() -> None:
    assert corrected(np.zeros(4), 0.5).p == 1
    assert corrected(np.full(4, 0.25), 0.5).p == 0


def test_holm_by_hand() -> None:
    assert holm([0.01, 0.04, 0.03, 0.005]) == pytest.approx([0.03, 0.06, 0.06, 0.02])
    assert holm([0.6, 0.5]) == pytest.approx([1.0, 1.0])
    assert holm([]) == []


def test_holm_does_not_count_what_was_not_measured() -> None:
    found = holm([0.01, math.nan, 0.02])
    assert found[0] == pytest.approx(0.02)
    assert math.isnan(found[1])


def test_area_by_hand() -> None:
    """Trapezoids of 20 and of 60: (0.5 x 20 + 0.7 x 60) / 80."""
    values = np.array([[0.4, 1.0], [0.6, math.nan], [0.8, 1.0]])
    found = area([20, 40, 100], values)
    assert found[0] == pytest.approx(0.65)
    assert math.isnan(found[1])
    assert area([20], values[:1]).tolist() == [0.4, 1.0]


def test_a_curve_that_falls_is_made_level() -> None:
    assert monotone([20, 40, 60], np.array([0.2, 0.5, 0.3])).tolist() == pytest.approx([0.2, 0.4, 0.4])


def test_labels_for_a_value() -> None:
    budgets, curve = [20, 40, 60, 80], np.array([0.2, 0.4, 0.4, 0.8])
    assert labels_for(budgets, curve, 0.3) == pytest.approx(30)
    assert labels_for(budgets, curve, 0.6) == pytest.approx(70)
    assert labels_for(budgets, curve, 0.4) == 40
    assert labels_for(budgets, curve, 0.4, most=True) == 60
    assert labels_for(budgets, curve, 0.8) == labels_for(budgets, curve, 0.8, most=True) == 80
    assert labels_for(budgets, curve, 0.2) == 20
    assert labels_for(budgets, curve, 0.1) == -math.inf
    assert labels_for(budgets, curve, 0.9) == math.inf


def test_jaccard_by_hand() -> None:
    assert jaccard([frozenset({1, 2}), frozenset({2, 3}), frozenset({1, 2})]) == pytest.approx((1 / 3 + 1 + 1 / 3) / 3)
    assert math.isnan(jaccard([frozenset({1})]))


@pytest.mark.parametrize(("gain", "told"), [(0.05, "60"), (0.0, "40"), (-0.025, "30"), (0.2, "> 100"), (-0.2, "< 20")])
def test_label_saving_on_a_straight_line(gain: float, told: str) -> None:
    """Random gains 0.0025 a label, so 0.05 are 20 labels."""
    findings = Findings(planted_cells.study({"kmeans": gain}, noise=1e-9))
    found = saving(findings, findings.series[KMEANS])
    assert found is not None
    assert found.budget == 40
    assert found.told(found.labels) == told


def test_label_saving_has_the_interval_of_the_difference() -> None:
    findings = Findings(planted_cells.study({"kmeans": 0.05}, noise=0.02))
    one = findings.series[KMEANS]
    found, reference = saving(findings, one), findings.reference(KMEANS)
    assert found is not None
    assert reference is not None
    gain = findings.gain(one, reference, 40, "auprc")
    assert found.low < found.labels < found.high
    # 0.0025 a label, as far as the noise of random's own curve lets it be.
    assert found.high - found.low == pytest.approx((gain.high - gain.low) / 0.0025, rel=0.2)


def test_the_paired_difference_ignores_how_hard_a_split_is() -> None:
    """The splits' own level varies by 0.02; without noise the differences do not."""
    findings = Findings(planted_cells.study({"kmeans": 0.03}, noise=1e-9))
    found = findings.against_random(KMEANS)
    assert found is not None
    assert found.difference.mean == pytest.approx(0.03)
    assert found.difference.error < 1e-8
    assert found.endpoint
    assert math.isnan(found.holm)


def test_the_ratio_is_that_of_the_pool() -> None:
    study = planted_cells.study({"kmeans": 0.03})
    assert Findings(study).ratio(KMEANS) == 0.5
    assert Findings(replace(study, facts=[planted_cells.facts(fixed_split=True)])).ratio(KMEANS) is None
    assert Findings(replace(study, grid=replace(study.grid, fixed_split=True))).ratio(KMEANS) is None


def test_several_targets_of_a_pool_are_one_pool() -> None:
    cells = [
        *planted_cells.cells({"kmeans": 0.02}, noise=1e-9),
        *planted_cells.cells({"kmeans": 0.06}, target="normal", noise=1e-9, seed=1),
    ]
    facts = [planted_cells.facts(), planted_cells.facts(target="normal")]
    findings = Findings(Study(planted_cells.grid(("kmeans",)), cells, facts))
    found = findings.against_random(replace(KMEANS, target=ALL_TARGETS))
    assert found is not None
    assert found.difference.mean == pytest.approx(0.04)
    assert [each.key.target for each in findings.comparisons if each.endpoint] == [ALL_TARGETS]
    # The two targets are what is left, and share Holm's correction.
    assert sorted(each.key.target for each in findings.comparisons if not math.isnan(each.holm)) == ["lesion", "normal"]


def test_all_targets_draws_vary_as_their_mean_does() -> None:
    """Two targets whose draws are opposite: in the mean of a draw they cancel."""
    study = planted_cells.study({"kmeans": 0.0}, draws=4)
    other = [replace(cell, target="normal", metrics={"auprc": 1 - cell.metrics["auprc"]}) for cell in study.cells]
    facts = [planted_cells.facts(), planted_cells.facts(target="normal")]
    findings = Findings(replace(study, cells=[*study.cells, *other], facts=facts))
    reference = replace(KMEANS, selector="uniform")
    assert spread.over_draws(findings.series[reference], 60, "auprc") > 0.005
    pooled = findings.series[replace(reference, target=ALL_TARGETS)]
    assert spread.over_draws(pooled, 60, "auprc") == pytest.approx(0, abs=1e-9)
    assert spread.of_one_queue(pooled, 60, "auprc") == pytest.approx(0, abs=1e-9)


def test_no_gain_on_a_level_curve_is_worth_the_budget_itself() -> None:
    """Random is level from 20 to 60, so that 20 and 60 reach as much as 40 do."""
    study = planted_cells.study({"kmeans": 0.0}, noise=0.0, draws=1)
    first = {cell.repeat: cell.metrics for cell in study.cells if (cell.selector, cell.budget) == ("uniform", 20)}
    level = [replace(cell, metrics=first[cell.repeat]) if cell.budget <= 60 else cell for cell in study.cells]
    findings = Findings(replace(study, cells=level))
    found = saving(findings, findings.series[KMEANS])
    assert found is not None
    assert (found.labels, found.low, found.high) == (40, 20, 60)


def test_elsewhere_on_a_level_stretch_the_middle_is_told() -> None:
    """From 60 on random stays at 0.1 above its value with 40 labels, which the selector gains."""
    study = planted_cells.study({"kmeans": 0.05}, noise=0.0, draws=1)
    at60 = {cell.repeat: cell.metrics for cell in study.cells if (cell.selector, cell.budget) == ("uniform", 60)}
    level = [
        replace(cell, metrics=at60[cell.repeat]) if cell.selector == "uniform" and cell.budget >= 60 else cell
        for cell in study.cells
    ]
    findings = Findings(replace(study, cells=level))
    found = saving(findings, findings.series[KMEANS])
    assert found is not None
    assert found.labels == 80


def test_only_the_grids_first_embedder_makes_the_endpoint() -> None:
    grid = planted_cells.grid(("kmeans", "typiclust"), embedders=("hog", "pixels"))
    cells = list(planted_cells.cells({"kmeans": 0.0, "typiclust": 0.0}, embedders=("pixels", "hog")))
    findings = Findings(Study(grid, cells, [planted_cells.facts()]))
    assert [(each.key.embedder, each.key.selector) for each in findings.comparisons if each.endpoint] == [
        ("hog", "kmeans")
    ]
    # kmeans on pixels, typiclust on both, and hog against pixels.
    assert sum(not math.isnan(each.holm) for each in findings.comparisons) == 4


def test_holm_is_over_all_secondary_comparisons() -> None:
    gains = {"kmeans": 0.0, "typiclust": 0.004, "repdiv": 0.003, "kcenter": 0.001}
    found = [each for each in Findings(planted_cells.study(gains)).comparisons if not each.endpoint]
    assert [each.holm for each in found] == pytest.approx(holm([each.difference.p for each in found]))
    assert len(found) == 3


def test_what_is_better_when_lower_has_its_sign_turned() -> None:
    """HD falls by 10 for 1 of AUPRC."""
    findings = Findings(planted_cells.study({"kmeans": 0.05}, noise=1e-9))
    reference = findings.reference(KMEANS)
    assert reference is not None
    assert findings.gain(findings.series[KMEANS], reference, 40, "hd").mean == pytest.approx(0.5)


def test_random_of_no_embedder_is_the_reference_of_all() -> None:
    cells = [
        replace(cell, embedder=NO_EMBEDDER if cell.selector == "uniform" else cell.embedder)
        for cell in planted_cells.cells({"kmeans": 0.05}, head="vgg11")
    ]
    findings = Findings(Study(planted_cells.grid(("kmeans",), heads=("vgg11",)), cells, [planted_cells.facts()]))
    found = findings.against_random(replace(KMEANS, head="vgg11"))
    assert found is not None
    assert found.answer == "better"


def test_only_common_repeats_and_budgets_are_compared() -> None:
    def there(cell: Cell) -> bool:
        return cell.selector == "uniform" or (cell.budget >= 60 and cell.repeat < 7)

    study = planted_cells.study({"kmeans": 0.05}, noise=1e-9)
    findings = Findings(replace(study, cells=[cell for cell in study.cells if there(cell)]))
    found = findings.against_random(KMEANS)
    assert found is not None
    assert (found.budgets, found.difference.repeats) == ((60, 80, 100), 7)
    assert found.difference.mean == pytest.approx(0.05)


def test_draws_become_their_mean_and_their_spread() -> None:
    study = planted_cells.study({"kmeans": 0.0}, repeats=2)
    one = Findings(study).series[replace(KMEANS, selector="uniform")]
    drawn = [
        cell.metrics["auprc"] for cell in study.cells if (cell.selector, cell.budget, cell.repeat) == ("uniform", 60, 1)
    ]
    assert len(drawn) == one.draws == 3
    assert one.at(60, "auprc")[1] == pytest.approx(np.mean(drawn))
    assert one.draws_sd["auprc"][2, 1] == pytest.approx(np.std(drawn, ddof=1))
    assert spread.over_draws(one, 60, "auprc") == pytest.approx(one.draws_sd["auprc"][2].mean())
    assert spread.over_repeats(one, 60, "auprc") == pytest.approx(np.std(one.at(60, "auprc"), ddof=1))


def test_cells_without_facts_are_named() -> None:
    study = planted_cells.study({"kmeans": 0.0}, repeats=2)
    with pytest.raises(PoolUnusable, match=r"'planted'.*'lesion'"):
        Findings(replace(study, facts=[planted_cells.facts(target="other")]))


def test_the_spread_of_one_queue_is_that_of_all_draws() -> None:
    """Of random, draws and repeats both vary; many of both give the plain SD of all scores."""
    study = planted_cells.study({"kmeans": 0.0}, repeats=300, draws=4, noise=0.03)
    one = Findings(study).series[replace(KMEANS, selector="uniform")]
    scores = [cell.metrics["auprc"] for cell in study.cells if (cell.selector, cell.budget) == ("uniform", 60)]
    assert spread.of_one_queue(one, 60, "auprc") == pytest.approx(np.std(scores, ddof=1), rel=0.01)
    other = Findings(study).series[KMEANS]
    assert spread.of_one_queue(other, 60, "auprc") == spread.over_repeats(other, 60, "auprc")

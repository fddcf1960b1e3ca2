"""What the sentences say where the answer is planted."""

import math
from dataclasses import replace

import planted_cells
import pytest

from seedqueue.experiments import reading, verdicts
from seedqueue.experiments.comparisons import Findings
from seedqueue.experiments.study import Study
from seedqueue.experiments.verdict import Verdict


def asked(study: Study, question: str) -> list[Verdict]:
    return verdicts.verdicts(Findings(study)).get(question, [])


def only(study: Study, question: str) -> Verdict:
    (found,) = asked(study, question)
    return found


def test_the_one_that_wins_by_construction_is_told() -> None:
    study = planted_cells.study({"kmeans": 0.0, "typiclust": 0.06, "kcenter": 0.02})
    found = only(study, verdicts.SELECTOR)
    assert found.answer == "`typiclust`"
    assert "`typiclust` wins: above random (area under the AUPRC curve" in found.sentence
    assert "and above every other selector" in found.sentence


@pytest.mark.parametrize("seed", range(8))
def test_where_none_can_win_there_is_no_clear_winner(seed: int) -> None:
    study = planted_cells.study({"kmeans": 0.0, "typiclust": 0.0, "repdiv": 0.0}, seed=seed)
    assert only(study, verdicts.SELECTOR).answer == verdicts.NO_WINNER
    assert only(study, verdicts.BETTER).answer == "no clear difference"
    assert "no clear difference" in verdicts.headline(Findings(study))


def test_two_alike_above_random_are_both_named_and_none_wins() -> None:
    found = only(planted_cells.study({"kmeans": 0.05, "typiclust": 0.05, "repdiv": 0.0}), verdicts.SELECTOR)
    assert found.answer == verdicts.NO_WINNER
    assert "`kmeans` and `typiclust` are above random, but none" in found.sentence


def test_the_best_of_the_losers_does_not_win() -> None:
    found = only(planted_cells.study({"kmeans": -0.05, "typiclust": -0.1}), verdicts.SELECTOR)
    assert found.answer == verdicts.NO_WINNER
    assert "None is clearly above random" in found.sentence
    assert "`kmeans` less `typiclust`: +0.05" in found.sentence


@pytest.mark.parametrize(("gain", "answer"), [(0.05, "better"), (-0.05, "worse"), (0.0, "no clear difference")])
def test_the_default_against_random(gain: float, answer: str) -> None:
    study = planted_cells.study({"kmeans": gain})
    assert only(study, verdicts.BETTER).answer == answer
    said = {"better": "is better than random", "worse": "is worse than random"}.get(answer, "no clear difference")
    assert said in verdicts.headline(Findings(study))


def test_label_saving_stands_in_the_sentence() -> None:
    found = only(planted_cells.study({"kmeans": 0.05}), verdicts.BETTER)
    assert "Its 40 labels reach what " in found.sentence


def test_a_small_gain_passes_alone_and_fails_among_many() -> None:
    """Holm's correction is over all arms of the report."""
    few = {"kmeans": 0.0, "typiclust": 0.013}
    many = {**few, **{f"kmeans:pool={size}": 0.0 for size in range(100, 400, 2)}}
    for gains, answer in ((few, "better"), (many, "no clear difference")):
        found = [each for each in Findings(planted_cells.study(gains)).comparisons if each.key.selector == "typiclust"]
        assert [each.answer for each in found] == [answer]
        assert found[0].difference.p < 0.05


def test_the_embedder_that_wins_by_construction() -> None:
    study = by_embedder(hog=0.5, pixels=0.4)
    found = only(study, verdicts.EMBEDDER)
    assert found.answer == "`hog`"
    assert "The embedder makes both the choice and the features" in found.sentence


def test_no_embedder_wins_where_they_are_alike() -> None:
    study = by_embedder(hog=0.4, pixels=0.4)
    assert only(study, verdicts.EMBEDDER).answer == verdicts.NO_WINNER


def test_one_embedder_asks_no_question() -> None:
    assert asked(planted_cells.study({"kmeans": 0.0}), verdicts.EMBEDDER) == []


def by_embedder(**start: float) -> Study:
    grid = planted_cells.grid(("kmeans",), embedders=tuple(start))
    cells = [
        cell
        for seed, (name, level) in enumerate(start.items())
        for cell in planted_cells.cells({"kmeans": 0.0}, embedders=(name,), start=level, seed=seed)
    ]
    return Study(grid, cells, [planted_cells.facts()])


def test_the_budget_from_which_more_labels_add_little() -> None:
    """Cells of 80 and 100 labels are given the score of 60."""
    study = planted_cells.study({"kmeans": 0.0})
    by_place = {(cell.selector, cell.repeat, cell.budget, cell.draw): cell.metrics for cell in study.cells}
    level = [
        replace(cell, metrics=by_place[cell.selector, cell.repeat, min(cell.budget, 60), cell.draw])
        for cell in study.cells
    ]
    found = only(replace(study, cells=level), verdicts.BUDGET)
    assert found.answer == "not shown to be below that with 100 from 60 on"
    assert "not shown to be below that with 100, the most measured (difference 0.000, 95 % interval" in found.sentence
    assert only(study, verdicts.BUDGET).answer == "below that with 100 up to 80"


def test_where_nothing_is_known_of_budgets_no_number_of_labels_is_named_enough() -> None:
    """Noise of 0.5 hides the rise of 0.2."""
    found = only(planted_cells.study({"kmeans": 0.0}, noise=0.5), verdicts.BUDGET)
    assert found.answer == "not known"
    assert "too little is known" in found.sentence


def test_of_a_curve_that_falls_no_standard_error_is_told() -> None:
    study = planted_cells.study({"kmeans": 0.0})
    cells = [replace(cell, metrics={"auprc": 1 - cell.metrics["auprc"]}) for cell in study.cells]
    found = only(replace(study, cells=cells), verdicts.BUDGET)
    assert "standard error" not in found.sentence
    assert "the curve falls" in found.sentence
    assert "(difference −0." in found.sentence


def test_one_split_is_described_and_nothing_is_claimed() -> None:
    """Two embedders and two arms, all far apart: seeds alone would make every difference sure."""
    grid = planted_cells.grid(("kmeans", "typiclust"), embedders=("hog", "pixels"))
    cells = [
        cell
        for seed, name in enumerate(grid.embedders)
        for cell in planted_cells.cells(
            {"kmeans": 0.1, "typiclust": 0.2}, embedders=(name,), start=0.3 + seed / 10, seed=seed, noise=1e-3
        )
    ]
    drawn = Study(grid, cells, [planted_cells.facts()])
    for study in (replace(drawn, grid=replace(grid, fixed_split=True)), one_split(drawn)):
        findings = Findings(study)
        assert {each.answer for each in findings.comparisons} == {"not judged"}
        assert all(math.isnan(each.holm) for each in findings.comparisons)
        told = verdicts.verdicts(findings)
        for question in (verdicts.BETTER, verdicts.SELECTOR, verdicts.EMBEDDER, verdicts.BUDGET):
            assert {each.answer for each in told[question]} == {"not judged"}
            assert all("described, not judged" in each.sentence for each in told[question])
        assert "one split: the difference is described, not judged" in verdicts.headline(findings)


def test_one_split_is_no_part_of_holms_family() -> None:
    gains = {"kmeans": 0.0, "typiclust": 0.01}
    cells = [cell for pool in ("planted", "other") for cell in planted_cells.cells(gains, pool=pool)]
    grid = planted_cells.grid(tuple(gains))
    facts = [planted_cells.facts(), planted_cells.facts("other", fixed_split=True)]
    findings = Findings(Study(grid, cells, facts))
    (alone,) = [each for each in findings.comparisons if not math.isnan(each.holm)]
    assert alone.key.pool == "planted"
    assert alone.holm == alone.difference.p
    assert "on 1 there is one split: described, not judged" in verdicts.headline(findings)


def one_split(study: Study) -> Study:
    return replace(study, facts=[planted_cells.facts(fixed_split=True)])


def test_what_paper_and_honest_differ_in_is_told_by_head() -> None:
    told = {}
    for head in ("linear", "vgg11"):
        cells = [cell for name in (head, f"{head}@paper") for cell in planted_cells.cells({"kmeans": 0.0}, head=name)]
        grid = planted_cells.grid(("kmeans",), heads=(head,), protocol="paper")
        told[head] = " ".join(reading.rules(Findings(Study(grid, cells, [planted_cells.facts()]))))
    assert "differ in the threshold alone" in told["linear"]
    assert "SGD" not in told["linear"]
    for said in ("SGD, at most 100 epochs, batches of 8", "AdamW, a fixed 40 (60 for masks) epochs", "F1 is at 0.5"):
        assert said in told["vgg11"]


def test_above_chance_is_advised_only_where_it_is() -> None:
    study = planted_cells.study({"kmeans": 0.0})
    assert not any("above chance" in rule for rule in reading.rules(Findings(study)))
    cells = [replace(cell, metrics={**cell.metrics, "auprc_above_chance": 0.3}) for cell in study.cells]
    assert any("by AUPRC above chance" in rule for rule in reading.rules(Findings(replace(study, cells=cells))))


def test_the_cost_of_training_a_linear_head_names_its_folds() -> None:
    assert (
        "train on them, with the five folds of its threshold"
        in only(planted_cells.study({"kmeans": 0.0}), verdicts.COST).sentence
    )
    cells = list(planted_cells.cells({"kmeans": 0.0}, head="vgg11"))
    study = Study(planted_cells.grid(("kmeans",), heads=("vgg11",)), cells, [planted_cells.facts()])
    assert "folds" not in only(study, verdicts.COST).sentence


@pytest.mark.parametrize(
    ("head", "repeats", "draws", "told"),
    [
        ("linear", 20, 10, ""),
        ("linear", 19, 10, "A preliminary look: 19 repeats where 20 are the least for a claim."),
        ("vgg11", 5, 10, ""),
        ("vgg11", 4, 9, "A preliminary look: 4 repeats where 5 are the least for a claim and 9 draws of random"),
    ],
)
def test_too_few_repeats_or_draws_are_a_preliminary_look(head: str, repeats: int, draws: int, told: str) -> None:
    grid = planted_cells.grid(("kmeans",), heads=(head,), repeats=repeats, draws=draws)
    cells = list(planted_cells.cells({"kmeans": 0.0}, head=head, repeats=repeats))
    found = reading.preliminary(Findings(Study(grid, cells, [planted_cells.facts()])))
    assert len(found) == bool(told)
    assert "".join(found).startswith(told)


def test_as_published_is_shown_and_no_sentence_rests_on_it() -> None:
    gains = {"kmeans": 0.0}
    cells = [
        *planted_cells.cells(gains, head="vgg11"),
        *planted_cells.cells({"kmeans": 0.2}, head="vgg11@paper"),
    ]
    study = Study(planted_cells.grid(("kmeans",), heads=("vgg11",), protocol="paper"), cells, [planted_cells.facts()])
    assert only(study, verdicts.BETTER).answer == "no clear difference"
    assert only(study, verdicts.SELECTOR).answer == verdicts.NO_WINNER
    published = [each for each in Findings(study).comparisons if each.key.published]
    assert [each.answer for each in published] == ["no clear difference"]


def test_on_a_fixed_split_the_interval_is_of_random_seeds_and_stability_is_asked() -> None:
    study = planted_cells.study({"kmeans": 0.05})
    assert asked(study, verdicts.STABLE) == []
    fixed = replace(study, facts=[planted_cells.facts(fixed_split=True)], cells=with_one_level(study))
    assert "over random seeds alone" in only(fixed, verdicts.BETTER).sentence
    assert only(fixed, verdicts.STABLE).answer == "random is the least stable"
    assert any("not of other patients" in rule for rule in reading.rules(Findings(fixed)))
    assert not any("Nadeau" in rule for rule in reading.rules(Findings(fixed)))


def with_one_level(study: Study) -> list[planted_cells.Cell]:
    """K-means always scores the same, as on one split it may."""
    return [
        cell if cell.selector == "uniform" else replace(cell, metrics={"auprc": 0.5 + cell.budget / 1000})
        for cell in study.cells
    ]


def test_the_top_is_short_and_counts_the_rest() -> None:
    answers = [Verdict(f"pool {at % 3}", "better", f"Sentence {at}.", whole=True) for at in range(12)]
    assert verdicts.on_top(answers) == [
        "Sentence 0.",
        "Sentence 1.",
        "Sentence 2.",
        "Over all 12 combinations (every answer stands below): better in 12.",
    ]
    assert verdicts.on_top(answers[:2]) == ["Sentence 0.", "Sentence 1."]


def test_nothing_is_promised() -> None:
    study = planted_cells.study({"kmeans": 0.05, "typiclust": 0.01})
    findings = Findings(study)
    told = [each.sentence for found in verdicts.verdicts(findings).values() for each in found]
    for sentence in [*told, *reading.rules(findings), verdicts.headline(findings)]:
        assert not {"will", "proves", "guarantees", "helps", "recommend"} & set(sentence.lower().split())

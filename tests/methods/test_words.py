"""The sentences themselves: what is said when, and what a reader must not be led to believe."""

from __future__ import annotations

from dataclasses import replace
from datetime import timedelta
from typing import Any

import pytest

from seedqueue.backend.methods.citing import Cited
from seedqueue.backend.methods.facts import count, listed, number, p_value, plain, words
from seedqueue.backend.methods.recorded import Dated, Recorded
from seedqueue.backend.methods.rendering import card_text, text
from seedqueue.backend.methods.story import gather_facts
from seedqueue.backend.milestones import Measured, Overlap


def section(recorded: Recorded, title: str) -> str:
    return text(gather_facts(recorded)).partition(f"## {title}\n")[2].partition("\n## ")[0]


def with_version(recorded: Recorded, **changes: Any) -> Recorded:
    last = recorded.versions[-1]
    return replace(recorded, versions=(Dated(replace(last.body, **changes), last.source),))


def with_choices(recorded: Recorded, **changes: Any) -> Recorded:
    runs = [replace(r, run=replace(r.run, choices=replace(r.run.choices, **changes))) for r in recorded.runs]
    return replace(recorded, runs=tuple(runs))


def test_numbers_and_names_as_they_are_shown() -> None:
    assert count(1, "image").shown == "1 image"
    assert count(1200, "image").shown == "1,200 images"
    assert number(0.00004).shown == "4e-05"
    assert [p_value(p).shown for p in (0.0312, 0.00004)] == ["p = 0.031", "p < 0.001"]
    assert listed(()).shown == ""
    assert listed((words("a"), words("b"), words("c"))).shown == "a, b and c"
    assert plain("a|b\n*c* <x>") == r"a\|b \*c\* \<x\>"


def test_import(recorded: Recorded) -> None:
    told = section(recorded, "Images")
    assert "added 1,200 images of 873 patients and 961 studies and left out 4 unreadable files and 8 files with" in told
    assert "replaced by pseudonyms" in told
    unnamed = replace(recorded.imported[0].body, patients=0, studies=0)
    assert "pseudonyms" not in section(
        replace(recorded, imported=(Dated(unnamed, recorded.imported[0].source),)), "Images"
    )
    nothing = replace(recorded.imported[0].body, unreadable=(), repeats=0, near=0, burned_in=0, shared_ids=0)
    told = section(replace(recorded, imported=(Dated(nothing, recorded.imported[0].source),)), "Images")
    assert "left out 4" not in told
    assert "reported" not in told


def test_a_tab_and_a_filter_are_told(recorded: Recorded) -> None:
    told = section(with_choices(recorded, tab="Frontal", where="view=PA"), "Images")
    assert "in the Data Manager tab “Frontal” and that fulfilled the condition `view=PA`" in told


def test_the_audit_slice_and_the_locked_list(recorded: Recorded) -> None:
    told = section(recorded, "Held-out images")
    assert "Before any image was selected, on 2026-03-02, 151 images were drawn at random" in told
    assert "from all images that could be read and were on no locked test list (random seed 17)" in told
    assert "never used for training" in told
    assert "A test list of 47 images (the reading room's test list) was locked" in told
    narrow = section(with_choices(recorded, tab="Frontal"), "Held-out images")
    assert "from all eligible images that could be read" in narrow


def test_a_slice_that_was_drawn_after_the_first_queue_is_not_told_as_drawn_before(recorded: Recorded) -> None:
    late = replace(recorded.audit[0].source, at=recorded.exported[0].source.at)
    told = section(replace(recorded, audit=(Dated(recorded.audit[0].body, late),)), "Held-out images")
    assert "Before any image" not in told
    assert "On 2026-03-03, 151 images were drawn at random" in told


def test_rounds(recorded: Recorded) -> None:
    told = section(recorded, "Selection of images")
    assert "As the seed queue, 57 images were chosen by K-means initialisation" in told
    assert "In round 2, 23 images were chosen by uncertainty herding on the predictions of the model linear-1" in told
    assert "lengthened from 40 to 57 images" in told
    assert "| 2 | 2026-03-02 | uncertainty herding | 23 | 23 | 11 | linear-1 | 17 |" in told


def test_what_the_embedder_has_seen(recorded: Recorded) -> None:
    assert "NIH, PadChest, CheXpert, MIMIC-CXR, OpenI, RSNA; whether" in section(recorded, "Selection of images")
    nothing = section(with_choices(recorded, embedder="hog"), "Selection of images")
    assert "It has no trained weights." in nothing
    one = section(with_choices(recorded, embedder="txrv:densenet121-res224-nih"), "Selection of images")
    assert "the collection in its name" in one
    gone = section(with_choices(recorded, embedder="a-plugin"), "Selection of images")
    assert "is not recorded" in gone


def test_weights_are_told_where_they_are_proved(recorded: Recorded) -> None:
    story = gather_facts(recorded, {"00aa11bb22cc33dd": "ef" * 32})
    assert f"weights with the SHA-256 `{'ef' * 32}`" in text(story)
    assert not any("embedder's weights" in one for one in story.missing)
    assert any("embedder's weights" in one for one in gather_facts(recorded).missing)


def test_agreement(recorded: Recorded) -> None:
    told = section(recorded, "Reading and agreement")
    assert "10 images at the head of the queue and 10% of the others" in told
    assert "Agreement (Cohen's kappa, 29 images) was 0.784 (95% CI: 0.622, 0.913)" in told
    assert "flagged 9 labels" in told
    last = recorded.agreed[0]
    more = replace(last.body, annotators=4, kappa=Measured("kappa", None, None, None, 29), suspects=0)
    told = section(replace(recorded, agreed=(Dated(more, last.source),)), "Reading and agreement")
    assert "at least two of 4 annotators" in told
    assert "Agreement (Fleiss' kappa, 29 images) was not defined" in told
    assert "Confident learning" not in told


def test_of_overlaps_of_several_queues_the_last_is_told_and_that_there_were_others(recorded: Recorded) -> None:
    first = recorded.overlap[0]
    assert "Before, " not in section(replace(recorded, overlap=(first, first)), "Reading and agreement")
    last = Dated(Overlap(3, 2, 0.0, (300, 400)), first.source)
    told = section(replace(recorded, overlap=(first, last)), "Reading and agreement")
    assert "2 images were assigned to 3 annotators each on 2026-03-02: 2 images at the head" in told
    assert "Before, 28 other images had been assigned to several annotators." in told


def test_large_pools_are_told_as_reduced(recorded: Recorded) -> None:
    assert "principal components before" not in section(recorded, "Selection of images")
    large = [replace(row, run=replace(row.run, tasks=20_000)) for row in recorded.runs]
    told = section(replace(recorded, runs=tuple(large)), "Selection of images")
    assert "When 20,000 images were listed, embeddings were reduced to their first 64 principal components" in told


def test_an_overlap_that_was_put_back_is_not_told(recorded: Recorded) -> None:
    back = Dated(Overlap(1, 0, 0.0, ()), recorded.overlap[0].source)
    told = section(replace(recorded, overlap=(*recorded.overlap, back)), "Reading and agreement")
    assert "To measure agreement" not in told


def test_a_model_with_its_figures(recorded: Recorded) -> None:
    told = section(recorded, "Models")
    assert "trained on 38 labelled images (effusion: 13; normal \\| other: 25)" in told
    assert "On 146 labelled images of the audit slice, its primary figure, the AUPRC of effusion, was 0.733" in told
    assert (
        "Compared with linear-1, which served before it, the figure differed by 0.031 (95% CI: -0.012, 0.074)" in told
    )
    assert "| effusion | 37 | 0.253 (0.200, 0.300) |" in told
    assert "| linear-1 | 2026-03-05 | 37 | 146 | AUPRC of effusion 0.723" in told
    assert "used to decide whether it serves" in told


def test_an_unaudited_model_has_no_performance(recorded: Recorded) -> None:
    bare = with_version(recorded, held_out="", audit=(), figures={}, primary={}, difference=None)
    assert "no performance is reported" in section(bare, "Models")
    assert "Limit: linear-2 is unaudited" in card_text(gather_facts(bare), Cited())


def test_an_undefined_figure_tells_why(recorded: Recorded) -> None:
    primary = {"name": "AUPRC of x", "value": None, "low": None, "high": None, "reason": "no positive image"}
    assert "not defined (no positive image)" in section(with_version(recorded, primary=primary), "Models")
    alone = {"name": "AUPRC of x", "value": 0.5, "low": None, "high": None, "reason": "one group"}
    assert "0.500 (no interval)" in section(with_version(recorded, primary=alone), "Models")


def test_a_segmenter(recorded: Recorded) -> None:
    figure = {"value": 0.812, "low": 0.7, "high": 0.9}
    one = {"name": "lesion", "with_target": 61, "dsc": figure, "miss_rate": figure, "false_positive_rate": figure}
    masks = with_version(
        recorded,
        head="unet-vgg11",
        kind="masks",
        classes=("lesion",),
        per_class=(38,),
        threshold=(0.5,),
        prior=(),
        target=(),
        figures={"classes": [one], "groups": 99},
        primary={"name": "macro DSC over 1 class", **figure},
    )
    told = section(masks, "Models")
    assert "a U-Net with a VGG-11 encoder that began from random weights" in told
    assert "| lesion | 61 | 0.812 (0.700, 0.900) |" in told
    assert "fixed beforehand, are lesion: 0.500" in told


def test_the_card(recorded: Recorded) -> None:
    told = card_text(gather_facts(recorded), Cited())
    assert "## linear-2" in told
    assert "as pre-annotations that a person confirms or corrects" in told
    assert "pretrained on chest radiographs" in told
    assert "Limit, normal \\| other: few groups." in told
    assert "No model serves" in card_text(gather_facts(replace(recorded, versions=())), Cited())


def test_another_held_out_set_need_not_be_a_sample(recorded: Recorded) -> None:
    told = card_text(gather_facts(with_version(recorded, held_out="locked test list")), Cited())
    assert "the locked test list is not known to be a random sample" in told


def test_data_set_and_arrivals(recorded: Recorded) -> None:
    told = section(recorded, "Data set")
    assert "holds 271 labelled images, of 243 patients" in told
    assert "annotation: it holds no label (2) and task: it was skipped (1)" in told
    told = section(recorded, "Later images")
    assert (
        "2 of 12 tests for drift were significant at 0.05: field view (p = 0.031) and mean intensity (p < 0.001)"
        in told
    )
    assert "Of 205 compared by their embeddings, 18 lay farther from the nearest labelled image" in told
    assert "held on it: the 95% confidence interval of the difference contains zero" in told
    row = recorded.arrived[0]
    open_ = replace(row.body, holds=None, measured=0, novel=0, drifted=row.body.drifted[:1])
    told = section(replace(recorded, arrived=(Dated(open_, row.source),)), "Later images")
    assert "could not be said by then" in told
    assert "lay farther" not in told
    assert "1 of 12 tests for drift was significant" in told
    again = replace(row.source, at=row.source.at + timedelta(hours=1))
    unlike = replace(recorded, arrived=(row, Dated(replace(row.body, holds=False, drifted=()), again)))
    told = section(unlike, "Later images")
    assert "did not hold on it" in told
    assert "none of 12 tests" in told
    assert told.count("had come later") == 1
    assert "the estimate did not hold" in card_text(gather_facts(unlike), Cited())
    since = [replace(one, source=replace(one.source, at=again.at + timedelta(hours=1))) for one in unlike.versions]
    assert "did not hold" not in card_text(gather_facts(replace(unlike, versions=tuple(since))), Cited())


@pytest.mark.parametrize("title", ["Images", "Selection of images", "Models"])
def test_nothing_is_left_of_a_template(recorded: Recorded, title: str) -> None:
    told = section(recorded, title)
    assert "{" not in told
    assert "None" not in told

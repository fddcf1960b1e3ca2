"""What is learnt of a label config: recorded ones, and every tag that is or is not a head's business."""

from collections.abc import Callable
from typing import Any

import pytest
from label_studio_sdk._extensions.label_studio_tools.core.label_config import parse_config

from seedqueue.backend.label_config import Control, Labelling, labelling_of_xml, parse_labelling
from seedqueue.backend.learning_errors import LabelConfigUnusable

IMAGE = '<Image name="image" value="$image"/>'


def view(*tags: str) -> str:
    return f"<View>{IMAGE}{''.join(tags)}</View>"


def labelling(*tags: str) -> Labelling:
    return labelling_of_xml(view(*tags))


def choices(attributes: str = "", name: str = "choice") -> str:
    inside = '<Choice value="cat"/><Choice value="dog"/>'
    return f'<Choices name="{name}" toName="image" {attributes}>{inside}</Choices>'


def regions(tag: str, *labels: str, name: str) -> str:
    inside = "".join(f'<Label value="{label}"/>' for label in labels)
    return f'<{tag} name="{name}" toName="image">{inside}</{tag}>'


def test_the_recorded_project(payload: Callable[[str], dict[str, Any]]) -> None:
    project = payload("ANNOTATION_CREATED")["project"]
    found = parse_labelling(project["parsed_label_config"], project["label_config"])
    assert found == Labelling("image", (Control("choice", "image", "choices", ("cat", "dog"), False),))
    assert found.classification_kind == "single"
    assert found.segmentation == ()
    assert found.mask_classes == ()
    assert labelling_of_xml(payload("predict_single")["label_config"]) == found


@pytest.mark.parametrize(
    ("attributes", "kind"),
    [
        ("", "single"),
        ('choice="single"', "single"),
        ('choice="single-radio"', "single"),
        ('choice="multiple"', "multi"),
    ],
)
def test_single_or_several_choices(attributes: str, kind: str) -> None:
    assert labelling(choices(attributes)).classification_kind == kind


def test_the_classes_of_masks_are_the_labels_of_all_region_controls() -> None:
    found = labelling(
        regions("PolygonLabels", "b", "a", name="p"),
        regions("BrushLabels", "a", "c", name="r"),
        regions("RectangleLabels", "d", name="x"),
        regions("EllipseLabels", "e", name="y"),
    )
    assert [control.kind for control in found.segmentation] == ["polygon", "brush", "rectangle", "ellipse"]
    assert found.mask_classes == ("b", "a", "c", "d", "e")
    assert found.classification is None
    assert found.classification_kind is None
    assert found.classes == ()


TAXONOMY = """<Taxonomy name="t" toName="image" {}>
  <Choice value="none"/>
  <Choice value="lesion"><Choice value="benign"/><Choice value="malignant" alias="m">
    <Choice value="small"/></Choice></Choice>
  <Choice value="other"><Choice value="benign"/></Choice>
</Taxonomy>"""


def test_the_leaves_of_a_taxonomy_are_its_classes() -> None:
    found = labelling(TAXONOMY.format(""))
    assert found.classes == ("none", "lesion / benign", "lesion / m / small", "other / benign")
    assert found.classification is not None
    assert found.classification.paths[2] == ("lesion", "m", "small")
    assert found.classification_kind == "multi"
    assert labelling(TAXONOMY.format('maxUsages="1"')).classification_kind == "single"


def test_aliases_name_the_classes_as_they_do_in_results() -> None:
    found = labelling('<Choices name="c" toName="image"><Choice value="A cat" alias="cat"/></Choices>')
    assert found.classes == ("cat",)


def test_what_is_not_learnt_is_said() -> None:
    found = labelling(
        choices(),
        choices(name="second"),
        '<TextArea name="text" toName="image"/>',
        choices('perRegion="true"', name="each"),
        '<Choices name="open" toName="image" value="$options"/>',
    )
    assert [control.name for control in found.controls] == ["choice"]
    assert found.ignored == ("second", "text", "each", "open")
    assert [
        next(word for word in ("first", "kind", "region", "labels") if word in said) for said in found.warnings
    ] == [
        "first",
        "kind",
        "region",
        "labels",
    ]


def test_only_the_first_image_is_learnt() -> None:
    config = """<View><Text name="words" value="$words"/><Image name="left" value="$l"/><Image name="right" value="$r"/>
      <Choices name="of_text" toName="words"><Choice value="x"/></Choices>
      <Choices name="of_left" toName="words,left"><Choice value="y"/></Choices>
      <BrushLabels name="of_right" toName="right"><Label value="z"/></BrushLabels></View>"""
    found = labelling_of_xml(config)
    assert found.image_key == "l"
    assert found.controls == (Control("of_left", "left", "choices", ("y",), False),)
    assert found.ignored == ("of_text", "of_right")


def test_a_config_without_an_image_is_refused() -> None:
    text = '<View><Text name="t" value="$t"/><Choices name="c" toName="t"><Choice value="x"/></Choices></View>'
    with pytest.raises(LabelConfigUnusable, match="<Image"):
        labelling_of_xml(text)
    with pytest.raises(LabelConfigUnusable, match="<Image"):
        parse_labelling({}, view())


BOMB = """<!DOCTYPE v [<!ENTITY a "aaaaaaaaaa"><!ENTITY b "&a;&a;&a;&a;&a;&a;&a;&a;">]>"""
FILE = """<!DOCTYPE v [<!ENTITY x SYSTEM "file:///etc/hostname">]>"""


@pytest.mark.parametrize("prolog", [BOMB, FILE, "<!DOCTYPE View>"])
def test_entities_are_refused(prolog: str) -> None:
    parsed = parse_config(view(choices()))
    for text in (prolog + view(choices()), '<?xml version="1.0"?>' + prolog + view(choices())):
        with pytest.raises(LabelConfigUnusable, match="document type"):
            parse_labelling(parsed, text)
        with pytest.raises(LabelConfigUnusable, match="document type"):
            labelling_of_xml(text)


@pytest.mark.parametrize("text", ["", "<View>", "<View>&x;</View>", "no XML", "<View>\0</View>"])
def test_what_is_not_xml_is_refused(text: str) -> None:
    with pytest.raises(LabelConfigUnusable, match="well-formed"):
        labelling_of_xml(text)


def test_a_declared_encoding_does_no_harm() -> None:
    assert labelling_of_xml('<?xml version="1.0" encoding="UTF-8"?>' + view(choices())).classes == ("cat", "dog")


def test_a_taxonomy_nested_without_end_is_walked() -> None:
    deep = '<Choice value="x">' * 3000 + "</Choice>" * 3000
    parsed = {"t": {"type": "Taxonomy", "to_name": ["image"], "inputs": [{"type": "Image", "value": "image"}]}}
    found = parse_labelling(parsed, view(f'<Taxonomy name="t" toName="image">{deep}</Taxonomy>'))
    assert len(found.classes) == 1

"""What a project asks of its annotators: its label config, as far as a head can learn it."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from typing import Any, Literal
from xml.etree import ElementTree
from xml.parsers import expat

from seedqueue.backend.learning_errors import LabelConfigUnusable

Kind = Literal["choices", "taxonomy", "brush", "polygon", "rectangle", "ellipse"]
ClassificationKind = Literal["single", "multi"]

PATH_SEPARATOR = " / "
KINDS: Mapping[str, Kind] = {
    "choices": "choices",
    "taxonomy": "taxonomy",
    "brushlabels": "brush",
    "polygonlabels": "polygon",
    "rectanglelabels": "rectangle",
    "ellipselabels": "ellipse",
}
_CLASSIFIES = ("choices", "taxonomy")
_LONGEST_REASON = 200  # lxml quotes the config


@dataclass(frozen=True)
class Control:
    """One control tag on the image.

    labels: as results name them (the alias where there is one); a Taxonomy's are its leaves, each the
    path from the root joined by " / ". multiple: whether several labels may be chosen of one image.
    """

    name: str
    to_name: str
    kind: Kind
    labels: tuple[str, ...]
    multiple: bool
    paths: tuple[tuple[str, ...], ...] = ()  # of a Taxonomy: the path of each label, as results hold it


@dataclass(frozen=True)
class Labelling:
    """The controls that a head can learn, all on the image in the field `image_key` of task data.

    ignored: the names of the config's other controls; warnings: a sentence on each of them.
    """

    image_key: str
    controls: tuple[Control, ...]
    ignored: tuple[str, ...] = ()
    warnings: tuple[str, ...] = ()

    @property
    def classification(self) -> Control | None:
        return next((control for control in self.controls if control.kind in _CLASSIFIES), None)

    @property
    def segmentation(self) -> tuple[Control, ...]:
        return tuple(control for control in self.controls if control.kind not in _CLASSIFIES)

    @property
    def classification_kind(self) -> ClassificationKind | None:
        if self.classification is None:
            return None
        return "multi" if self.classification.multiple else "single"

    @property
    def classes(self) -> tuple[str, ...]:
        """The classes of an image, in the config's order; () where there is no classification."""
        return self.classification.labels if self.classification else ()

    @property
    def mask_classes(self) -> tuple[str, ...]:
        """The classes of a mask: the distinct labels of all region controls, in the config's order."""
        return tuple(dict.fromkeys(label for control in self.segmentation for label in control.labels))


def parse_labelling(parsed_label_config: Mapping[str, Any], label_config: str) -> Labelling:
    """The labelling of a project, from the server's own parse of its label config and the config itself.

    The parse lacks whether several choices may be made and how a Taxonomy is nested: these come from the
    XML, in which a document type (and with it every entity) is refused. The first image that a control
    labels is the image; what else there is ends up in `ignored` with a warning. Raises `LabelConfigUnusable`.
    """
    elements = {element.get("name"): element for element in _root(label_config).iter() if element.get("toName")}
    image_key = next((key for each in parsed_label_config.values() if (key := _image_key(each))), None)
    if image_key is None:
        raise LabelConfigUnusable('no control labels an <Image name=... value="$field"/>')
    controls: list[Control] = []
    ignored: dict[str, str] = {}
    for name, parsed in parsed_label_config.items():
        control = _control(name, parsed, elements.get(name), image_key)
        if isinstance(control, str):
            ignored[name] = control
        elif control.kind in _CLASSIFIES and any(each.kind in _CLASSIFIES for each in controls):
            ignored[name] = "one classification of the image is learnt, the first"
        else:
            controls.append(control)
    warnings = tuple(f"The control {name!r} is not learnt: {reason}." for name, reason in ignored.items())
    return Labelling(image_key, tuple(controls), tuple(ignored), warnings)


def labelling_of_xml(label_config: str) -> Labelling:
    """As `parse_labelling`, where only the XML is at hand, as in `/predict`: the SDK parses it as the server does."""
    root = _root(label_config)
    from label_studio_sdk._extensions.label_studio_tools.core.label_config import parse_config  # takes 2 s to import

    try:
        parsed = parse_config(ElementTree.tostring(root, encoding="unicode"))
    except RecursionError as error:
        raise LabelConfigUnusable("its tags are nested too deeply") from error
    except Exception as error:  # of lxml's limits (depth 256, 10 MB an attribute) the SDK makes an error of its own
        raise LabelConfigUnusable(str(error)[:_LONGEST_REASON]) from error
    return parse_labelling(parsed, label_config)


def _root(label_config: str) -> ElementTree.Element:
    """The config's root. Without a document type no entity can be declared, neither an external nor a growing one."""

    def refuse(*_: object) -> None:
        raise LabelConfigUnusable("it has a document type declaration, which is not read")

    guard = expat.ParserCreate()
    guard.StartDoctypeDeclHandler = refuse
    try:
        guard.Parse(label_config, True)
        return ElementTree.fromstring(label_config)
    except (expat.ExpatError, ElementTree.ParseError, ValueError) as error:
        raise LabelConfigUnusable(f"it is not well-formed XML ({error})") from error


def _image_key(parsed: Mapping[str, Any]) -> str | None:
    """The field of task data with the image that a control labels; None: it labels no (single) image."""
    for each in parsed.get("inputs") or []:
        if str(each.get("type")).lower() == "image" and each.get("value"):
            return str(each["value"])
    return None


def _image_name(parsed: Mapping[str, Any]) -> str:
    """Of the objects that a control labels, which the parse lists beside their names, the image's name."""
    names = list(zip(parsed["to_name"], parsed["inputs"], strict=False))
    return str(next(name for name, each in names if str(each.get("type")).lower() == "image" and each.get("value")))


def _control(
    name: str, parsed: Mapping[str, Any], element: ElementTree.Element | None, image_key: str
) -> Control | str:
    """The control, or why it is ignored."""
    tag = str(parsed.get("type"))
    kind = KINDS.get(tag.lower())
    if kind is None:
        return f"{tag} is of no kind that a head learns"
    if element is None:
        return "the parsed config has it and the XML has not"
    if _image_key(parsed) is None:
        return "it labels no Image"
    if _image_key(parsed) != image_key:
        return f"it labels the image of the field {_image_key(parsed)!r}, and the first is {image_key!r}"
    if element.get("perRegion") == "true":
        return "it describes a region, not the image"
    paths = tuple(dict.fromkeys(_leaves(element))) if kind == "taxonomy" else ()
    labels = tuple(PATH_SEPARATOR.join(path) for path in paths) or tuple(dict.fromkeys(parsed.get("labels") or ()))
    if not labels or (kind == "taxonomy" and not paths):
        return "its labels are not in the config"
    multiple = kind not in _CLASSIFIES or (
        element.get("choice") == "multiple" if kind == "choices" else element.get("maxUsages") != "1"
    )
    return Control(name, _image_name(parsed), kind, labels, multiple, paths)


def _leaves(taxonomy: ElementTree.Element) -> Iterator[tuple[str, ...]]:
    """The paths to the leaves, in the document's order; walked without recursion, since nesting is the user's."""
    waiting: list[tuple[ElementTree.Element, tuple[str, ...]]] = [(taxonomy, ())]
    while waiting:
        element, path = waiting.pop()
        choices = [choice for choice in element if choice.tag == "Choice"]
        if not choices and path:
            yield path
        waiting += [(each, (*path, each.get("alias") or each.get("value") or "")) for each in reversed(choices)]

"""The project's images: one of every kind of storage fetched and decoded, and the label config that asks about them."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from urllib.parse import urlsplit

from seedqueue.backend.doctor.lines import Line
from seedqueue.backend.doctor.subject import Subject
from seedqueue.backend.fetch import CLOUD_SCHEMES, ImageFetcher, allowed_hosts, original_uri
from seedqueue.backend.field_values import value_of
from seedqueue.backend.label_config import Labelling, parse_labelling
from seedqueue.backend.label_studio import Studio
from seedqueue.backend.learning_errors import LabelConfigUnusable
from seedqueue.backend.pool import PAGE, Place, image_key_of
from seedqueue.backend.pool_errors import NoImageInLabelConfig
from seedqueue.models.errors import UnreadableImage
from seedqueue.models.images import read_image

CONFIG, IMAGES = "label config", "images"
PAGES = 10  # so many pages of tasks are looked at, evenly spread
KINDS = 8
TRIES = 3  # images of one kind, until one is read
UPLOAD, LOCAL, NONE = "uploads", "local files", "no image"
CLOUDS = {"s3": "S3", "gs": "Google Cloud Storage", **dict.fromkeys(CLOUD_SCHEMES[2:], "Azure Blob Storage")}
MENDS = {
    UPLOAD: "Label Studio has lost the uploaded file: look into its media folder, or import the images again.",
    LOCAL: (
        "Add the folder under Settings > Cloud Storage, and start Label Studio with "
        "LABEL_STUDIO_LOCAL_FILES_SERVING_ENABLED=true and LABEL_STUDIO_LOCAL_FILES_DOCUMENT_ROOT at one above it."
    ),
    NONE: "The label config names a field that these tasks lack: mend one or the other.",
}
CLOUD_MEND = "Check the storage under Settings > Cloud Storage (credentials, bucket, prefix) and sync it."
WEB_MEND = "Open the address on this machine; the server must give the image without a login."


def images(subject: Subject) -> Sequence[Line]:
    """A line for each kind of storage. Raises `NoImageInLabelConfig`, `LabelStudioUnreachable`, `TokenRefused`."""
    key = image_key_of(subject.described.get("parsed_label_config") or {}, subject.project)
    kinds = by_kind(_places(subject.studio, subject.project, key), subject.studio)
    if not kinds:
        return [Line(IMAGES, "yellow", "The project has no tasks.", "Import images.")]
    s = subject.context.settings
    fetcher = ImageFetcher(subject.studio, allowed_hosts(s.image_hosts), s.max_image_bytes)
    try:
        return [_tried(subject, fetcher, kind, places) for kind, places in list(kinds.items())[:KINDS]]
    finally:
        fetcher.close()


def _tried(subject: Subject, fetcher: ImageFetcher, kind: str, places: Sequence[Place]) -> Line:
    s, faults = subject.context.settings, list[tuple[int, str]]()
    for task, uri in places[:TRIES]:
        try:
            fetched = fetcher.fetch(task, uri)
            picture = read_image(fetched.content, max_pixels=s.max_image_pixels, frames=s.dicom_frames)
        except UnreadableImage as error:
            faults.append((task, error.reason))
            continue
        return read_line(kind, task, picture.image.size, faults)
    return unread_line(kind, faults)


def read_line(kind: str, task: int, size: tuple[int, int], faults: Sequence[tuple[int, str]]) -> Line:
    told = f"{kind}: the image of task {task} was fetched and decoded ({size[0]} x {size[1]})."
    if not faults:
        return Line(IMAGES, "green", told)
    others = "; ".join(f"task {number}: {reason}" for number, reason in faults)
    return Line(IMAGES, "yellow", f"{told} Not so {others}.", "Such images are left out of a queue and listed with it.")


def unread_line(kind: str, faults: Sequence[tuple[int, str]]) -> Line:
    task, reason = faults[0]
    if "SEEDQUEUE_IMAGE_HOSTS" in reason or "SSL_CERT_FILE" in reason:
        reason, _, mend = reason.partition("; ")
        mend = f"{mend[:1].upper()}{mend[1:]}."
    else:
        mend = MENDS.get(kind) or (CLOUD_MEND if kind in CLOUDS.values() else WEB_MEND)
    return Line(IMAGES, "red", f"{kind}: the image of task {task} cannot be read: {reason}.", mend)


def by_kind(places: Sequence[Place], studio: Studio) -> Mapping[str, Sequence[Place]]:
    """Tasks and URIs by the kind of storage that holds the image, in the order in which kinds appear."""
    found: dict[str, list[Place]] = {}
    for task, uri in places:
        found.setdefault(storage_kind(uri, studio), []).append((task, uri))
    return found


def storage_kind(uri: str, studio: Studio) -> str:
    """In words, what holds an image: uploads, local files, a cloud, or the server at a host."""
    uri = original_uri(uri)
    scheme, separator, _ = uri.partition("://")
    if not uri:
        return NONE
    if separator and scheme.lower() in CLOUDS:
        return CLOUDS[scheme.lower()]
    try:
        parts = urlsplit(uri)
        own = not parts.netloc or studio.is_own_host(uri)
    except ValueError:
        return "no address"
    if own and "/data/local-files" in parts.path:
        return LOCAL
    if own:
        return UPLOAD
    return f"web server {parts.hostname}"


def _places(studio: Studio, project: int, key: str) -> list[Place]:
    """Tasks and the URIs of their images: all of a small project, of a large one evenly spread pages."""
    found: list[Place] = []
    params = {
        "project": project,
        "page_size": PAGE,
        "fields": "task_only",
        "include": "id,data",
        "resolve_uri": "false",
    }
    pages, number = [1], 0
    while number < len(pages):
        page = {**params, "page": pages[number]}
        answer = studio.call("GET", "/api/tasks", project=project, params=page, missing_ok=number > 0)
        for entry in answer["tasks"] if answer else ():
            uri = value_of(entry["data"], key)
            found.append((entry["id"], uri if isinstance(uri, str) else ""))
        if number == 0 and answer:
            pages = spread(-(-int(answer["total"]) // PAGE), PAGES)
        number += 1
    return found


def spread(pages: int, most: int) -> list[int]:
    """At most so many page numbers from 1 to `pages`, the first and the last among them."""
    if pages <= most:
        return list(range(1, max(1, pages) + 1))
    return [1 + round(step * (pages - 1) / (most - 1)) for step in range(most)]


def label_config(subject: Subject) -> Sequence[Line]:
    parsed, text = subject.described.get("parsed_label_config") or {}, str(subject.described.get("label_config") or "")
    try:
        image_key_of(parsed, subject.project)
    except NoImageInLabelConfig as error:
        wrong, _, mend = str(error).partition(". ")
        return [Line(CONFIG, "red", f"{wrong}.", mend)]
    try:
        return [config_line(parse_labelling(parsed, text))]
    except LabelConfigUnusable as error:
        wrong, _, mend = str(error).partition(". ")
        return [Line(CONFIG, "yellow", f"{wrong}. A seed queue can be made, and nothing is learnt.", mend)]


def config_line(found: Labelling) -> Line:
    """What of the config a head can learn."""
    learnt = []
    if found.classification is not None:
        kind = "one of" if found.classification_kind == "single" else "any of"
        learnt.append(f"{kind} {len(found.classes)} classes an image")
    if found.mask_classes:
        learnt.append(f"masks of {len(found.mask_classes)} classes")
    aside = f" Not learnt: {', '.join(found.ignored)}." if found.ignored else ""
    if learnt:
        return Line(CONFIG, "green", f"It asks for {' and '.join(learnt)}.{aside}")
    mend = "Add Choices, Taxonomy, or brush, polygon, rectangle or ellipse labels under Settings > Labeling Interface."
    return Line(CONFIG, "yellow", f"It asks for nothing that a head learns: a seed queue can be made.{aside}", mend)

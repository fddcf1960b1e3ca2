"""Images into Label Studio or into a folder, and the tasks that show them; every task once, whatever breaks off."""

from __future__ import annotations

import re
import time
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Protocol
from urllib.parse import urlsplit

import httpx
from label_studio_sdk.core.api_error import ApiError

from seedqueue.backend.errors import LabelStudioRefused
from seedqueue.backend.folder import replacing
from seedqueue.backend.intake.errors import TasksMissing, UploadLost
from seedqueue.backend.label_studio import LOCKED_PAUSES, SLOW_CALL_SECONDS, Studio
from seedqueue.backend.pool import list_pool

# Label Studio puts eight hexadecimal digits before the name of an upload.
UPLOADED = re.compile(r".*/[0-9a-f]{8}-(i-[0-9a-f]+\.png)")
TIMEOUT = httpx.Timeout(SLOW_CALL_SECONDS, connect=5.0)


class Place(Protocol):
    """Where images go, under names that are pseudonyms."""

    def put(self, images: Mapping[str, bytes]) -> dict[str, str]:
        """{name: the address for task data} of {name: PNG}."""
        ...


@dataclass(frozen=True)
class Folder:
    """A folder that is served by others; `prefix` and a name is an image's address."""

    folder: Path
    prefix: str

    def put(self, images: Mapping[str, bytes]) -> dict[str, str]:
        for name, content in images.items():
            try:
                with replacing(self.folder / name) as part:
                    part.write_bytes(content)
            except OSError as error:  # a full disk names no file
                raise OSError(error.errno, error.strerror, str(self.folder / name)) from error
        return {name: self.prefix + name for name in images}


class Uploads:
    """Label Studio's own store. What an import that broke off has uploaded is used, not uploaded once more."""

    def __init__(self, studio: Studio, project: int) -> None:
        self._studio, self._project = studio, project
        self._there = self._listed({"all": "true"})

    def put(self, images: Mapping[str, bytes]) -> dict[str, str]:
        """Raises `UploadLost`, `LabelStudioRefused`."""
        fresh = {name: content for name, content in images.items() if not self._has(name, len(content))}
        if fresh:
            numbers = self._upload(fresh)
            self._there |= self._listed({"ids": str(numbers)})
        there = {name: self._there[name] for name in images if self._has(name, len(images[name]))}
        if len(there) < len(images):
            raise UploadLost(len(images), len(there))
        base = urlsplit(self._studio.public_url).path.rstrip("/")
        return {name: f"{base}/data/{path}" for name, (path, _) in there.items()}

    def _has(self, name: str, size: int) -> bool:
        return name in self._there and self._there[name][1] == size

    def _upload(self, images: Mapping[str, bytes]) -> list[int]:
        parts = [(f"file{at}", (name, png, "image/png")) for at, (name, png) in enumerate(images.items())]
        answer = post(self._studio, self._project, params={"commit_to_project": "false"}, files=parts)
        return [int(number) for number in answer["file_upload_ids"]]

    def _listed(self, params: Mapping[str, str]) -> dict[str, tuple[str, int]]:
        """{name: (path, size in bytes)} of what was uploaded to the project; of several of a name the newest."""
        path = f"/api/projects/{self._project}/file-uploads"
        found = self._studio.call("GET", path, project=self._project, params=params, slow=True)
        listed = sorted(found, key=lambda entry: int(entry["id"]))
        named = ((UPLOADED.fullmatch(str(entry["file"])), entry) for entry in listed)
        return {match[1]: (str(entry["file"]), int(entry["size"] or 0)) for match, entry in named if match}


def post(studio: Studio, project: int, **content: Any) -> Any:
    """One call of the project's import. Raises `LabelStudioRefused` and its like."""
    url = f"{studio.url}/api/projects/{project}/import"
    with studio.translated(project):
        answer = studio.http.post(url, headers=studio.headers(), timeout=TIMEOUT, **content)
        if answer.status_code >= 300:
            is_json = "json" in answer.headers.get("content-type", "")
            body = answer.json() if is_json else answer.text[:300]
            raise ApiError(status_code=answer.status_code, body=body, headers=dict(answer.headers))
        return answer.json()


def known_images(studio: Studio, project: int) -> set[str]:
    """The image ids of the project's tasks."""
    found = list_pool(studio, project, fields=("image_id",))
    return {one.fields["image_id"] for one in found if "image_id" in one.fields}


def make_tasks(studio: Studio, project: int, tasks: Sequence[Mapping[str, Any]]) -> None:
    """Make a task of each data. Where the server failed and a part may be made, only what is missing is sent again.

    Raises `TasksMissing`, `LabelStudioRefused` and its like.
    """
    missing = list(tasks)
    for pause in (*LOCKED_PAUSES, None):
        try:
            made = int(post(studio, project, json=missing)["task_count"])
        except LabelStudioRefused as error:
            if pause is None or error.code < 500:
                raise
            time.sleep(pause)
            there = known_images(studio, project)
            missing = [one for one in missing if one["image_id"] not in there]
            if missing:
                continue
            return
        if made != len(missing):
            raise TasksMissing(len(missing), made)
        return

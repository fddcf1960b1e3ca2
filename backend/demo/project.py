"""A project with images in it, made through Label Studio's API."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from contextlib import ExitStack
from pathlib import Path

from seedqueue.backend.label_studio import Studio

LABEL_CONFIG = """
<View>
  <Image name="image" value="$image" zoom="true"/>
  <Choices name="finding" toName="image" showInline="true">
    <Choice value="finding"/>
    <Choice value="no finding"/>
    <Choice value="not usable"/>
  </Choices>
</View>
""".strip()
BATCH = 50


def create_project(studio: Studio, title: str, label_config: str = LABEL_CONFIG) -> int:
    """A new project; its number."""
    with studio.translated():
        project = studio.sdk.projects.create(title=title, label_config=label_config)
    return int(project.id)


def upload(studio: Studio, project: int, files: Sequence[Path], progress: Callable[[int, int], None]) -> None:
    """Upload image files; each becomes one task."""
    for start in range(0, len(files), BATCH):
        batch = files[start : start + BATCH]
        with ExitStack() as opened, studio.translated(project):
            parts = [(file.name, opened.enter_context(file.open("rb"))) for file in batch]
            answer = studio.http.post(
                f"{studio.url}/api/projects/{project}/import",
                files=[(f"file{number}", part) for number, part in enumerate(parts)],
                headers=studio.headers(),
            )
            answer.raise_for_status()
        progress(start + len(batch), len(files))

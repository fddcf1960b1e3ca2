"""The methods of a project as files in a folder: the only part that touches the home and the disk."""

from __future__ import annotations

from pathlib import Path

from seedqueue.backend.context import Context
from seedqueue.backend.errors import FolderUnusable, SeedqueueError
from seedqueue.backend.methods import proof
from seedqueue.backend.methods.citing import Cited
from seedqueue.backend.methods.flow_svg import drawn
from seedqueue.backend.methods.recorded import Recorded, read
from seedqueue.backend.methods.rendering import card_text, text
from seedqueue.backend.methods.story import gather_facts


class NothingRecorded(SeedqueueError):
    """The home knows nothing of the project."""

    status = 404

    def __init__(self, project: int, url: str, home: object) -> None:
        super().__init__(
            f"The home {home} holds no record of project {project} of Label Studio at {url}. Give the project's number "
            f"as in /projects/<number>, or set LABEL_STUDIO_URL and SEEDQUEUE_HOME as when the work was done; a new "
            f"project gets its first record with `seedqueue seed --project {project}`."
        )


def write_methods(context: Context, project: int, out: Path, *, sources: bool = False) -> list[Path]:
    """Write methods.md, flow.svg, model-card.md, references.md and references.bib; other files in `out` stay.

    Asks neither Label Studio nor Redis. The same records give the same bytes; the SHA-256 of an embedder's weights is
    told where a file in the weights folder proves it. sources: with an appendix that names the rows of each sentence.
    Raises `NothingRecorded`, `FolderUnusable`.
    """
    recorded = read(context.records, context.versions, project)
    if recorded.empty:
        raise NothingRecorded(project, context.settings.label_studio_url, context.settings.home)
    story, cited = gather_facts(recorded, _weights(context.settings.weights, recorded)), Cited()
    files = {
        "methods.md": text(story, cited, sources=sources),
        "flow.svg": drawn(story.steps, f"Flow of the images of project {project}"),
        "model-card.md": card_text(story, cited),
        "references.md": cited.markdown(),
        "references.bib": cited.bib(),
    }
    try:
        out.mkdir(parents=True, exist_ok=True)
        for name, content in files.items():
            # A name that is not valid Unicode is shown with a mark in its place.
            (out / name).write_bytes(content.encode("utf-8", errors="replace"))
    except OSError as error:
        raise FolderUnusable(out, error.strerror or str(error)) from error
    return [out / name for name in files]


def _weights(folder: Path, recorded: Recorded) -> dict[str, str]:
    used = {row.run.fingerprint: row.run.choices.embedder for row in recorded.runs if row.run.fingerprint}
    found = {print_: proof.of_folder(folder, name, print_) for print_, name in used.items()}
    return {print_: sha256 for print_, sha256 in found.items() if sha256}

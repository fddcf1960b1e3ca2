"""`seedqueue bundle` and `seedqueue sbom`: for machines without a network."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated

import typer
from rich.filesize import decimal

from seedqueue.backend import screen, settings
from seedqueue.backend.children import signals_interrupt
from seedqueue.backend.folder import check_out
from seedqueue.backend.offline import bundle as bundles
from seedqueue.backend.offline import closure, weight_files
from seedqueue.backend.offline import sbom as sboms

Embedders = Annotated[
    list[str] | None, typer.Option("--embedder", help="an embedder whose weights go along, repeatable")
]
Extras = Annotated[list[str] | None, typer.Option("--extra", help="an extra of seedqueue, such as timm, repeatable")]
Images = Annotated[
    list[Path] | None, typer.Option("--images", help="a container image that `docker save` wrote, repeatable")
]
Studio = Annotated[
    Path | None, typer.Option(help="the virtual environment of a Label Studio that goes along, as wheels")
]


def bundle(
    out: Annotated[Path, typer.Option(help="the folder to make")],
    embedder: Embedders = None,
    extra: Extras = None,
    images: Images = None,
    label_studio: Studio = None,
) -> None:
    """All that a machine without a network needs, in one folder with checksums and an install.py."""
    names = embedder or []
    wanted = bundles.Wanted(
        extras=sorted({*(extra or ()), *weight_files.extras_of(names), *_own_extra()}),
        weights=weight_files.named(settings.load().weights, names),
        images=[image.expanduser() for image in images or ()],
        label_studio=label_studio and label_studio.expanduser().absolute(),
    )
    with signals_interrupt(), screen.progress_bar("wheels") as advance:
        made = bundles.make(out.expanduser().absolute(), wanted, advance)
    screen.say(f"{made.folder}: {made.packages} packages, {made.files} files, {decimal(made.size)}")
    screen.say("on the other machine: python3 install.py --venv /opt/seedqueue")


def _own_extra() -> set[str]:
    """What `seedqueue sbom` stands on, where it is here: on the other machine it can no more be had."""
    return {"offline"} & set(closure.installed_extras(closure.ours()))


def sbom(
    out: Annotated[Path | None, typer.Option(help="the file to write  [default: standard output]")] = None,
) -> None:
    """What is installed here that seedqueue stands on, weights included, as CycloneDX JSON."""
    file = out and out.expanduser()
    if file:
        check_out(file)
    text = sboms.bill(settings.load().weights)
    if file is None:
        typer.echo(text, nl=False)
        return
    file.write_text(text, encoding="utf-8")
    screen.say(f"{file}: written")


def add_to(app: typer.Typer) -> None:
    """Add the commands to the command line."""
    app.command("bundle")(bundle)
    app.command("sbom")(sbom)

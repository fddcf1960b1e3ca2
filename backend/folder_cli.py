"""`seedqueue select` and `seedqueue report`: a folder of images, without Label Studio."""

from __future__ import annotations

from datetime import datetime
from pathlib import Path
from typing import Annotated

import typer

from seedqueue.backend import options, report_folder, report_words, screen, seeding, settings
from seedqueue.backend.context import Context
from seedqueue.backend.folder import check_folder, check_out
from seedqueue.backend.folder_pool import Tables, embed_folder
from seedqueue.backend.folder_queue import select_folder, write_queue_csv
from seedqueue.models import registry as embedders

Images = Annotated[Path, typer.Option(help="folder of images, with its subfolders")]
Fields = Annotated[Path | None, typer.Option(help="CSV: file, and what task data would hold")]
Labelled = Annotated[Path | None, typer.Option(help="CSV: file; images that have a label: covered ground")]


def select(
    images: Images,
    out: Annotated[Path, typer.Option(help="the CSV file to write: rank,file,cluster,weight")],
    budget: options.Budget = None,
    embedder: options.EmbedderName = None,
    selector: options.SelectorName = None,
    random_seed: options.RandomSeed = None,
    weak_label: options.WeakLabelSource = None,
    group_field: options.GroupField = None,
    per_group: options.PerGroup = None,
    near_duplicate: options.NearDuplicate = None,
    fields: Fields = None,
    labelled: Labelled = None,
    extends: Annotated[Path | None, typer.Option(help="an earlier queue.csv, lengthened to the budget")] = None,
    predictions: Annotated[
        Path | None, typer.Option(help="CSV: file and a column for each class, for the selectors of later rounds")
    ] = None,
    representation: options.Shown = None,
    components: options.Components = None,
) -> None:
    """The same choice on a folder of images, without Label Studio."""
    check_folder(images)
    loaded = settings.load()
    asked = options.given(
        budget=budget,
        embedder=embedder,
        selector=selector,
        random_seed=random_seed,
        weak_label=weak_label,
        group_field=group_field,
        per_group=per_group,
        near_duplicate=near_duplicate,
    )
    choices = seeding.choices_from(asked, loaded)
    tables = Tables(fields=fields, labelled=labelled, extends=extends, predictions=predictions)
    tables.check(choices)
    check_out(out)
    model = embedders.create(choices.embedder, loaded.weights, Context(loaded).runtime)
    with screen.progress_bar("embedding") as advance:
        chosen = select_folder(
            images,
            choices,
            model,
            max_pixels=loaded.max_image_pixels,
            progress=advance,
            frames=loaded.dicom_frames,
            tables=tables,
            representation=representation,
            components=components,
        )
    write_queue_csv(chosen, out)
    for file, reason in chosen.unreadable:
        screen.warn(f"unreadable, skipped: {file}: {reason}")
    screen.say(f"{len(chosen.rows)} images in {out} ({len(chosen.unreadable)} unreadable)")


def report(
    images: Images,
    out: Annotated[Path, typer.Option(help="the HTML file to write: one page, all in it")],
    json: Annotated[Path | None, typer.Option(help="a JSON file with the same numbers, and more")] = None,
    budget: options.Budget = None,
    embedder: options.EmbedderName = None,
    selector: options.SelectorName = None,
    random_seed: options.RandomSeed = None,
    weak_label: options.WeakLabelSource = None,
    group_field: options.GroupField = None,
    per_group: options.PerGroup = None,
    near_duplicate: options.NearDuplicate = None,
    fields: Fields = None,
    labelled: Labelled = None,
) -> None:
    """How well a choice covers a folder of images and how stable it is, before anyone labels."""
    check_folder(images)
    loaded = settings.load()
    asked = options.given(
        budget=budget,
        embedder=embedder,
        selector=selector,
        random_seed=random_seed,
        weak_label=weak_label,
        group_field=group_field,
        per_group=per_group,
        near_duplicate=near_duplicate,
    )
    choices = seeding.choices_from(asked, loaded)
    tables = Tables(fields=fields, labelled=labelled)
    tables.check(choices)
    for path in (out, json):
        if path is not None:
            check_out(path)
    model = embedders.create(choices.embedder, loaded.weights, Context(loaded).runtime)
    max_pixels, frames = loaded.max_image_pixels, loaded.dicom_frames
    with screen.progress_bar("embedding") as advance:
        pool = embed_folder(images, choices.budget, model, max_pixels=max_pixels, progress=advance, frames=frames)
    with screen.progress_bar("choosing") as advance:
        found = report_folder.report_on(pool, choices, model, tables, advance)
    told = report_folder.ran(pool, model, datetime.now().astimezone().strftime("%Y-%m-%d %H:%M"))
    report_folder.write_report(pool, found, told, out, json, max_pixels, frames)
    for file, reason in pool.unreadable:
        screen.warn(f"unreadable, skipped: {file}: {reason}")
    for line in report_words.summary(found):
        screen.say(line)
    screen.say(f"{out}{f' and {json}' if json else ''} ({len(pool.unreadable)} unreadable)")

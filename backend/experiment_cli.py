"""`seedqueue experiment`: which embedder and selector, at which budget, on a pool that is labelled already."""

from __future__ import annotations

import os
import shlex
import sys
from collections.abc import Sequence
from datetime import datetime
from importlib.metadata import version
from pathlib import Path
from typing import Annotated, Literal

import typer

from seedqueue.backend import experiment_project, screen, settings
from seedqueue.backend.context import Context
from seedqueue.backend.errors import InvalidRequest
from seedqueue.backend.experiment import Asked, run_experiment
from seedqueue.backend.options import within
from seedqueue.experiments.comparisons import Findings
from seedqueue.experiments.grid import Grid, PoolSpec, read_grid
from seedqueue.experiments.study import Study
from seedqueue.experiments.verdicts import headline, on_top, verdicts

WITH_CONFIG = frozenset({"config", "data", "out", "work", "workers"})
OF_NETWORKS = frozenset({"side", "epochs", "random_weights"})
VERSIONS = ("seedqueue", "numpy", "scikit-learn", "torch")


def experiment(
    ctx: typer.Context,
    out: Annotated[Path, typer.Option(help="folder for results.csv, report.md and report.html; a killed run resumes")],
    images: Annotated[Path | None, typer.Option(help="folder of labelled images, with its subfolders")] = None,
    labels: Annotated[
        Path | None, typer.Option(help="CSV (file, label, mask, patient, split), or NIH's, SIIM's, ChestX-Det's table")
    ] = None,
    project: Annotated[
        int | None, typer.Option(help="in place of a folder: an annotated Label Studio project", min=1)
    ] = None,
    config: Annotated[
        Path | None, typer.Option(help="in place of the options: a TOML file, see docs/experiments")
    ] = None,
    data: Annotated[Path | None, typer.Option(help="the folder that the paths of --config are within")] = None,
    positive: Annotated[
        list[str] | None, typer.Option(help="a finding to predict, repeatable  [default: all classes at once]")
    ] = None,
    finding: Annotated[str | None, typer.Option(help="whose masks, where the table has several findings")] = None,
    label_column: Annotated[str, typer.Option(help="the column of the label, for our own CSV")] = "label",
    group_field: Annotated[str, typer.Option(help="the column of the patient, for our own CSV")] = "patient",
    near_duplicate: Annotated[float, typer.Option(help="a cosine; such images are never split, 0: off")] = 0.9,
    embedders: Annotated[str | None, typer.Option(help="comma-separated  [default: SEEDQUEUE_EMBEDDER]")] = None,
    embeddings: Annotated[
        list[str] | None,
        typer.Option(help="NAME=FILE: precomputed ones beside them, .npz or CSV by file name, repeatable"),
    ] = None,
    selectors: Annotated[str, typer.Option(help="comma-separated; options behind colons, as kmeans:pool=200")] = (
        "uniform,kmeans,facility-location"
    ),
    budgets: Annotated[str, typer.Option(help="comma-separated")] = "20,40,60,80,100",
    repeats: Annotated[
        int | None, typer.Option(help="splits, each with its own random seed  [default: 20 linear, 5 networks]", min=2)
    ] = None,
    draws: Annotated[int, typer.Option(help="random queues in each repeat", callback=within("draws", 1, 1000))] = 10,
    head: Annotated[str, typer.Option(help="comma-separated: linear, vgg11, unet-vgg11")] = "linear",
    protocol: Annotated[
        Literal["honest", "paper"], typer.Option(help="paper: also with a labelled validation set, as published")
    ] = "honest",
    random_seed: Annotated[int, typer.Option(help="the random seed", min=0)] = 0,
    random_weights: Annotated[
        bool, typer.Option("--random-weights", help="networks begin from random weights, not from ImageNet's")
    ] = False,
    side: Annotated[int | None, typer.Option(help="of the networks' input in pixels  [default: 224]", min=32)] = None,
    epochs: Annotated[
        int | None, typer.Option(help="of the networks  [default: 40, masks 60, as published 100]", min=1)
    ] = None,
    work: Annotated[
        Path | None,
        typer.Option(help="for what a later run goes on from; several can share it  [default: OUT/work]"),
    ] = None,
    workers: Annotated[
        int | None, typer.Option(help="processes here; 0: others do the work  [default: one a core]", min=0)
    ] = None,
) -> None:
    """Embedders, selectors and budgets compared on a pool that is labelled already."""
    loaded = settings.load()
    with Context(loaded) as context:
        if config is not None:
            _refuse(ctx, beside="--config", but=WITH_CONFIG)
            grid = read_grid(config)
        else:
            if data is not None:
                raise InvalidRequest("--data goes with --config, whose paths are within it.")
            heads = _listed(head)
            if heads == ("linear",):
                _refuse(ctx, beside="--head linear", only=OF_NETWORKS)
            if project is not None:
                if images is not None or labels is not None:
                    raise InvalidRequest("Give --project, or --images and --labels, not both.")
                kept_in = (work or out / "work") / f"project-{project}"
                name, where, table = _exported(context, project, kept_in, group_field, finding)
                label_column, group_field = "label", "patient"  # the export's own columns
            elif images is not None and labels is not None:
                name, where, table = images.absolute().name, images, labels
            else:
                raise InvalidRequest("Give --images and --labels, or --project, or --config.")
            spec = PoolSpec(
                name=name,
                images=str(where.absolute()),
                labels=str(table.absolute()),
                positive=tuple(positive or ()),
                finding=finding,
                label=label_column,
                group=group_field,
                near_duplicate=near_duplicate,
                embeddings=_precomputed(embeddings or ()),
            )
            grid = Grid(
                title=" ".join([name, *(positive or ())]),
                question="Which embedder and which selector, at which budget, and is it better than random?",
                pools=(spec,),
                embedders=tuple(dict.fromkeys([*_listed(embedders or ""), *spec.embeddings])) or (loaded.embedder,),
                selectors=_listed(selectors),
                budgets=_numbers("budgets", budgets),
                repeats=repeats or (20 if heads == ("linear",) else 5),
                draws=draws,
                heads=heads,
                protocol=protocol,
                random_seed=random_seed,
                random_weights=random_weights,
                side=side or 0,
                epochs=epochs or 0,
            ).check()
        kept = (work or out / "work").absolute()
        count = _cores() if workers is None else workers
        asked = Asked(grid, (data or Path()).absolute(), out.absolute(), kept, count, _typed())
        study = run_experiment(context, asked, screen.progress_bar, screen.warn, _ran())
    _show(study, out)


def _refuse(
    ctx: typer.Context, beside: str, but: frozenset[str] = frozenset(), only: frozenset[str] | None = None
) -> None:
    """Options that would do nothing beside another. Raises `InvalidRequest`."""
    for name in ctx.params:
        source = ctx.get_parameter_source(name)
        typed = source is not None and source.name == "COMMANDLINE"
        if typed and name not in but and (only is None or name in only):
            raise InvalidRequest(f"--{name.replace('_', '-')} has no effect beside {beside}: leave one of them out.")


def _exported(
    context: Context, project: int, folder: Path, group_field: str, finding: str | None
) -> tuple[str, Path, Path]:
    """A project as a labelled folder: the pool's name, its images, its table."""
    with screen.progress_bar("fetching") as advance:
        table = experiment_project.export_project(
            context, project, folder, group_field, mask_class=finding, progress=advance, say=screen.warn
        )
    return f"project {project}", folder / "images", table


def _precomputed(texts: Sequence[str]) -> dict[str, str]:
    """The file by name of each NAME=FILE. Raises `InvalidRequest`."""
    found = {}
    for text in texts:
        name, _, file = text.partition("=")
        if not (name and file):
            raise InvalidRequest(f"--embeddings is {text!r}; give NAME=FILE, as mine=vectors.npz.")
        found[name] = str(Path(file).absolute())
    return found


def _listed(text: str) -> tuple[str, ...]:
    return tuple(part.strip() for part in text.split(",") if part.strip())


def _numbers(name: str, text: str) -> tuple[int, ...]:
    try:
        return tuple(int(part) for part in _listed(text))
    except ValueError as error:
        raise InvalidRequest(f"--{name} is {text!r}; give whole numbers, comma-separated, as 20,40.") from error


def _cores() -> int:
    return len(os.sched_getaffinity(0)) if hasattr(os, "sched_getaffinity") else os.cpu_count() or 1


def _typed() -> str:
    """The command as it was typed, less where it works: that changes nothing of the report."""
    left_out = ("--work", "--workers")
    words = iter(sys.argv[1:])
    kept = []
    for word in words:
        if word in left_out:
            next(words, None)
        elif word.partition("=")[0] not in left_out:
            kept.append(word)
    return shlex.join(["seedqueue", *kept])


def _ran() -> str:
    versions = ", ".join(f"{name} {version(name)}" for name in VERSIONS)
    return f"{datetime.now().astimezone():%Y-%m-%d} with {versions}"


def _show(study: Study, out: Path) -> None:
    """What the report says first, and where it is."""
    findings = Findings(study)
    screen.say(headline(findings))
    for question, answers in verdicts(findings).items():
        screen.say(f"\n{question}")
        for line in on_top(answers):
            screen.say(f"- {line}")
    screen.say(f"\n{out / 'report.html'}, {out / 'report.md'}, {out / 'results.csv'}")

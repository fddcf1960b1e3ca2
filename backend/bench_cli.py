"""`seedqueue bench`: the product's speed and its selectors' worth, each measured in one run."""

from __future__ import annotations

import tempfile
from collections.abc import Callable
from dataclasses import replace
from pathlib import Path
from typing import Annotated

import typer

from seedqueue.backend import screen
from seedqueue.backend.bench import embed as bench
from seedqueue.backend.bench import learning, selection
from seedqueue.backend.bench.rows import as_json, as_table, choices_table, timings_table
from seedqueue.backend.demo.phantoms import write_phantoms
from seedqueue.backend.folder import list_images
from seedqueue.backend.options import within

app = typer.Typer(help="The product's speed beside its peers', in one run.", no_args_is_help=True)


def _maybe(name: str, least: int, most: int) -> Callable[[int | None], int | None]:
    check = within(name, least, most)
    return lambda number: None if number is None else check(number)


def _pool_sizes(numbers: list[int] | None) -> list[int] | None:
    return numbers and [within("rows", 2, 1_000_000)(number) for number in numbers]


@app.command("embed")
def bench_embed(
    images: Annotated[Path | None, typer.Option(help="folder of images to measure with  [default: phantoms]")] = None,
    count: Annotated[int, typer.Option(help="how many of them", callback=within("count", 16, 10_000))] = 32,
    rounds: Annotated[
        int, typer.Option(help="rounds, of which the best counts", callback=within("rounds", 1, 100))
    ] = 3,
    json: Annotated[bool, typer.Option("--json", help="one JSON object a row")] = False,
) -> None:
    """Embedding on one core beside torchxrayvision, eager PyTorch and ONNX Runtime."""
    with tempfile.TemporaryDirectory() as folder:
        place = Path(folder)
        files = list_images(images)[:count] if images else write_phantoms(place / "phantoms", count)
        rows = bench.run(files, place, rounds, screen.warn)
    print(as_json(rows) if json else as_table(rows))


@app.command("select")
def bench_select(
    rows: Annotated[
        list[int] | None,
        typer.Option(help="a pool of so many, repeatable  [default: 1000, 10000, 100000]", callback=_pool_sizes),
    ] = None,
    budget: Annotated[int, typer.Option(help="how many are chosen", callback=within("budget", 1, 100_000))] = 100,
    embeddings: Annotated[Path | None, typer.Option(help="a matrix from np.save  [default: drawn ones]")] = None,
    million: Annotated[
        bool, typer.Option("--million", help="1,000 of 1,000,000 in a file, alone without --rows")
    ] = False,
    json: Annotated[bool, typer.Option("--json", help="one JSON object a row")] = False,
) -> None:
    """Selectors on one core beside scikit-learn, faiss and scikit-activeml."""
    sizes = rows or ([] if million else selection.SIZES)
    with tempfile.TemporaryDirectory() as folder:
        found = selection.run(sizes, budget, embeddings, Path(folder), screen.warn, streamed=million)
    print(as_json(found) if json else choices_table(found))


def _sizes(name: str, most: int) -> Callable[[list[int] | None], list[int] | None]:
    check = within(name, 2, most)
    return lambda numbers: numbers and [check(number) for number in numbers]


@app.command("learn")
def bench_learn(
    images: Annotated[Path | None, typer.Option(help="folder of images to learn from  [default: phantoms]")] = None,
    count: Annotated[
        int | None, typer.Option(help="images in an epoch  [default: 40]", callback=_maybe("count", 8, 1_000))
    ] = None,
    labels: Annotated[
        list[int] | None,
        typer.Option(help="fits of so many, repeatable  [default: 40, 100, 500]", callback=_sizes("labels", 10_000)),
    ] = None,
    pool: Annotated[
        list[int] | None,
        typer.Option(
            help="probabilities of so many rows, repeatable  [default: 10000, 100000]",
            callback=_sizes("pool", 1_000_000),
        ),
    ] = None,
    stored: Annotated[
        list[int] | None,
        typer.Option(
            help="homes with so many embeddings, repeatable  [default: 1000, 10000]",
            callback=_sizes("stored", 1_000_000),
        ),
    ] = None,
    rounds: Annotated[
        int | None,
        typer.Option(help="rounds, of which the best counts  [default: 3]", callback=_maybe("rounds", 1, 100)),
    ] = None,
    epochs: Annotated[
        int | None,
        typer.Option(
            help="epochs of each network, of which the best counts  [default: 1]", callback=_maybe("epochs", 1, 100)
        ),
    ] = None,
    quick: Annotated[bool, typer.Option("--quick", help="tiny sizes, only to see that it runs")] = False,
    json: Annotated[bool, typer.Option("--json", help="one JSON object a row")] = False,
) -> None:
    """Training times of all heads and the latency of /predict, on all cores."""
    sizes = learning.Sizes.quick() if quick else learning.Sizes()
    sizes = replace(
        sizes,
        images=count or sizes.images,
        labels=tuple(labels or sizes.labels),
        pools=tuple(pool or sizes.pools),
        stored=tuple(stored or sizes.stored),
        rounds=rounds or sizes.rounds,
        epochs=epochs or sizes.epochs,
    )
    with tempfile.TemporaryDirectory() as folder:
        place = Path(folder)
        files = list_images(images) if images else write_phantoms(place / "phantoms", sizes.images)
        measured_on = learning.machine()
        found = learning.run(files, place, sizes, screen.warn)
    if json:
        screen.warn(measured_on)
    print(as_json(found) if json else f"{measured_on}\n\n{timings_table(found)}")

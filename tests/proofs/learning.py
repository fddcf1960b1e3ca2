"""Learning from real annotations at full size, on a real Label Studio: what docs/learning.md reports.

    make prove-learning                  # both; PROOF=classes or PROOF=masks for one of them

Classes: all 780 breast ultrasounds, 40 seeds and an audit slice of 150, then rounds of 20 by uncertainty herding until
100 are learnt from. Masks: 400 chest radiographs, 40 seeds, ground truth on 100 others, the U-Net from random
weights. Annotators take what Label Studio serves and submit the true labels.
"""

from __future__ import annotations

import argparse
import os
import sys
import tempfile
import time
from contextlib import ExitStack
from pathlib import Path
from typing import Any

sys.path.insert(0, str(Path(__file__).resolve().parents[1] / "support"))

from annotating import Expert, served
from running import Backend
from taught import Taught
from truth import Truth, lung_masks, ultrasound_kinds
from waiting import eventually

from seedqueue.backend import learning, seeding, waking
from seedqueue.backend.children import Children, free_port
from seedqueue.backend.context import Context
from seedqueue.backend.demo import backend as backends
from seedqueue.backend.demo.annotator import Annotator
from seedqueue.backend.demo.label_studio import LabelStudioServer, sign_up
from seedqueue.backend.settings import Settings
from seedqueue.backend.versions import ModelVersion

ROOT = Path(__file__).resolve().parents[2]
DATA = Path(os.environ.get("SEEDQUEUE_TEST_DATA") or ROOT.parent / "shared").resolve()
LABEL_STUDIO = Path(os.environ.get("SEEDQUEUE_LABEL_STUDIO") or ROOT / ".venv-label-studio/bin/label-studio")
LONGEST = 3600.0


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("proof", nargs="?", choices=("classes", "masks", "both"), default="both")
    parser.add_argument("--count", type=int, help="so many images only, to try it out")
    given = parser.parse_args()
    with ExitStack() as opened:
        children = opened.enter_context(Children())
        place = Path(opened.enter_context(tempfile.TemporaryDirectory(prefix="sq-")))
        say("starting Label Studio ...")
        server = LabelStudioServer(children, LABEL_STUDIO, place / "label-studio")
        server.start()
        if given.proof in ("classes", "both"):
            print(classes(opened, server, place / "classes", ultrasound_kinds(DATA, given.count)), flush=True)
        if given.proof in ("masks", "both"):
            print(masks(opened, server, place / "masks", lung_masks(DATA, given.count)), flush=True)


def classes(opened: ExitStack, server: LabelStudioServer, home: Path, truth: Truth) -> str:
    taught = begin(opened, server, home, truth, embedder="imagenet:squeezenet1_1", weights=DATA / "weights")
    run = taught.backend.request(taught.project, budget=40, audit=150, near_duplicate=0.9)
    queue(taught, run)
    say("labelling the seeds, and the whole audit slice ...")
    taught.expert.answer(taught.audit)
    taught.expert.answer(taught.seeds)
    marks = [after(taught, 40)]
    while marks[-1].labels < 100:
        queue(taught, seeding.request_round(taught.backend.context, taught.project, {"budget": 20}))
        taught.expert.answer(taught.seeds)
        marks.append(after(taught, marks[-1].labels + 15))
        say(f"{marks[-1].name}: {marks[-1].labels} labels")
    rows = [class_row(version) for version in marks]
    advice = learning.overview(taught.backend.context, taught.project).curves[0].advice.sentence
    head = "| version | labels | malignant: AUPRC | prevalence | macro AUPRC | paired difference to its parent |"
    return "\n".join([head, "| --- | ---: | ---: | ---: | ---: | ---: |", *rows, "", f"> {advice}"])


def class_row(version: ModelVersion) -> str:
    malignant = next(one for one in version.figures["classes"] if one["name"] == "malignant")
    difference = f"{version.difference['value']:+.3f}" if version.difference else "-"
    cells = [shown(malignant["auprc"]), f"{malignant['prevalence']['value']:.2f}", shown(version.primary), difference]
    return f"| {version.name} | {version.labels} | {' | '.join(cells)} |"


def masks(opened: ExitStack, server: LabelStudioServer, home: Path, truth: Truth) -> str:
    taught = begin(opened, server, home, truth, embedder="imagenet:squeezenet1_1", weights=DATA / "weights", heads="")
    queue(taught, taught.backend.request(taught.project, budget=min(40, len(truth.images) // 2)))
    say("labelling ground truth on 100 tasks, then the seeds ...")
    others = [task for task in taught.unlabelled() if task not in taught.seeds]
    taught.expert.answer(others[:: max(1, len(others) // 100)][:100], ground_truth=True)
    taught.expert.answer(taught.seeds)  # last: two seconds after it learning begins of itself
    say("training the U-Net ...")
    began = time.monotonic()
    waking.ask(taught.backend.context.broker, taught.project, ["unet-vgg11"])
    version = after(taught, 1)
    figures = version.figures["macro"]
    rows = [
        ("learnt from, judged on", f"{version.labels} by the seed queue, {len(version.audit)} of the ground truth"),
        ("DSC", shown(figures["dsc"])),
        ("HD95, median, pixels of the original", shown(figures["pixels"]["hd95_median"])),
        ("miss rate", shown(figures["miss_rate"])),
        ("began from ImageNet's weights", "yes" if version.pretrained else "no: random ones"),
        (
            "training and judging, seconds",
            f"{version.seconds:.0f} ({time.monotonic() - began:.0f} since it was asked for)",
        ),
    ]
    return "\n".join(["| | |", "| --- | --- |", *(f"| {name} | {value} |" for name, value in rows)])


def begin(opened: ExitStack, server: LabelStudioServer, home: Path, truth: Truth, **changes: Any) -> Taught:
    """A project over the truth's images, with a backend of its own attached."""
    home.mkdir()
    port, started = free_port(), opened.enter_context(Children())
    settings = Settings(
        label_studio_url=server.url,
        label_studio_api_key=server.token,
        backend_url=f"http://127.0.0.1:{port}",
        home=home,
        image_hosts="127.0.0.1",
        **changes,
    )
    backends.start(started, settings, port, 1, home / "serve.log")
    images = opened.enter_context(served(truth))
    context = opened.enter_context(Context(settings))
    backend = Backend(context, started, home / "serve.log", eventually)
    project = backend.new_project(images.urls(), truth.label_config)
    backend.attach(project)
    token = sign_up(server, f"expert{port}@example.com", "a long password")
    return Taught(backend, project, Expert(Annotator(server.url, token, project), truth))


def queue(taught: Taught, run: Any) -> None:
    say("embedding and choosing ...")
    ended = taught.backend.ended(run, LONGEST)
    assert ended.state == "published", ended.error
    taught.queue = taught.backend.context.records.queue(taught.project, ended.number)


def after(taught: Taught, labels: int) -> ModelVersion:
    """The newest version, once it has learnt from so many tasks and nothing more is due."""
    eventually(lambda: (made := taught.versions()) and made[-1].labels >= labels, LONGEST, f"{labels} labels learnt")
    taught.still()
    return taught.versions()[-1]


def shown(figure: Any) -> str:
    if figure["value"] is None:
        return f"- ({figure['reason']})"
    interval = "" if figure["low"] is None else f" ({figure['low']:.3f} to {figure['high']:.3f})"
    return f"{figure['value']:.3f}{interval}"


def say(text: str) -> None:
    print(text, file=sys.stderr, flush=True)


if __name__ == "__main__":
    main()

"""How smoothly the page's map moves: a real backend and home with a drawn map of many points, in headless Chromium.

`python tests/proofs/map_speed.py --points 100000`. Label Studio is not there: the two answers that would come from it
are given by the browser.
"""

from __future__ import annotations

import argparse
import json
import socket
import sys
import tempfile
import threading
import time
from functools import partial
from pathlib import Path

sys.path.insert(0, str(Path(__file__).resolve().parents[1] / "support"))

import numpy as np
import pyarrow as pa
import uvicorn
from browsing import chromium, find_chromium
from playwright.sync_api import Page, Route

from seedqueue.backend.app import create_app
from seedqueue.backend.context import Context
from seedqueue.backend.pool_map import SCHEMA, PoolMap
from seedqueue.backend.records import Choices, QueuedTask, Run
from seedqueue.backend.settings import Settings

QUEUE = 100
SECONDS = 60_000  # ms that the browser waits for anything
FRAMES = """() => { window.frames_ = []; let last = performance.now(); (function next() {
  const now = performance.now(); frames_.push(now - last); last = now; requestAnimationFrame(next); })(); }"""
TOLD = """(() => { const sorted = [...frames_].sort((a, b) => a - b);
  return [sorted[sorted.length >> 1], sorted[Math.floor(sorted.length * .95)]]; })()"""


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--points", type=int, default=100_000)
    points = parser.parse_args().points
    with (
        tempfile.TemporaryDirectory() as folder,
        Context(Settings(home=Path(folder), label_studio_api_key="a" * 40)) as c,
    ):
        fill(c, points)
        url = served(c)
        with chromium(find_chromium() or sys.exit("There is no Chromium.")) as browser:
            measure(browser.new_page(viewport={"width": 1280, "height": 900}), url, points)


def fill(context: Context, points: int) -> None:
    """A published queue, and a map of three clouds."""
    random = np.random.default_rng(0)
    tasks = np.arange(1, points + 1)
    places = np.clip(random.normal(random.uniform(0.2, 0.8, (3, 2))[tasks % 3], 0.08), 0, 1).astype(np.float32)
    columns: dict[str, object] = {
        "task": tasks,
        "x": places[:, 0],
        "y": places[:, 1],
        "cluster": tasks % QUEUE + 1,
        "closeness": np.full(points, 0.5, np.float32),
        "label": [None] * points,
        "predicted": random.choice(["normal", "nodule", "effusion"], points),
        "uncertainty": random.uniform(0, 1, points).astype(np.float32),
        "round": np.zeros(points, np.int32),
        "nearest_labelled": [None] * points,
        "nearest_cosine": [None] * points,
    }
    arrays = {name: pa.array(columns[name], SCHEMA.field(name).type) for name in SCHEMA.names}
    context.maps.save(1, PoolMap(1, "f", "2026-01-01", "PCA", points, pa.table(arrays, schema=SCHEMA)))
    run = Run(1, 1, "published", Choices(QUEUE, "hog", "kmeans", 0), fingerprint="f", tasks=points)
    context.records.save_queue(run, [QueuedTask(rank, rank, "/a.png", rank, 1) for rank in range(1, QUEUE + 1)])
    context.records.save_run(run)


def served(context: Context) -> str:
    with socket.socket() as free:
        free.bind(("127.0.0.1", 0))
        port = free.getsockname()[1]
    server = uvicorn.Server(uvicorn.Config(create_app(context), port=port, log_level="error"))
    threading.Thread(target=server.run, daemon=True).start()
    while not server.started:
        time.sleep(0.05)
    return f"http://127.0.0.1:{port}"


def measure(page: Page, url: str, points: int) -> None:
    project = {"id": 1, "title": "many", "tasks": points, "labelled": 0, "url": "", "fields": [], "state": "published"}
    answers = {"**/api/projects": {"label_studio": "", "projects": [project]}, "**/api/projects/1/pool": project}
    for pattern, answer in answers.items():
        page.route(pattern, partial(answered, json.dumps(answer)))
    page.route("**/thumbnail", lambda route: route.fulfill(status=404))
    began = time.monotonic()
    page.goto(f"{url}/ui/#/project/1/map")
    page.wait_for_selector("#map-plot[data-drawn=true]", timeout=SECONDS)
    print(f"{points:,} points: drawn after {time.monotonic() - began:.1f} s")
    began = time.monotonic()
    page.select_option("#colour-by", "predicted")
    page.wait_for_selector("#map-plot[data-colour=predicted]", timeout=SECONDS)
    print(f"coloured anew in {time.monotonic() - began:.2f} s")
    box = page.locator("#map-plot").bounding_box()
    assert box is not None
    x, y = box["x"] + 300, box["y"] + 300
    page.evaluate(FRAMES)
    page.mouse.move(x, y)
    page.mouse.down()
    for step in range(60):
        page.mouse.move(x + 3 * step, y + 2 * step)
        page.wait_for_timeout(16)
    median, slow = page.evaluate(TOLD)
    page.mouse.up()
    print(f"moved: a frame in {median:.0f} ms at the median, {slow:.0f} ms at the 95th percentile")


def answered(text: str, route: Route) -> None:
    route.fulfill(status=200, content_type="application/json", body=text)


if __name__ == "__main__":
    main()

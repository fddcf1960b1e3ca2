"""This machine and what runs on it: Redis, workers, weights, processor, GPU, disk."""

from __future__ import annotations

import os
import shutil
from collections.abc import Sequence
from pathlib import Path

from seedqueue.backend import presence
from seedqueue.backend.broker import LANES, without_password
from seedqueue.backend.context import Context
from seedqueue.backend.doctor.lines import Line
from seedqueue.backend.presence import WorkerSeen
from seedqueue.models import inventory, registry
from seedqueue.models.errors import NoWeightsNeeded
from seedqueue.models.inventory import WeightsState

REDIS, WORKERS, WEIGHTS = "Redis", "workers", "weights"
PROCESSOR, GPU, DISK = "processor", "GPU", "disk"
CPUINFO = Path("/proc/cpuinfo")
GPU_DEVICES = tuple(map(Path, ("/dev/nvidia0", "/dev/nvidiactl", "/dev/dxg", "/dev/kfd")))
FEATURES = {"avx2": "AVX2", "avx512f": "AVX-512", "avx512_bf16": "AVX-512 bf16", "amx_bf16": "AMX bf16"}
RED_BYTES, YELLOW_BYTES = 200 * 10**6, 2 * 10**9
GB = 10**9


def redis(context: Context) -> Sequence[Line]:
    context.broker.ping()
    whose = "" if context.settings.redis_url else ", started by `seedqueue serve`"
    return [Line(REDIS, "green", f"It answers at {without_password(context.broker.url)}{whose}.")]


def workers(context: Context) -> Sequence[Line]:
    return [workers_line(presence.workers(context.broker), presence.strangers(context.broker))]


def workers_line(found: Sequence[WorkerSeen], strangers: int = 0) -> Line:
    """Red where nobody embeds or publishes, yellow where nobody learns. strangers: workers of another Label Studio."""
    there = [one for one in found if one.state != "lost"]
    lost = f" {len(found) - len(there)} more gave no sign of life for some seconds." if len(found) > len(there) else ""
    missing = [lane for lane in LANES if all(lane not in one.lanes for one in there)]
    start = "Start `seedqueue serve`, or `seedqueue worker` on any machine with the same REDIS_URL"
    if not there:
        told = f"No worker runs: nothing is embedded, published or learnt.{lost}"
        if strangers:  # such as localhost for 127.0.0.1
            told += f" {strangers} at this Redis were started with another LABEL_STUDIO_URL."
            return Line(WORKERS, "red", told, "Give all the same LABEL_STUDIO_URL, to the letter.")
        return Line(WORKERS, "red", told, f"{start}.")
    needed = [lane for lane in missing if lane in ("control", "embed")]
    if needed:
        told = f"No worker takes the jobs of {' and '.join(needed)}: no queue can be made.{lost}"
        return Line(WORKERS, "red", told, f"{start}, without --lane or with those lanes.")
    if "learn" in missing:
        told = f"{_count(len(there))}, none of which learns: no head is trained.{lost}"
        return Line(WORKERS, "yellow", told, f"{start}, without --lane or with --lane learn.")
    learners = sum("learn" in one.lanes for one in there)
    return Line(WORKERS, "green", f"{_count(len(there))}, {learners} of which can learn.{lost}")


def _count(number: int) -> str:
    return "1 worker runs" if number == 1 else f"{number} workers run"


def weights(folder: Path, embedder: str) -> Sequence[Line]:
    """Of one embedder. Raises `UnknownEmbedder`, `ExtraMissing`, `WeightsFolderUnusable`."""
    name = registry.full_name(embedder)
    try:
        [state] = inventory.of(folder, name)
    except NoWeightsNeeded:
        return [Line(WEIGHTS, "green", f"The embedder {name} needs none.")]
    return [weights_line(state, folder)]


def weights_line(state: WeightsState, folder: Path) -> Line:
    gate = f" (first: {state.source.gate})" if state.source and state.source.gate else ""
    mend = f"Run `{state.command}`{gate}." if state.command else state.hint or ""
    if state.present == "yes":
        return Line(WEIGHTS, "green", f"Those of {state.embedder} are in {folder}, and their SHA-256 is right.")
    if state.present == "damaged":
        broken = [each for each in state.files if each.fault]
        told = f"{broken[0].path} of {state.embedder} is damaged: {broken[0].fault}."
        return Line(WEIGHTS, "red", told, f"Delete the file. {mend}")
    missing = ", ".join(each.file.name for each in state.files if not each.path and not each.file.optional)
    told = f"Those of {state.embedder} are not in {folder}{': ' + missing if missing else ''}."
    return Line(WEIGHTS, "red", told, mend)


def processor(_: Context) -> Sequence[Line]:
    if not CPUINFO.exists():
        return [Line(PROCESSOR, "skipped", "This system does not tell what its processor can do.")]
    return [processor_line(CPUINFO.read_text(encoding="utf-8", errors="replace"), os.cpu_count() or 1)]


def processor_line(cpuinfo: str, cores: int) -> Line:
    """What the first processor of /proc/cpuinfo can do, as far as embedding gains by it."""
    fields: dict[str, str] = {}
    for line in cpuinfo.splitlines():
        name, _, value = line.partition(":")
        fields.setdefault(name.strip(), value.strip())
    flags = set(fields.get("flags", "").split())
    if not flags:
        return Line(PROCESSOR, "skipped", f"{cores} cores of a kind that tells no features.")
    found = [title for flag, title in FEATURES.items() if flag in flags]
    name = fields.get("model name", "a processor")
    if "avx2" not in flags:
        mend = "Embed on another machine: `seedqueue worker` there, with this machine's REDIS_URL."
        return Line(PROCESSOR, "yellow", f"{name}, {cores} cores, without AVX2: embedding is slow.", mend)
    half = (
        "half precision gains here" if {"avx512_bf16", "amx_bf16"} & flags else "without bf16, embedding is in float32"
    )
    return Line(PROCESSOR, "green", f"{name}, {cores} cores, {', '.join(found)}: {half}.")


def gpu(_: Context) -> Sequence[Line]:
    """Without a device there is no need to import PyTorch, which takes seconds and 200 MB."""
    if not any(device.exists() for device in GPU_DEVICES):
        return [gpu_line(device=False, seen=None)]
    import torch

    return [gpu_line(device=True, seen=torch.cuda.get_device_name() if torch.cuda.is_available() else None)]


def gpu_line(*, device: bool, seen: str | None) -> Line:
    if seen is not None:
        return Line(GPU, "green", f"PyTorch sees {seen}: networks run there.")
    if not device:
        return Line(GPU, "green", "This machine has none: networks run on the processor.")
    mend = "Install the driver that this PyTorch wants, or a PyTorch built for the driver: see pytorch.org."
    return Line(GPU, "yellow", "There is a GPU, but PyTorch does not see it: networks run on the processor.", mend)


def disk(context: Context) -> Sequence[Line]:
    """The home's and the weights' folders; an object store has no end that could be seen."""
    s = context.settings
    folders = {"home": s.home, "weights folder": s.weights}
    return [_disk(name, folder) for name, folder in folders.items() if isinstance(folder, Path)]


def _disk(name: str, folder: Path) -> Line:
    existing = next(each for each in (folder, *folder.parents) if each.exists())
    writable = os.access(existing, os.W_OK)
    return disk_line(name, folder, shutil.disk_usage(existing).free, writable=writable)


def disk_line(name: str, folder: Path, free: int, *, writable: bool) -> Line:
    variable = {"home": "SEEDQUEUE_HOME", "weights folder": "SEEDQUEUE_WEIGHTS"}[name]
    if not writable and name == "home":
        return Line(
            DISK, "red", f"Nothing can be written to the home {folder}.", f"Mend its rights, or set {variable}."
        )
    told = f"{free / GB:.1f} GB are free for the {name} {folder}."
    mend = f"Make room there, or set {variable} to a folder on a larger disk."
    if free < RED_BYTES:
        return Line(DISK, "red", told, mend)
    return Line(DISK, "yellow", told, mend) if free < YELLOW_BYTES else Line(DISK, "green", told)

"""What the camera costs beside its inference, and how much memory a node takes.

``python -m benchmarks.edge --video FILE --model NAME_OR_FILE [--json] [--rounds N]``

The bare loop decodes, scales, infers and suppresses, and drops what it finds. Ours is the driver as
the agent runs it: capture, detection, tracking, two lines, two zones, order, batches and the spool
on disk. Both infer every frame on one thread, in turns, in this process; CPU time is that of all
its threads. The memory is that of ``citynerve edge run`` as a process of its own, connected to a
Mosquitto.
"""

import argparse
import json
import subprocess
import sys
import tempfile
import time
from pathlib import Path
from statistics import median
from typing import Any, Final, NamedTuple

import cv2
import numpy as np
import psutil

from citynerve import log
from citynerve.clock import now_ms
from citynerve.config import convert
from citynerve.demo.servers import Mosquitto
from edge.batcher import Batcher
from edge.camera.config import CameraConfig
from edge.camera.detect import Detector
from edge.camera.driver import make
from edge.inference import Session
from edge.intake import Intake
from edge.spool import Spool
from models.load import load

_LINES: Final = [
    {"name": "middle", "from": [0.5, 0.0], "to": [0.5, 1.0]},
    {"name": "across", "from": [0.0, 0.5], "to": [1.0, 0.5]},
]
_ZONES: Final = [
    {"name": "left", "points": [[0, 0], [0.5, 0], [0.5, 1], [0, 1]]},
    {"name": "front", "points": [[0.1, 0.5], [0.9, 0.5], [1, 1], [0, 1]]},
]
_GOAL: Final = 1.15
_IDLE_GOAL_MB: Final = 80
_CAMERA_GOAL_MB: Final = 300
_POLL_LIMIT: Final = 4_000
_IDLE_S: Final = 0.05
_SPOOL_BYTES: Final = 1 << 28
_MEGABYTE: Final = 1e6


class Run(NamedTuple):
    """One pass over the video."""

    frames: int
    cpu: float
    wall: float


class Memory(NamedTuple):
    """Resident memory of an agent after it has settled, and at its peak, in MB."""

    settled: float
    peak: float


def bare(video: Path, model: str) -> Run:
    """Decode, scale, infer, suppress; nothing else."""
    loaded = load(model, Path.cwd())
    classes = tuple(loaded.manifest.city_classes())
    detector = Detector(Session(loaded), loaded.manifest, classes)
    capture = cv2.VideoCapture(str(video), cv2.CAP_FFMPEG, [cv2.CAP_PROP_N_THREADS, 1])
    cpu, wall = time.process_time(), time.perf_counter()
    done = 0
    while True:
        good, picture = capture.read()
        if not good:
            break
        detector.detect(np.asarray(picture, np.uint8))
        done += 1
    return Run(done, time.process_time() - cpu, time.perf_counter() - wall)


def ours(video: Path, model: str, folder: Path) -> Run:
    """The driver and all that the agent does up to the spool."""
    table = {
        "name": "bench",
        "source": str(video),
        "model": model,
        "speed": "max",
        "lines": _LINES,
        "zones": _ZONES,
    }
    driver = make(convert(table, CameraConfig, file="benchmark"), Path.cwd(), "benchmark")
    spool = Spool.open(folder / "spool.db", node="bench", max_bytes=_SPOOL_BYTES)
    batcher = Batcher()
    intake = Intake(driver, spool, now_ms)
    cpu, wall = time.process_time(), time.perf_counter()
    seconds = 0
    while not intake.ended:
        now = now_ms()
        released = intake.poll(now, _POLL_LIMIT)
        seconds += sum(getattr(one, "property", None) == "count_person" for one in released)
        batcher.add(intake.name, released, now)
        if intake.ended or batcher.age(now) >= 1_000:  # noqa: PLR2004 a second, as by default
            batcher.seal()
        sealed = batcher.collect()
        progress = intake.progress()
        if sealed and progress is not None:
            spool.append(sealed, [progress])
            intake.written(progress)
        if not released:
            time.sleep(_IDLE_S)
    run = Run(0, time.process_time() - cpu, time.perf_counter() - wall)
    spool.close()
    assert seconds, "the driver gave nothing"
    return run


def agent_memory(folder: Path, url: str, tables: dict[str, Any], seconds: float) -> Memory:
    """Run ``citynerve edge run`` and look at its memory."""
    folder.mkdir()
    config = folder / "node.toml"
    fixed = {"node": {"id": "bench", "area": "bench"}, "mqtt": {"url": url}}
    lines = [f"{key} = {_toml(value)}\n" for key, value in {**fixed, **tables}.items()]
    config.write_text("".join(lines))
    command = [sys.executable, "-m", "citynerve", "edge", "run", "--config", str(config)]
    with (folder / "log").open("wb") as err, subprocess.Popen(command, stderr=err) as process:
        watched = psutil.Process(process.pid)
        peak = 0.0
        try:
            ends = time.monotonic() + seconds
            while time.monotonic() < ends:
                assert process.poll() is None, (folder / "log").read_text()
                peak = max(peak, watched.memory_info().rss / _MEGABYTE)
                time.sleep(_IDLE_S)
            return Memory(watched.memory_info().rss / _MEGABYTE, peak)
        finally:
            process.terminate()


def _toml(value: object) -> str:
    if isinstance(value, dict):
        return "{" + ", ".join(f"{key} = {_toml(inner)}" for key, inner in value.items()) + "}"
    if isinstance(value, list):
        return "[" + ", ".join(map(_toml, value)) + "]"
    return json.dumps(value)


def measure(video: Path, model: str, rounds: int, seconds: float) -> dict[str, Any]:
    """All figures, by name."""
    runs: dict[str, list[Run]] = {"bare": [], "ours": []}
    with tempfile.TemporaryDirectory() as name:
        folder = Path(name)
        for number in range(rounds):
            runs["bare"].append(bare(video, model))
            (folder / str(number)).mkdir()
            run = ours(video, model, folder / str(number))
            runs["ours"].append(run._replace(frames=runs["bare"][-1].frames))
        broker = Mosquitto(folder / "mosquitto")
        broker.start()
        try:
            url = broker.config.url
            idle = agent_memory(folder / "i", url, {"sensor": [{"driver": "machine"}]}, seconds)
            camera = {
                "name": "bench",
                "source": str(video),
                "model": str(model),
                "loop": True,
                "lines": _LINES,
                "zones": _ZONES,
            }
            watching = agent_memory(folder / "c", url, {"camera": [camera]}, seconds)
        finally:
            broker.stop()
    figures: dict[str, Any] = {"video": video.name, "frames": runs["bare"][0].frames}
    for kind, passes in runs.items():
        figures[f"{kind}_cpu_ms"] = median(run.cpu / run.frames for run in passes) * 1000
        figures[f"{kind}_fps"] = median(run.frames / run.wall for run in passes)
    ratios = [one.cpu / other.cpu for one, other in zip(runs["ours"], runs["bare"], strict=True)]
    figures["cpu_ratio"] = median(ratios)
    figures["cpu_ratios"] = ratios
    figures["idle_mb"], figures["idle_peak_mb"] = idle
    figures["camera_mb"], figures["camera_peak_mb"] = watching
    return figures


def show(figures: dict[str, Any]) -> None:
    """The table for people."""
    print(f"{figures['video']}, {figures['frames']} frames, every one inferred, one thread\n")
    print(f"{'':12}{'CPU ms/frame':>14}{'frames/s':>12}")
    for kind in ("bare", "ours"):
        print(f"{kind:12}{figures[f'{kind}_cpu_ms']:14.2f}{figures[f'{kind}_fps']:12.1f}")
    each = ", ".join(f"{ratio:.3f}" for ratio in figures["cpu_ratios"])
    print(f"\nCPU, ours over bare: {figures['cpu_ratio']:.3f} (goal {_GOAL}; rounds: {each})\n")
    print(f"{'agent':24}{'settled MB':>12}{'peak MB':>10}{'goal':>8}")
    for name, key, goal in (
        ("machine's sensors", "idle", _IDLE_GOAL_MB),
        ("camera", "camera", _CAMERA_GOAL_MB),
    ):
        print(f"{name:24}{figures[f'{key}_mb']:12.1f}{figures[f'{key}_peak_mb']:10.1f}{goal:8}")


def main() -> None:
    """Run from the command line."""
    parser = argparse.ArgumentParser(description=__doc__.partition("\n")[0])
    parser.add_argument("--video", type=Path, required=True)
    parser.add_argument("--model", required=True, help="a name, a manifest or an ONNX file")
    parser.add_argument("--rounds", type=int, default=3)
    parser.add_argument("--memory-seconds", type=float, default=15)
    parser.add_argument("--json", action="store_true", help="one JSON object on the last line")
    given = parser.parse_args()
    log.configure("warning")
    model = given.model
    if model.endswith((".onnx", ".toml")):
        model = str(Path(model).resolve())
    figures = measure(given.video.resolve(), model, given.rounds, given.memory_seconds)
    show(figures)
    if given.json:
        print(json.dumps(figures))


if __name__ == "__main__":
    main()

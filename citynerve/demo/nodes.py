"""Which nodes a demo has: each as the tables of its configuration file."""

import re
from collections.abc import Sequence
from pathlib import Path
from typing import Any, Final

import msgspec

from citynerve.demo.city import SimulatedCity
from citynerve.demo.options import REPLAY_SPEED, SCENE_MODEL, Options, is_path
from citynerve.errors import ConfigError
from edge.sensor.table import SUFFIXES

Tables = dict[str, Any]

_NOT_IN_IDS: Final = re.compile(r"[^a-z0-9]+")
_LONGEST: Final = 40
_PICTURE: Final = 640, 360
_FPS: Final = 10.0
_READ_EVERY: Final = 1_000
"""ms between two readings of a simulated datastream."""


def plan(
    options: Options, pictures: Path, town: SimulatedCity | None, suffix: str = ""
) -> dict[str, Tables]:
    """Nodes with a process of their own: id to tables, without where broker and spool are.

    Args:
        options: What was asked for.
        pictures: Where cameras leave their latest pictures.
        town: The simulated city, of which simulated cameras stand beside a node; None: no such.
        suffix: Ends every id, where ids of other runs are stored in the same database.

    Raises:
        ConfigError: A folder to replay holds no recorded files.
    """
    nodes = [*_scenes(options, pictures, town), *_camera(options, pictures), *_replay(options)]
    planned: dict[str, Tables] = {}
    for wanted, tables in nodes:
        node = _free(f"{wanted}{suffix}", planned)
        tables["node"]["id"] = node
        planned[node] = tables
    return planned


def _scenes(
    options: Options, pictures: Path, town: SimulatedCity | None
) -> list[tuple[str, Tables]]:
    """Simulated cameras, each beside a node of the simulated city."""
    if not options.scenes or town is None:
        return []
    from simulators.scene import Scene  # noqa: PLC0415 - OpenCV is heavy

    plan = town.plan
    nodes = []
    for name, beside in options.scenes.items():
        scene = Scene(name, options.seed, *_PICTURE, _FPS)
        width, height = _PICTURE
        told = {
            "name": name,
            "seed": options.seed,
            "light": "clock",
            "size": f"{width}x{height}",
            "fps": _FPS,
            "truth": str(pictures / f"{name}.truth.ndjson"),
        }
        if options.until_done:
            told["seconds"] = options.simulated_seconds
        camera = {
            "name": name,
            "source": "plugin:simulators.scene.live:LiveScene",
            "model": SCENE_MODEL,
            "options": told,
            "lines": _tables(scene.lines),
            "zones": _tables(scene.zones),
            "preview": str(pictures),
        }
        neighbour = next(node for node in plan.nodes if node.kind == beside)
        lat, lon = plan.frame.degrees(neighbour.at)
        place = {"area": plan.area(neighbour), "position": {"lat": lat, "lon": lon}}
        nodes.append((f"camera-{name}", {"node": place, "camera": [camera]}))
    return nodes


def _tables(structs: Sequence[msgspec.Struct]) -> list[Tables]:
    """Structs as TOML would give them."""
    return msgspec.json.decode(msgspec.json.encode(structs), type=list[Tables])


def _camera(options: Options, pictures: Path) -> list[tuple[str, Tables]]:
    if options.video is None or options.model is None:
        return []
    camera = {
        "name": "camera",
        "source": str(options.video.resolve()),
        "model": _absolute(options.model),
        "speed": options.speed or 1.0,
        # Footage is short: without an end that is asked for, it goes round.
        "loop": not options.until_done,
        "preview": str(pictures),
        "lines": [{"name": "middle", "from": [0.5, 0.0], "to": [0.5, 1.0]}],
        "zones": [{"name": "front", "points": [[0.0, 0.5], [1.0, 0.5], [1.0, 1.0], [0.0, 1.0]]}],
    }
    return [("camera", {"node": {"area": "demo/camera"}, "camera": [camera]})]


def _replay(options: Options) -> list[tuple[str, Tables]]:
    sets = [(_id(path), _data_files(path)) for path in options.replay]
    shares = _share([len(files) for _, files in sets], options.nodes or len(sets))
    nodes = []
    for (name, files), share in zip(sets, shares, strict=True):
        for part in range(share):
            replay: Tables = {
                "driver": "replay",
                "paths": [str(path.resolve()) for path in files[part::share]],
                "speed": options.speed or REPLAY_SPEED,
            }
            if options.mapping is not None:
                replay["mapping"] = _absolute(options.mapping)
            node = name if share == 1 else f"{name}-{part + 1}"
            nodes.append((node, {"node": {"area": f"demo/{name}"}, "sensor": [replay]}))
    return nodes


def _absolute(name: str) -> str:
    """A file's path from anywhere; the name of something shipped as it is."""
    return str(Path(name).resolve()) if is_path(name) else name


def _data_files(path: Path) -> list[Path]:
    if not path.is_dir():
        return [path]
    found = sorted(p for p in path.iterdir() if p.suffix.lower() in SUFFIXES)
    if not found:
        raise ConfigError(
            "the folder holds no recorded files",
            file="command line",
            key="--replay",
            value=str(path),
            fix=f"name a folder with {', '.join(sorted(SUFFIXES))} files in it",
        )
    return found


def _share(sizes: Sequence[int], nodes: int) -> list[int]:
    """How many nodes each set of files gets: at least one, at most one a file."""
    shares = [1] * len(sizes)
    while sum(shares) < min(nodes, sum(sizes)):
        most = max(range(len(sizes)), key=lambda i: sizes[i] / shares[i])
        shares[most] += 1
    return shares


def _id(path: Path) -> str:
    resolved = path.resolve()
    name = resolved.name if path.is_dir() else resolved.stem
    return _NOT_IN_IDS.sub("-", name.lower()).strip("-")[:_LONGEST] or "replay"


def _free(wanted: str, taken: dict[str, Tables]) -> str:
    node, number = wanted, 1
    while node in taken:
        number += 1
        node = f"{wanted}-{number}"
    return node

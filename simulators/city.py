"""The small simulated city: which nodes stand where, and what goes wrong there.

The demo starts an edge agent for each of :func:`node_configs`. Its faults lie partly in the
hours before the start, which each node gives at once, and partly in the first minute after it, so
that a short run shows anomalies of several kinds, old and new.
"""

import json
from typing import Any, Final, NamedTuple

_HOUR: Final = 3_600_000
_HISTORY: Final = 48 * _HOUR
_CITY: Final = "aarhus"


class Place(NamedTuple):
    """A street of a district, WGS 84."""

    area: str
    lat: float
    lon: float


class Kit(NamedTuple):
    """What one kind of node carries: sensors with their properties, and its faults.

    A fault is (sensor, property, kind, start, end, size); times in seconds from the start.
    """

    kind: str
    sensors: dict[str, list[str]]
    faults: list[tuple[str, str, str, int, int, float]]


PLACES: Final = (
    Place(f"{_CITY}/midtbyen/norreport", 56.1618, 10.2117),
    Place(f"{_CITY}/frederiksbjerg/ingerslevs-boulevard", 56.1477, 10.2003),
    Place(f"{_CITY}/havnen/kystvejen", 56.1600, 10.2148),
    Place(f"{_CITY}/trojborg/skovvejen", 56.1690, 10.2160),
    Place(f"{_CITY}/vesterbro/ringgaden", 56.1590, 10.1880),
    Place(f"{_CITY}/viby/skanderborgvej", 56.1300, 10.1660),
)

KITS: Final = (
    Kit(
        "road",
        {"loop-in": ["speed", "vehicles"], "loop-out": ["speed", "vehicles"]},
        [
            ("loop-in", "speed", "gap", -9 * 3600, -5 * 3600, 0),
            ("loop-out", "speed", "spike", 20, 26, 140),
            ("loop-in", "vehicles", "spike", 40, 45, 120),
        ],
    ),
    Kit(
        "air",
        {"station": ["pm25", "no2", "temperature"]},
        [
            ("station", "no2", "stuck", -16 * 3600, -8 * 3600, 0),
            ("station", "pm25", "spike", 15, 25, 180),
        ],
    ),
    Kit(
        "water",
        {"gauge": ["water_level"], "mast": ["temperature", "humidity"]},
        [
            ("gauge", "water_level", "drift", -6 * 3600, -1800, 1.6),
            ("gauge", "water_level", "spike", 30, 34, 2.5),
        ],
    ),
    Kit(
        "noise",
        {"microphone": ["noise"]},
        [
            ("microphone", "noise", "stuck", -5 * 3600, -2 * 3600, 0),
            ("microphone", "noise", "spike", 35, 38, 300),
        ],
    ),
    Kit(
        "parking",
        {"garage": ["occupied"]},
        [("garage", "occupied", "gap", -20 * 3600, -11 * 3600, 0)],
    ),
)


def node_configs(
    n: int,
    seed: int,
    *,
    history_ms: int = _HISTORY,
    count: int | None = None,
    base_ms: int | None = None,
    faults: bool = True,
    truth: str | None = None,
) -> dict[str, dict[str, Any]]:
    """The configuration of each node's agent, without where its broker and spool are.

    Kits and places are dealt in turn, so any number of nodes covers several domains and districts.

    Args:
        n: How many nodes.
        seed: Of all their signals.
        history_ms: Simulated time before the start that is given at once.
        count: Readings of each datastream after the start; None: without end.
        base_ms: The start in ms since 1970 UTC; None: when the node starts.
        faults: Whether something goes wrong.
        truth: Folder for the ground truth, one NDJSON file a node.

    Returns:
        Node id to the tables ``node`` and ``sensor`` of its TOML file; :func:`toml` writes them.
    """
    configs = {}
    for index in range(n):
        kit, place = KITS[index % len(KITS)], PLACES[index % len(PLACES)]
        node = f"{kit.kind}-{index + 1:02d}"
        options: dict[str, Any] = {
            "node": node,
            "seed": seed,
            "history_ms": history_ms,
            "sensors": kit.sensors,
            "faults": [_fault(*fault) for fault in kit.faults] if faults else [],
            "count": count,
            "base_ms": base_ms,
            "truth": None if truth is None else f"{truth}/{node}.ndjson",
        }
        plugin = {
            "driver": "plugin",
            "object": "simulators.node:SimulatedNode",
            "name": "city",
            "options": {key: value for key, value in options.items() if value is not None},
        }
        position = {"lat": place.lat, "lon": place.lon}
        configs[node] = {
            "node": {"id": node, "area": place.area, "position": position},
            "sensor": [plugin],
        }
    return configs


def toml(config: dict[str, Any]) -> str:
    """Tables, lists, strings, numbers and booleans as TOML text."""
    lines: list[str] = []
    for key, value in config.items():
        if isinstance(value, list) and value and isinstance(value[0], dict):
            for table in value:
                lines += [f"[[{key}]]", *_pairs(table), ""]
        elif isinstance(value, dict):
            lines += [f"[{key}]", *_pairs(value), ""]
        else:
            lines.insert(0, f"{key} = {_inline(value)}")
    return "\n".join(lines)


def _pairs(table: dict[str, Any]) -> list[str]:
    return [f"{_key(key)} = {_inline(value)}" for key, value in table.items()]


def _inline(value: object) -> str:
    match value:
        case bool():
            return "true" if value else "false"
        case int() | float():
            return repr(value)
        case str():
            return _quoted(value)
        case list() | tuple():
            return f"[{', '.join(map(_inline, value))}]"
        case dict():
            inside = ", ".join(f"{_key(key)} = {_inline(entry)}" for key, entry in value.items())
            return f"{{ {inside} }}" if inside else "{}"
    raise TypeError(f"no TOML for {type(value).__name__}")


def _key(key: str) -> str:
    bare = key.replace("-", "").replace("_", "")
    return key if bare.isascii() and bare.isalnum() else _quoted(key)


def _quoted(text: str) -> str:
    # JSON's escapes are a subset of TOML's basic strings, but for the delete character.
    return json.dumps(text, ensure_ascii=False).replace("\x7f", "\\u007f")


def _fault(
    sensor: str, name: str, kind: str, start: int, end: int, size: float
) -> dict[str, str | int | float]:
    return {
        "sensor": sensor,
        "property": name,
        "kind": kind,
        "start": start * 1000,
        "end": end * 1000,
        "size": size,
    }

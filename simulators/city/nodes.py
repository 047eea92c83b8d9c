"""The configuration of each node of a simulated city, and incidents that show what it can."""

from typing import Any, Final, Literal

from msgspec import to_builtins

from citynerve.clock import now_ms
from simulators.city.calendar import HOUR
from simulators.city.incidents import Name, Wanted
from simulators.city.plan import Plan, plan

HISTORY: Final = 48 * HOUR
DRIVER: Final = "simulators.city.driver:SimulatedNode"

_Show = tuple[str, str | None, str | None, Name, float, float, float | None]

_SHOWN: Final[tuple[_Show, ...]] = (
    # kind of node, sensor, property, incident, start and length in seconds, size
    ("road", "loop-in", None, "silent", -9 * 3600, 4 * 3600, None),
    ("air", "station", "no2", "stuck", -16 * 3600, 8 * 3600, None),
    ("water", "gauge", "water_level", "drift", -20 * 3600, 6 * 3600, 0.8),
    ("noise", "microphone", "noise", "stuck", -5 * 3600, 3 * 3600, None),
    ("parking", "garage", None, "silent", -20 * 3600, 9 * 3600, None),
    ("road", None, None, "accident", -14 * 3600, 3600, 0.85),
    ("water", None, None, "flood", -10 * 3600, 3 * 3600, 1.6),
    ("air", None, None, "fire", -4 * 3600, 3600, 1.4),
    ("road", None, None, "accident", 8, 900, 0.9),
    ("air", None, None, "fire", 12, 900, 1.5),
    ("road", "loop-out", "speed", "spike", 20, 25, 1.6),
    ("parking", "gate", "flow", "spike", 24, 25, 1.5),
    ("water", None, None, "flood", 28, 120, 1.8),
    ("noise", "microphone", "noise", "spike", 35, 22, 1.5),
    ("square", None, None, "overcrowding", 16, 900, 900.0),
)
"""What the demo shows: old and new, of every domain."""


def node_configs(  # noqa: PLR0913 - each is an option of its own
    n: int,
    seed: int,
    *,
    start_ms: int | None = None,
    history_ms: int = HISTORY,
    duration_ms: int | None = None,
    interval_ms: int | None = None,
    speed: float | Literal["max"] = 1.0,
    faults: bool = True,
    rate: float | None = None,
    incidents: list[Wanted] | None = None,
    truth: str | None = None,
    suffix: str = "",
) -> dict[str, dict[str, Any]]:
    """The configuration of each node's agent, without where its broker and spool are.

    Args:
        n: How many nodes: the more, the larger the city.
        seed: Of everything.
        start_ms: When live time starts, ms since 1970 UTC; None: now.
        history_ms: Simulated time before the start that is given at once.
        duration_ms: How long live time lasts; None: without end.
        interval_ms: Between two readings of live time; None: each property's own.
        speed: Simulated over real time from the start on.
        faults: Whether anything goes wrong.
        rate: Incidents drawn a day; None: as suits the city's size.
        incidents: Those that are asked for; None: :func:`showcase`.
        suffix: Ends each node's id.
        truth: File for the ground truth, from the first node's folder; None: none is written.

    Returns:
        Node id to the tables ``node`` and ``sensor`` of its TOML file; :func:`toml` writes them.

    Raises:
        ConfigError: There is no city of so many nodes.
    """
    city = plan(n, seed, suffix)
    start = now_ms() if start_ms is None else start_ms
    asked = showcase(city) if incidents is None else incidents
    shared: dict[str, Any] = {
        "nodes": n,
        "seed": seed,
        "start_ms": start,
        "history_ms": history_ms,
        "end_ms": None if duration_ms is None else start + duration_ms,
        "interval_ms": interval_ms,
        "speed": speed,
        "rate": rate if faults else 0.0,
        "suffix": suffix or None,
        "incidents": [_said(to_builtins(one)) for one in asked] if faults else [],
    }
    configs = {}
    for index, node in enumerate(city.nodes):
        options = {"node": node.id, **shared, "truth": truth if index == 0 else None}
        plugin = {
            "driver": "plugin",
            "object": DRIVER,
            "name": "city",
            "options": _said(options),
        }
        lat, lon = city.frame.degrees(node.at)
        configs[node.id] = {
            "node": {
                "id": node.id,
                "area": city.area(node),
                "position": {"lat": lat, "lon": lon},
            },
            "sensor": [plugin],
        }
    return configs


def showcase(city: Plan) -> list[Wanted]:
    """Incidents of many kinds: some in the two days before the start, more in the minute after.

    Each is at the first node of a kind that feels it, so that the smallest city shows some, too.
    """
    first = {node.kind: node.id for node in reversed(city.nodes)}
    return [
        Wanted(
            kind=kind,
            at_ms=int(at * 1000),
            duration_ms=int(length * 1000),
            size=size,
            node=first[domain],
            sensor=sensor,
            property=prop,
        )
        for domain, sensor, prop, kind, at, length, size in _SHOWN
        if domain in first
    ]


def _said(table: dict[str, Any]) -> dict[str, Any]:
    """TOML has no word for nothing."""
    return {key: value for key, value in table.items() if value is not None}

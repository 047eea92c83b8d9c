"""Every query of a board's JSON, with its variables put in as Grafana puts them in.

For whatever runs the boards' queries without a Grafana. What is followed is Grafana 11's InfluxDB
data source in InfluxQL mode: variables are replaced first (escaped where they stand in a regular
expression), then ``$timeFilter``, ``${__from}``, ``${__to}``, ``$__interval_ms``, ``$__interval``.

A board is the parsed JSON of ``dashboards/json``; times are milliseconds since 1970 UTC.
"""

import re
from collections.abc import Callable, Iterator, Mapping, Sequence
from typing import Any, Final, NamedTuple

ALL: Final = "$__all"
"""The value of a variable for which "All" is chosen."""

Choice = str | tuple[str, ...]
"""A variable's value: one, or several where it takes several."""

Ask = Callable[[str, str], Sequence[str]]
"""Runs a variable's query: ``(data source uid, InfluxQL) -> values``."""

_VARIABLE: Final = re.compile(r"\$(?:(?P<bare>\w+)|\{(?P<braced>\w+)\})")
_BUILT_IN: Final = frozenset(
    {"timeFilter", "__from", "__to", "__interval", "__interval_ms", "interval"}
)
_SPECIAL: Final = re.compile(r"[\\^$*+?.()|\[\]{}/]")
_SPAN: Final = re.compile(r"^(\d+)(ms|s|m|h|d|w)$")
_UNITS_MS: Final = {
    "ms": 1,
    "s": 1_000,
    "m": 60_000,
    "h": 3_600_000,
    "d": 86_400_000,
    "w": 604_800_000,
}

# Grafana's steps: an interval shorter than the first figure is rounded to the second (both ms).
_ROUNDING: Final = (
    (10, 1),
    (15, 10),
    (35, 20),
    (75, 50),
    (150, 100),
    (350, 200),
    (750, 500),
    (1_500, 1_000),
    (3_500, 2_000),
    (7_500, 5_000),
    (12_500, 10_000),
    (17_500, 15_000),
    (25_000, 20_000),
    (45_000, 30_000),
    (90_000, 60_000),
    (210_000, 120_000),
    (450_000, 300_000),
    (750_000, 600_000),
    (1_050_000, 900_000),
    (1_500_000, 1_200_000),
    (2_700_000, 1_800_000),
    (5_400_000, 3_600_000),
    (9_000_000, 7_200_000),
    (16_200_000, 10_800_000),
    (32_400_000, 21_600_000),
    (86_400_000, 43_200_000),
    (604_800_000, 86_400_000),
    (1_814_400_000, 604_800_000),
    (3_628_800_000, 2_592_000_000),
)
_LONGEST: Final = 31_536_000_000


class Query(NamedTuple):
    """One query of a board.

    ``place`` says where it stands, for people; ``source`` is the data source's uid; ``interval``
    the panel's least interval in ms (0: none), ``points`` how many it draws at most (0: as many as
    the range is across).
    """

    place: str
    source: str
    text: str
    interval: int = 0
    points: int = 0


class Variable(NamedTuple):
    """One variable of a board; ``query`` is empty where the choices are fixed."""

    name: str
    source: str
    query: str
    multi: bool
    all_value: str | None
    options: tuple[str, ...]


class Range(NamedTuple):
    """What is looked at: from ``start`` to ``end``, both included, as ``points`` across.

    ``now`` is the present that a range like the last hour was reckoned from; None: it stands fast.
    """

    start: int
    end: int
    points: int = 1_000
    now: int | None = None


def queries(board: Mapping[str, Any]) -> list[Query]:
    """The queries of every panel (those in rows too) and annotation, in the board's order."""
    found = [query for panel in _panels(board) for query in _of_panel(panel)]
    for mark in board.get("annotations", {}).get("list", []):
        target = mark.get("target", {})
        if "query" in target:
            place = f"annotation {mark['name']}"
            found.append(Query(place, mark["datasource"]["uid"], target["query"]))
    return found


def variables(board: Mapping[str, Any]) -> list[Variable]:
    """The board's variables, in the order in which Grafana fills them."""
    return [_variable(entry) for entry in board.get("templating", {}).get("list", [])]


def choices(board: Mapping[str, Any], ask: Ask) -> Iterator[dict[str, Choice]]:
    """Every combination of the variables' values, each variable asked with the ones before it.

    Where a variable takes several values: all of them, and each one alone. A variable without a
    value gives no combination, as Grafana has then nothing to show.
    """
    yield from _combinations(variables(board), {}, ask)


def substitute(
    query: Query, known: Sequence[Variable], values: Mapping[str, Choice], span: Range
) -> str:
    """The InfluxQL that Grafana would send.

    Raises:
        KeyError: The query names a variable that the board does not have.
    """
    text = interpolate(query.text, known, values)
    across = span._replace(points=query.points) if query.points else span
    step = interval(across, query.interval)
    return (
        text.replace("$timeFilter", f"time >= {span.start}ms and time <= {span.end}ms")
        .replace("${__from}", str(span.start))
        .replace("${__to}", str(span.end))
        .replace("$__interval_ms", str(step))
        .replace("$__interval", f"{step}ms")
        .replace("$interval", f"{step}ms")
    )


def interpolate(text: str, known: Sequence[Variable], values: Mapping[str, Choice]) -> str:
    """Put the variables' values into a query; Grafana's own (``$timeFilter`` ...) stay.

    Raises:
        KeyError: The query names a variable that the board does not have.
    """
    by_name = {variable.name: variable for variable in known}

    def replaced(match: re.Match[str]) -> str:
        name = match["bare"] or match["braced"]
        if name in _BUILT_IN:
            return match[0]
        return _rendered(by_name[name], values[name], text)

    return _VARIABLE.sub(replaced, text)


def interval(span: Range, least: int = 0) -> int:
    """Grafana's ``$__interval`` in ms: the range by its points, rounded to a step that reads well.

    >>> interval(Range(0, 3_600_000, 1_000)), interval(Range(0, 3_600_000, 1_000), 60_000)
    (5000, 60000)
    """
    exact = (span.end - span.start) / span.points
    rounded = next((step for bound, step in _ROUNDING if exact < bound), _LONGEST)
    return max(rounded, least)


def _panels(board: Mapping[str, Any]) -> Iterator[Mapping[str, Any]]:
    for panel in board.get("panels", []):
        yield panel
        yield from panel.get("panels", [])


def _of_panel(panel: Mapping[str, Any]) -> Iterator[Query]:
    least = _milliseconds(panel["interval"]) if panel.get("interval") else 0
    for target in panel.get("targets", []):
        place = f"panel {panel['title']!r}, query {target['refId']}"
        points = panel.get("maxDataPoints") or 0
        yield Query(place, target["datasource"]["uid"], target["query"], least, points)


def _milliseconds(span: str) -> int:
    found = _SPAN.match(span)
    if found is None:
        raise ValueError(f"not a span such as 10s or 1m: {span!r}")
    return int(found[1]) * _UNITS_MS[found[2]]


def _variable(entry: Mapping[str, Any]) -> Variable:
    asked = entry["type"] == "query"
    return Variable(
        name=entry["name"],
        source=entry["datasource"]["uid"] if asked else "",
        query=entry["query"] if asked else "",
        multi=bool(entry.get("multi")),
        all_value=entry.get("allValue") if entry.get("includeAll") else None,
        options=tuple(option["value"] for option in entry.get("options") or ()),
    )


def _combinations(
    left: Sequence[Variable], chosen: dict[str, Choice], ask: Ask, done: Sequence[Variable] = ()
) -> Iterator[dict[str, Choice]]:
    if not left:
        yield chosen
        return
    variable, *others = left
    offered: Sequence[str] = variable.options
    if variable.query:
        offered = ask(variable.source, interpolate(variable.query, done, chosen))
    if variable.all_value is not None and offered:
        offered = [ALL, *offered]
    for value in offered:
        choice = {**chosen, variable.name: value}
        yield from _combinations(others, choice, ask, [*done, variable])


def _rendered(variable: Variable, value: Choice, text: str) -> str:
    if value == ALL and variable.all_value is not None:
        return variable.all_value
    if isinstance(value, tuple):
        return f"({'|'.join(_escaped(one) for one in value)})"
    # A single-valued variable is escaped only where it stands between the slashes of a regex.
    in_regex = re.search(rf"/\^?[^/]*\$\{{?{variable.name}\b[^/]*/", text)
    return _escaped(value) if variable.multi or in_regex else value


def _escaped(value: str) -> str:
    return _SPECIAL.sub(lambda special: "\\" + special[0], value)

"""InfluxDB's answers as tables, in the two forms of Grafana's InfluxDB data source.

``time_series`` gives a table a series and value column, named by the alias pattern; ``table`` gives
one table, with a column for time and for each tag.
"""

import re
from collections.abc import Iterator, Mapping, Sequence
from typing import Any, Final

from citynerve.influx import Series
from dashboards.view.frames import Kind, Value
from dashboards.view.tables import TIME, VALUE, Column, Table

_PATTERN: Final = re.compile(r"\[\[([@\w-]+)\]\]|\$(@?[\w-]+)", re.ASCII)


def as_series(ref: str, answer: Sequence[Series], alias: str = "") -> list[Table]:
    """A table a series and value column: its time and its value, titled by ``alias``."""
    return [table for series in answer for table in _split(ref, series, alias)]


def as_table(ref: str, answer: Sequence[Series]) -> list[Table]:
    """One table of all series, or none where there are none."""
    if not answer:
        return []
    first = answer[0]
    lengths = [len(series.values) for series in answer]
    columns = []
    for place, name in enumerate(first.columns):
        values = [row[place] for series in answer for row in series.values]
        if place == 0 and name == "time":
            columns.append(Column(TIME, "time", values))
            columns.extend(_tags(first.tags, answer, lengths))
        else:
            columns.append(Column(name, *typed(values), given=name))
            if place == 0:
                columns.extend(_tags(first.tags, answer, lengths))
    return [Table(ref, tuple(columns), first.name)]


def typed(values: Sequence[Any]) -> tuple[Kind, list[Value]]:
    """The kind of a column by its first value that is there, and the values that have it."""
    first = next((value for value in values if value is not None), None)
    if isinstance(first, bool):
        return "boolean", [value if isinstance(value, bool) else None for value in values]
    if isinstance(first, str):
        return "string", [value if isinstance(value, str) else None for value in values]
    return "number", [
        value if isinstance(value, int | float) and not isinstance(value, bool) else None
        for value in values
    ]


def named(alias: str, measurement: str, column: str, tags: Mapping[str, str]) -> str:
    """A series' title by an alias pattern.

    ``$tag_x``, ``[[tag_x]]``, ``$m``, ``$measurement``, ``$col``, and ``$0``, ``$1`` ...: the parts
    of the measurement's name between dots. Without an alias: ``measurement.column {tags}``.

    >>> named("$tag_node: $col", "aggregate", "mean", {"node": "n-1"})
    'n-1: mean'
    """
    if not alias:
        inside = ", ".join(f"{key}: {tags[key]}" for key in sorted(tags))
        return f"{measurement}.{column}" + (f" {{ {inside} }}" if inside else "")

    def replaced(match: re.Match[str]) -> str:
        name = match[1] or match[2]
        if name in {"m", "measurement"}:
            return measurement
        if name == "col":
            return column
        parts = measurement.split(".")
        if name.isdigit() and int(name) < len(parts):
            return parts[int(name)]
        return tags.get(name.removeprefix("tag_"), match[0]) if "tag_" in name else match[0]

    return _PATTERN.sub(replaced, alias)


def _split(ref: str, series: Series, alias: str) -> Iterator[Table]:
    if "time" not in series.columns:
        # SHOW and the like: one list of texts, as it stands in a variable's choices.
        last = -1 if series.columns == ["key", "value"] else 0
        texts: list[Value] = [str(row[last]) for row in series.values]
        yield Table(ref, (Column(VALUE, "string", texts),), series.name)
        return
    at = series.columns.index("time")
    times = [row[at] for row in series.values]
    for place, name in enumerate(series.columns):
        if place == at:
            continue
        title = named(alias, series.name, name, series.tags)
        kind, values = typed([row[place] for row in series.values])
        value = Column(VALUE, kind, values, labels=dict(series.tags), given=title)
        yield Table(ref, (Column(TIME, "time", times), value), title)


def _tags(
    keys: Mapping[str, str], answer: Sequence[Series], lengths: Sequence[int]
) -> Iterator[Column]:
    for key in keys:
        values: list[Value] = []
        for series, length in zip(answer, lengths, strict=True):
            values.extend([series.tags.get(key)] * length)
        yield Column(key, "string", values, given=key)

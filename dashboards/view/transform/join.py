"""Transformations that make one table of several."""

from collections.abc import Mapping, Sequence
from dataclasses import replace
from datetime import tzinfo
from typing import Any

from dashboards.view.frames import Value
from dashboards.view.tables import VALUE, Column, Table, titles
from dashboards.view.transform.options import find, one_of, only


def join_by_field(
    tables: Sequence[Table], options: Mapping[str, Any], _: tzinfo | None
) -> list[Table]:
    """Put tables side by side, row to row of equal ``byField`` (default: their time).

    Tables without that column are left out. In the mode ``outer`` every value has a row, in
    ``inner`` only those that all tables have; of rows with an equal value the last one counts.
    Numbers and times are put in order.
    """
    only(options, ("byField", "mode"), "joinByField")
    mode = one_of(options.get("mode") or "outer", ("outer", "inner"), "joinByField.mode")
    found = [
        (table, key)
        for table, named in zip(tables, titles(tables), strict=True)
        if (key := _key(table, named, options.get("byField"))) is not None
    ]
    if not found:
        return []
    rows = [{value: row for row, value in enumerate(key.values)} for _, key in found]
    values = list(dict.fromkeys(value for _, key in found for value in key.values))
    if mode == "inner":
        values = [value for value in values if all(value in known for known in rows)]
    first = found[0][1]
    if first.kind in {"time", "number"}:
        values.sort(key=lambda value: value if isinstance(value, int | float) else float("-inf"))
    columns = [replace(first, values=values)]
    for (table, key), known in zip(found, rows, strict=True):
        places = [known.get(value) for value in values]
        columns.extend(
            _named(replace(column, values=_picked(column, places)), table)
            for column in table.columns
            if column is not key
        )
    return [Table(found[0][0].ref, tuple(columns))]


def merge(tables: Sequence[Table], options: Mapping[str, Any], _: tzinfo | None) -> list[Table]:
    """Put tables below each other, columns by name; rows that don't contradict become one.

    Only rows with equal values in all columns that every table has are put together.
    """
    only(options, (), "merge")
    given = [table for table in tables if table.columns]
    if len(given) <= 1:
        return list(tables)
    by_name = [{column.name: column for column in table.columns} for table in given]
    names = list(dict.fromkeys(name for known in by_name for name in known))
    keys = [name for name in names if all(name in known for known in by_name)]
    if not keys:
        return list(tables)
    rows: list[dict[str, Value]] = []
    by_key: dict[tuple[Value, ...], list[dict[str, Value]]] = {}
    for table, known in zip(given, by_name, strict=True):
        for place in range(table.length):
            row = {name: column.values[place] for name, column in known.items()}
            alike = by_key.setdefault(tuple(row[name] for name in keys), [])
            fitting = [other for other in alike if _agree(other, row)]
            for other in fitting:
                other.update(row)
            if not fitting:
                alike.append(row)
                rows.append(row)
    columns = []
    for name in names:
        column = next(known[name] for known in by_name if name in known)
        values = [row.get(name) for row in rows]
        columns.append(Column(name, column.kind, values))
    return [Table(given[0].ref, tuple(columns))]


def _key(table: Table, named: Sequence[str], name: str | None) -> Column | None:
    if name:
        return find(table, named, name)
    return next((column for column in table.columns if column.kind == "time"), None)


def _picked(column: Column, places: Sequence[int | None]) -> list[Value]:
    return [None if place is None else column.values[place] for place in places]


def _named(column: Column, table: Table) -> Column:
    """A series' value is named after its table, or it could not be told from the others."""
    if column.name == VALUE and table.name:
        return replace(column, name=table.name)
    return column


def _agree(row: Mapping[str, Value], other: Mapping[str, Value]) -> bool:
    return all(row.get(name) is None or row[name] == value for name, value in other.items())

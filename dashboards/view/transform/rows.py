"""Transformations of rows and tables as they are: order, number, choice."""

from collections.abc import Mapping, Sequence
from datetime import tzinfo
from typing import Any

from dashboards.view.frames import Value
from dashboards.view.looks import pattern
from dashboards.view.tables import Table, titles
from dashboards.view.transform.options import find, only


def sort_by(tables: Sequence[Table], options: Mapping[str, Any], _: tzinfo | None) -> list[Table]:
    """Order each table's rows by one column; a table without it stays as it is."""
    only(options, ("fields", "sort"), "sortBy")
    wanted = next(iter(options.get("sort") or ()), None)
    if not wanted:
        return list(tables)
    made = []
    for table, named in zip(tables, titles(tables), strict=True):
        column = find(table, named, wanted["field"])
        if column is None:
            made.append(table)
            continue
        values = column.values
        rows = sorted(
            range(table.length),
            key=lambda row, values=values: _key(values[row]),  # type: ignore[misc]
            reverse=bool(wanted.get("desc")),
        )
        made.append(table.taken(rows))
    return made


def limit(tables: Sequence[Table], options: Mapping[str, Any], _: tzinfo | None) -> list[Table]:
    """Only the first rows of each table (a negative number: the last ones)."""
    only(options, ("limitField",), "limit")
    most = int(options.get("limitField") or 10)
    return [
        table.taken(range(table.length)[:most] if most >= 0 else range(table.length)[most:])
        for table in tables
    ]


def filter_by_ref(
    tables: Sequence[Table], options: Mapping[str, Any], _: tzinfo | None
) -> list[Table]:
    """Only the tables of some queries."""
    only(options, ("include", "exclude"), "filterByRefId")
    include, exclude = options.get("include"), options.get("exclude")
    return [
        table
        for table in tables
        if (not include or pattern(include).search(table.ref))
        and not (exclude and pattern(exclude).search(table.ref))
    ]


def _key(value: Value) -> tuple[int, float, str]:
    """Nothing comes first, then numbers, then texts."""
    if value is None:
        return (0, 0.0, "")
    if isinstance(value, str):
        return (2, 0.0, value)
    return (1, float(value), "")

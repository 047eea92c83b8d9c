"""Transformations that put rows together: groups, matrices, reductions."""

from collections.abc import Mapping, Sequence
from dataclasses import replace
from datetime import tzinfo
from typing import Any, Final

from citynerve.errors import ConfigError
from dashboards.view import reducers
from dashboards.view.frames import Kind, Value
from dashboards.view.tables import Column, Table, titles
from dashboards.view.transform.options import find, one_of, only

_COUNTS: Final = frozenset({"count", "changeCount", "distinctCount"})
_TRUTHS: Final = frozenset({"allIsNull", "allIsZero"})
_EMPTY: Final[dict[str, Value]] = {"null": None, "empty": "", "true": True, "false": False}


def group_by(tables: Sequence[Table], options: Mapping[str, Any], _: tzinfo | None) -> list[Table]:
    """A row for each group of equal values, with calculations over the group's rows.

    Tables without a column to group by are left out.
    """
    only(options, ("fields",), "groupBy")
    wanted = options.get("fields") or {}
    made = []
    for table, named in zip(tables, titles(tables), strict=True):
        pairs = list(zip(table.columns, named, strict=True))
        by = [column for column, name in pairs if _operation(wanted, name) == "groupby"]
        if not by:
            continue
        groups: dict[tuple[Value, ...], list[int]] = {}
        for row in range(table.length):
            groups.setdefault(tuple(column.values[row] for column in by), []).append(row)
        columns = [
            replace(column, values=[group[place] for group in groups])
            for place, column in enumerate(by)
        ]
        columns.extend(
            _calculated(column, name, calc, list(groups.values()))
            for column, name in pairs
            if _operation(wanted, name) == "aggregate"
            for calc in wanted[name].get("aggregations") or ()
        )
        made.append(Table(table.ref, tuple(columns)))
    return made


def grouping_to_matrix(
    tables: Sequence[Table], options: Mapping[str, Any], _: tzinfo | None
) -> list[Table]:
    """A row for each value of one column, a column for each value of another.

    As in Grafana, several tables, or one without the columns, stay as they are; and a title that
    the data source gave the values becomes the title of every column: group them first.
    """
    only(options, ("rowField", "columnField", "valueField", "emptyValue"), "groupingToMatrix")
    empty = _EMPTY[
        one_of(options.get("emptyValue") or "empty", tuple(_EMPTY), "groupingToMatrix.emptyValue")
    ]
    if len(tables) != 1:
        return list(tables)
    (table,), (named,) = tables, titles(tables)
    across, down = options.get("columnField") or "Time", options.get("rowField") or "Time"
    columns, rows = find(table, named, across), find(table, named, down)
    values = find(table, named, options.get("valueField") or "Value")
    if columns is None or rows is None or values is None:
        return list(tables)
    cells = dict(zip(zip(rows.values, columns.values, strict=True), values.values, strict=True))
    heads = list(dict.fromkeys(rows.values))
    made = [Column(f"{down}\\{across}", "string", [_text(head) for head in heads])]
    for over in dict.fromkeys(columns.values):
        found = (cells.get((head, over)) for head in heads)
        filled = [empty if value is None else value for value in found]
        made.append(Column(_text(over), values.kind, filled, given=values.given))
    return [Table(table.ref, tuple(made))]


def reduce_series(
    tables: Sequence[Table], options: Mapping[str, Any], _: tzinfo | None
) -> list[Table]:
    """A row for each series (``seriesToRows``), or one row in place of each table's."""
    known = ("mode", "reducers", "includeTimeField", "labelsToFields")
    only(options, known, "reduce")
    modes = ("seriesToRows", "reduceFields")
    mode = one_of(options.get("mode") or modes[0], modes, "reduce.mode")
    calcs = options.get("reducers") or ["max"]
    timed = bool(options.get("includeTimeField"))
    if mode == "reduceFields":
        return [_one_row(table, calcs, timed=timed) for table in tables]
    found = [
        (column, title)
        for table, named in zip(tables, titles(tables), strict=True)
        for column, title in zip(table.columns, named, strict=True)
        if column.kind == "number" or (timed and column.kind == "time")
    ]
    keys = dict.fromkeys(key for column, _ in found for key in column.labels or {})
    columns = [Column("Field", "string", [title for _, title in found])]
    if options.get("labelsToFields"):
        columns.extend(
            Column(key, "string", [(column.labels or {}).get(key) for column, _ in found])
            for key in keys
        )
    for calc in calcs:
        values = [reducers.reduced(column.values, calc) for column, _ in found]
        columns.append(Column(reducers.label(calc), _kind(calc, "number"), values))
    return [Table(tables[0].ref if tables else "", tuple(columns))] if found else []


def _operation(wanted: Mapping[str, Any], name: str) -> str | None:
    operation = (wanted.get(name) or {}).get("operation")
    if operation not in {None, "groupby", "aggregate"}:
        raise ConfigError("not known to the local view", key="groupBy.operation", value=operation)
    return operation


def _calculated(column: Column, name: str, calc: str, groups: Sequence[Sequence[int]]) -> Column:
    values = [reducers.reduced([column.values[row] for row in rows], calc) for rows in groups]
    return Column(f"{name} ({calc})", _kind(calc, column.kind), values)


def _one_row(table: Table, calcs: Sequence[str], *, timed: bool) -> Table:
    columns = []
    for column in table.columns:
        if column.kind != "number" and not (timed and column.kind == "time"):
            continue
        for calc in calcs:
            value = reducers.reduced(column.values, calc)
            name = column.name if len(calcs) == 1 else f"{column.name} {reducers.label(calc)}"
            kind = _kind(calc, column.kind)
            given = column.given if len(calcs) == 1 else None
            columns.append(replace(column, name=name, kind=kind, values=[value], given=given))
    return table.with_columns(columns)


def _kind(calc: str, kind: Kind) -> Kind:
    if calc in _TRUTHS:
        return "boolean"
    return "number" if calc in _COUNTS else kind


def _text(value: Value) -> str:
    if value is None:
        return "null"
    return str(int(value)) if isinstance(value, float) and value.is_integer() else str(value)

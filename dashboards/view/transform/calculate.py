"""A new column from the others: reductions over a row, and two columns with an operator."""

from collections.abc import Callable, Mapping, Sequence
from datetime import tzinfo
from typing import Any, Final

from dashboards.view import reducers
from dashboards.view.frames import Value
from dashboards.view.tables import Column, Table, titles
from dashboards.view.transform.join import join_by_field
from dashboards.view.transform.options import find, one_of, only

_OPERATORS: Final[dict[str, Callable[[float, float], float | None]]] = {
    "+": lambda left, right: left + right,
    "-": lambda left, right: left - right,
    "*": lambda left, right: left * right,
    "/": lambda left, right: left / right if right else None,
    "%": lambda left, right: left % right if right else None,
    "**": lambda left, right: left**right,
}


def calculate_field(
    tables: Sequence[Table], options: Mapping[str, Any], zone: tzinfo | None
) -> list[Table]:
    """Add a column of numbers: ``reduceRow`` or ``binary``; series are first joined by time."""
    known = ("mode", "reduce", "binary", "alias", "replaceFields", "timeSeries")
    only(options, known, "calculateField")
    modes = ("reduceRow", "binary")
    mode = one_of(options.get("mode") or modes[0], modes, "calculateField.mode")
    given = list(tables)
    if options.get("timeSeries") is not False and len(given) > 1:
        given = join_by_field(given, {}, zone)
    made = []
    for table, named in zip(given, titles(given), strict=True):
        if mode == "binary":
            column = _binary(table, named, options.get("binary") or {}, options.get("alias"))
        else:
            column = _reduced(table, named, options.get("reduce") or {}, options.get("alias"))
        kept = list(table.columns)
        if options.get("replaceFields"):
            kept = [other for other in table.columns if other.kind == "time"][:1]
        made.append(table.with_columns([*kept, *([column] if column else [])]))
    return made


def _reduced(
    table: Table, named: Sequence[str], options: Mapping[str, Any], alias: str | None
) -> Column | None:
    calc = options.get("reducer") or "sum"
    included = options.get("include")
    columns = [
        column
        for column, title in zip(table.columns, named, strict=True)
        if column.kind == "number" and (not included or title in included)
    ]
    if not columns:
        return None
    rows = zip(*(column.values for column in columns), strict=True)
    values = [reducers.reduced(row, calc) for row in rows]
    return Column(alias or reducers.label(calc), "number", values)


def _binary(
    table: Table, named: Sequence[str], options: Mapping[str, Any], alias: str | None
) -> Column | None:
    sign = one_of(options.get("operator") or "+", tuple(_OPERATORS), "calculateField.operator")
    left, left_name = _side(table, named, options.get("left"))
    right, right_name = _side(table, named, options.get("right"))
    if left is None or right is None:
        return None
    operate = _OPERATORS[sign]
    values: list[Value] = [
        operate(a, b) if isinstance(a, int | float) and isinstance(b, int | float) else None
        for a, b in zip(left, right, strict=True)
    ]
    return Column(alias or f"{left_name} {sign} {right_name}", "number", values)


def _side(table: Table, named: Sequence[str], side: object) -> tuple[Sequence[Value] | None, str]:
    """The values of a column, or one number over and over; and what it is called."""
    name = side
    if isinstance(side, Mapping):
        name = side.get("fixed") or (side.get("matcher") or {}).get("options")
    text = str(name if name is not None else "")
    column = find(table, named, text)
    if column is not None:
        return column.values, text
    try:
        return [float(text)] * table.length, text
    except ValueError:
        return None, text

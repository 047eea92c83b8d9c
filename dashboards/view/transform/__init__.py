"""Grafana's transformations, in the order in which a panel lists them.

Each is a function of tables and its options. One that is not known is an error that the panel
shows, never left out.
"""

from collections.abc import Callable, Mapping, Sequence
from datetime import tzinfo
from typing import Any, Final

from citynerve.errors import ConfigError
from dashboards.view.looks import matcher
from dashboards.view.tables import Table
from dashboards.view.transform.calculate import calculate_field
from dashboards.view.transform.columns import (
    extract_fields,
    filter_by_name,
    format_time,
    labels_to_fields,
    organize,
)
from dashboards.view.transform.group import group_by, grouping_to_matrix, reduce_series
from dashboards.view.transform.join import join_by_field, merge
from dashboards.view.transform.rows import filter_by_ref, limit, sort_by

Options = Mapping[str, Any]
Transformation = Callable[[Sequence[Table], Options, tzinfo | None], list[Table]]
"""(tables, options, the board's time zone; None: this machine's) -> tables."""


def transformed(
    tables: Sequence[Table], panel: Mapping[str, Any], zone: tzinfo | None = None
) -> list[Table]:
    """What a panel's transformations make of its tables.

    Args:
        tables: As the queries gave them.
        panel: Its JSON.
        zone: The board's time zone; None: this machine's.

    Raises:
        ConfigError: A transformation, or an option of one, is not known here; names it.
    """
    made = list(tables)
    for step in panel.get("transformations") or []:
        if step.get("disabled"):
            continue
        run = KNOWN.get(step["id"])
        if run is None:
            raise ConfigError(
                "a transformation that the local view does not know",
                key="transformations.id",
                value=step["id"],
                fix=f"use one of {', '.join(KNOWN)}",
            )
        made = _where(step, made, run, zone)
    return made


def _where(
    step: Mapping[str, Any], tables: list[Table], run: Transformation, zone: tzinfo | None
) -> list[Table]:
    """Run it on the tables that the step's ``filter`` means; the others stay, behind them."""
    chosen = step.get("filter")
    options = step.get("options") or {}
    if not chosen or not chosen.get("options"):
        return run(tables, options, zone)
    if chosen["id"] == "byRefId":
        meant = [table for table in tables if _is_ref(chosen["options"], table.ref)]
    else:
        fits = matcher(chosen)
        meant = [t for t in tables if any(fits(column, column.name, t) for column in t.columns)]
    kept = [table for table in tables if not any(table is other for other in meant)]
    return run(meant, options, zone) + kept


def _is_ref(wanted: str, ref: str) -> bool:
    return ref in wanted.removeprefix("/^(?:").removesuffix(")$/").split("|")


KNOWN: Final[dict[str, Transformation]] = {
    "calculateField": calculate_field,
    "extractFields": extract_fields,
    "filterByRefId": filter_by_ref,
    "filterFieldsByName": filter_by_name,
    "formatTime": format_time,
    "groupBy": group_by,
    "groupingToMatrix": grouping_to_matrix,
    "joinByField": join_by_field,
    "labelsToFields": labels_to_fields,
    "limit": limit,
    "merge": merge,
    "organize": organize,
    "reduce": reduce_series,
    "sortBy": sort_by,
}
"""Grafana's id -> what it does."""

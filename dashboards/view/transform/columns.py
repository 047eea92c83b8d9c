"""Transformations of columns: which there are, their order, titles and texts."""

import json
import re
from collections.abc import Mapping, Sequence
from dataclasses import replace
from datetime import tzinfo
from typing import Any, Final

from dashboards.view import dates
from dashboards.view.frames import Value
from dashboards.view.looks import pattern
from dashboards.view.tables import VALUE, Column, Table, titles
from dashboards.view.transform.join import merge
from dashboards.view.transform.options import find, one_of, only

_PAIR: Final = re.compile(r"""([^\s,;:|&="']+)\s*[=:]\s*("[^"]*"|'[^']*'|[^\s,;|&"']*)""")


def organize(tables: Sequence[Table], options: Mapping[str, Any], _: tzinfo | None) -> list[Table]:
    """Leave columns out, order them, give them other titles."""
    only(options, ("excludeByName", "includeByName", "indexByName", "renameByName"), "organize")
    excluded = options.get("excludeByName") or {}
    included = options.get("includeByName") or {}
    order = options.get("indexByName") or {}
    renamed = options.get("renameByName") or {}
    made = []
    for table, named in zip(tables, titles(tables), strict=True):
        kept = [
            (column, title)
            for column, title in zip(table.columns, named, strict=True)
            if not excluded.get(title) and (not any(included.values()) or included.get(title))
        ]
        kept.sort(key=lambda item: order.get(item[1], len(order) + len(kept)))
        columns = [
            replace(column, given=renamed[title]) if renamed.get(title) else column
            for column, title in kept
        ]
        made.append(table.with_columns(columns))
    return made


def filter_by_name(
    tables: Sequence[Table], options: Mapping[str, Any], _: tzinfo | None
) -> list[Table]:
    """Keep or leave out columns by their titles; tables without a column left are gone."""
    only(options, ("include", "exclude"), "filterFieldsByName")
    made = []
    for table, named in zip(tables, titles(tables), strict=True):
        pairs = list(zip(table.columns, named, strict=True))
        include, exclude = options.get("include"), options.get("exclude")
        columns = [
            column
            for column, title in pairs
            if (not include or _meant(title, include)) and not (exclude and _meant(title, exclude))
        ]
        if columns:
            made.append(table.with_columns(columns))
    return made


def format_time(
    tables: Sequence[Table], options: Mapping[str, Any], zone: tzinfo | None
) -> list[Table]:
    """Turn a column of moments into texts, by a moment.js pattern."""
    only(options, ("timeField", "outputFormat", "useTimezone"), "formatTime")
    form = options.get("outputFormat") or dates.ISO
    made = []
    for table, named in zip(tables, titles(tables), strict=True):
        wanted = find(table, named, options["timeField"])
        made.append(
            table.with_columns(
                [
                    replace(column, kind="string", values=_dated(column.values, form, zone))
                    if column is wanted and column.kind == "time"
                    else column
                    for column in table.columns
                ]
            )
        )
    return made


def extract_fields(
    tables: Sequence[Table], options: Mapping[str, Any], _: tzinfo | None
) -> list[Table]:
    """Make columns of what stands in a column's texts, as ``key=value`` or as JSON."""
    only(options, ("source", "format", "replace", "keepTime", "jsonPaths"), "extractFields")
    form = one_of(options.get("format") or "auto", ("kvp", "json", "auto"), "extractFields.format")
    made = []
    for table, named in zip(tables, titles(tables), strict=True):
        source = find(table, named, options["source"])
        if source is None:
            made.append(table)
            continue
        kept: list[Column] = []
        if not options.get("replace"):
            kept = list(table.columns)
        elif options.get("keepTime"):
            kept = [column for column in table.columns if column.kind == "time"][:1]
        made.append(table.with_columns([*kept, *_extracted(source, form)]))
    return made


def labels_to_fields(
    tables: Sequence[Table], options: Mapping[str, Any], zone: tzinfo | None
) -> list[Table]:
    """Make columns of labels, and one table of all series; ``valueLabel`` names the values."""
    only(options, ("mode", "keepLabels", "valueLabel"), "labelsToFields")
    one_of(options.get("mode") or "columns", ("columns",), "labelsToFields.mode")
    keep, naming = options.get("keepLabels"), options.get("valueLabel")
    made = []
    for table in tables:
        columns: list[Column] = []
        for column in table.columns:
            labels = column.labels or {}
            for key, label in labels.items():
                if key != naming and (not keep or key in keep):
                    columns.append(Column(key, "string", [label] * table.length))
            name = labels.get(naming or "", column.name)
            if column.labels is not None and name == VALUE and table.name:
                name = column.given or table.name
            columns.append(replace(column, name=name, labels=None, given=None))
        made.append(Table(table.ref, tuple(columns)))
    return merge(made, {}, zone)


def _meant(title: str, wanted: Mapping[str, Any]) -> bool:
    if title in (wanted.get("names") or ()):
        return True
    form = wanted.get("pattern") or ""
    return bool(form) and pattern(form).search(title) is not None


def _dated(values: Sequence[Value], form: str, zone: tzinfo | None) -> list[Value]:
    return [
        dates.written(value, form, zone) if isinstance(value, int | float) else None
        for value in values
    ]


def _extracted(source: Column, form: str) -> list[Column]:
    rows = [_pairs(value, form) if isinstance(value, str) else {} for value in source.values]
    names = dict.fromkeys(name for row in rows for name in row)
    return [_typed(name, [row.get(name) for row in rows]) for name in names]


def _pairs(text: str, form: str) -> dict[str, Value]:
    if form == "json" or (form == "auto" and text.lstrip().startswith("{")):
        try:
            found = json.loads(text)
        except ValueError:
            return {}
        return found if isinstance(found, dict) else {}
    return {key: value.strip("\"'") for key, value in _PAIR.findall(text)}


def _typed(name: str, values: list[Value]) -> Column:
    first = next((value for value in values if value is not None), None)
    numeric = isinstance(first, int | float) and not isinstance(first, bool)
    return Column(name, "number" if numeric else "string", values)

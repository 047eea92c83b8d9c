"""Tables become frames: field defaults and overrides of a panel's JSON, brought together.

As in Grafana: the defaults first, then each override whose matcher fits a field, in their order.
A matcher or a mapping that is not understood is an error that the panel shows.
"""

import re
from collections.abc import Callable, Mapping, Sequence
from typing import Any, Final

from citynerve.errors import ConfigError
from dashboards.view import reducers
from dashboards.view.frames import (
    Field,
    FieldConfig,
    Frame,
    Kind,
    Link,
    Threshold,
    Value,
    ValueMapping,
)
from dashboards.view.tables import VALUE, Column, Table, titles
from dashboards.view.units import is_date
from dashboards.view.values import DEFAULT_THRESHOLDS

_COLOR_MODES: Final = {
    "timeseries": "palette-classic",
    "barchart": "palette-classic",
    "piechart": "palette-classic",
    "histogram": "palette-classic",
    "xychart": "palette-classic",
    "trend": "palette-classic",
    "state-timeline": "continuous-GrYlRd",
    "status-history": "thresholds",
}
"""Type of panel -> colours where its JSON says none; ``thresholds`` for all others."""

_BRIEF_MS: Final = 60_000
"""A time column that covers less is written with its milliseconds."""

Fits = Callable[[Column, str, Table], bool]
"""Whether a matcher means a column: (column, its title, its table)."""


def dressed(panel: Mapping[str, Any], tables: Sequence[Table]) -> list[Frame]:
    """The frames that a panel draws, each field with its complete configuration.

    Raises:
        ConfigError: A matcher, mapping or calculation is not known here; names it.
    """
    looks = panel.get("fieldConfig") or {}
    overrides = [
        (matcher(entry["matcher"]), entry.get("properties") or [])
        for entry in looks.get("overrides") or []
    ]
    defaults = dict(looks.get("defaults") or {})
    defaults.setdefault("color", {"mode": _COLOR_MODES.get(panel.get("type", ""), "thresholds")})
    return [
        Frame(
            ref=table.ref,
            fields=[
                _field(column, title, table, defaults, overrides)
                for column, title in zip(table.columns, named, strict=True)
            ],
        )
        for table, named in zip(tables, titles(tables), strict=True)
    ]


def matcher(entry: Mapping[str, Any]) -> Fits:
    """A matcher of an override or a transformation.

    Raises:
        ConfigError: It is of a kind that is not known here.
    """
    name, options = entry["id"], entry.get("options")
    try:
        return _MATCHERS[name](options)
    except KeyError:
        raise ConfigError(
            "a matcher that the local view does not know",
            key="matcher.id",
            value=name,
            fix=f"use one of {', '.join(_MATCHERS)}",
        ) from None


def pattern(text: str) -> re.Pattern[str]:
    """A JavaScript regular expression, with or without its slashes, compiled.

    Raises:
        ConfigError: It is none.
    """
    found = re.fullmatch(r"/(.*)/([a-z]*)", text, re.DOTALL)
    body, flags = (found[1], found[2]) if found else (text, "")
    try:
        return re.compile(body, re.IGNORECASE if "i" in flags else 0)
    except re.error as error:
        raise ConfigError(f"not a regular expression: {error}", value=text) from error


def _by_names(options: Mapping[str, Any]) -> Fits:
    names = set(options.get("names") or ())
    wanted = options.get("mode", "include") != "exclude"
    return lambda column, title, _: (title in names or column.name in names) is wanted


def _by_regexp(options: str) -> Fits:
    compiled = pattern(options)
    return lambda _, title, __: compiled.search(title) is not None


def _by_regexp_or_names(options: Mapping[str, Any]) -> Fits:
    named, matched = _by_names(options), _by_regexp(options.get("pattern") or "(?!)")
    return lambda column, title, table: named(column, title, table) or matched(column, title, table)


def _by_value(options: Mapping[str, Any]) -> Fits:
    wanted, operator = float(options.get("value") or 0), options.get("op", "gte")

    def fits(column: Column, _: str, __: Table) -> bool:
        if column.kind != "number":
            return False
        found = reducers.reduced(column.values, options["reducer"])
        if not isinstance(found, int | float):
            return False
        return {
            "eq": found == wanted,
            "neq": found != wanted,
            "gte": found >= wanted,
            "gt": found > wanted,
            "lte": found <= wanted,
            "lt": found < wanted,
        }[operator]

    return fits


def _first(wanted: Callable[[Column], bool]) -> Fits:
    def fits(column: Column, _: str, table: Table) -> bool:
        return next((other for other in table.columns if wanted(other)), None) is column

    return fits


_MATCHERS: Final[dict[str, Callable[[Any], Fits]]] = {
    "byName": lambda wanted: lambda column, title, _: wanted in {title, column.name},
    "byNames": _by_names,
    "byRegexp": _by_regexp,
    "byRegexpOrNames": _by_regexp_or_names,
    "byType": lambda wanted: lambda column, _, __: column.kind == wanted,
    "byTypes": lambda wanted: lambda column, _, __: column.kind in wanted,
    "byFrameRefID": lambda wanted: lambda _, __, table: table.ref == wanted,
    "byValue": _by_value,
    "numeric": lambda _: lambda column, __, ___: column.kind == "number",
    "time": lambda _: lambda column, __, ___: column.kind == "time",
    "first": lambda _: _first(lambda __: True),
    "firstTimeField": lambda _: _first(lambda column: column.kind == "time"),
}


def _field(
    column: Column,
    title: str,
    table: Table,
    defaults: Mapping[str, Any],
    overrides: Sequence[tuple[Fits, Sequence[Mapping[str, Any]]]],
) -> Field:
    settings = {**defaults, "custom": dict(defaults.get("custom") or {})}
    if column.unit:
        settings["unit"] = column.unit
    for fits, properties in overrides:
        if fits(column, title, table):
            for one in properties:
                _put(settings, one["id"], one.get("value"))
    config = _config(settings)
    config.unit = _unit(config.unit, column.kind, column.values)
    if not config.display_name and title != column.name:
        config.display_name = title
    name = title if column.name == VALUE and column.given else column.name
    return Field(
        name=name,
        kind=column.kind,
        values=column.values,
        labels=dict(column.labels or {}),
        config=config,
    )


def _put(settings: dict[str, Any], path: str, value: object) -> None:
    *outer, last = path.split(".")
    for name in outer:
        # Copied on the way down: defaults are shared by all fields.
        settings[name] = dict(settings.get(name) or {})
        settings = settings[name]
    settings[last] = value


def _config(settings: Mapping[str, Any]) -> FieldConfig:
    custom = settings["custom"]
    color = settings.get("color") or {}
    steps = settings.get("thresholds") or {}
    hide = custom.get("hideFrom") or {}
    return FieldConfig(
        display_name=settings.get("displayName") or None,
        unit=settings.get("unit") or None,
        decimals=settings.get("decimals"),
        low=settings.get("min"),
        high=settings.get("max"),
        no_value=settings.get("noValue"),
        color_mode=color.get("mode") or "thresholds",
        fixed_color=color.get("fixedColor"),
        thresholds=_thresholds(steps),
        thresholds_mode=steps.get("mode") or "absolute",
        mappings=tuple(
            mapping for entry in settings.get("mappings") or () for mapping in _mappings(entry)
        ),
        links=tuple(
            Link(link.get("title") or "", link["url"], bool(link.get("targetBlank")))
            for link in settings.get("links") or ()
        ),
        hidden=bool(custom.get("hidden") or hide.get("viz")),
        custom=custom,
    )


def _thresholds(steps: Mapping[str, Any]) -> tuple[Threshold, ...]:
    found = [Threshold(step.get("value"), step["color"]) for step in steps.get("steps") or ()]
    if not found:
        return DEFAULT_THRESHOLDS
    # The first holds from minus infinity on, whatever stands there.
    first, *others = found
    others.sort(key=lambda step: step.value or 0)
    return (Threshold(None, first.color), *others)


def _mappings(entry: Mapping[str, Any]) -> list[ValueMapping]:
    kind, options = entry["type"], entry.get("options") or {}
    if kind == "value":
        ordered = sorted(options.items(), key=lambda item: item[1].get("index") or 0)
        return [
            ValueMapping(text=result.get("text"), color=result.get("color"), value=str(value))
            for value, result in ordered
        ]
    result = options.get("result") or {}
    text, color = result.get("text"), result.get("color")
    if kind == "range":
        return [
            ValueMapping(text=text, color=color, low=options.get("from"), high=options.get("to"))
        ]
    if kind == "special":
        return [ValueMapping(text=text, color=color, special=options["match"])]
    raise ConfigError(
        "a value mapping that the local view does not know",
        key="mappings.type",
        value=kind,
        fix="use value, range or special",
    )


def _unit(unit: str | None, kind: Kind, values: Sequence[Value]) -> str | None:
    if kind != "time" or is_date(unit):
        return unit
    there = [value for value in values if isinstance(value, int | float)]
    brief = len(there) > 1 and abs(there[-1] - there[0]) < _BRIEF_MS
    return "dateTimeAsSystemMs" if brief else "dateTimeAsSystem"

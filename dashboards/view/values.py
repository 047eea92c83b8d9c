"""What people see of a value: its text, its colour, and one value for a field."""

import math
from collections.abc import Iterable, Sequence
from datetime import tzinfo
from typing import Any

from citynerve.clock import now_ms
from dashboards.view import colors, reducers, units
from dashboards.view.colors import Theme
from dashboards.view.frames import Field, FieldConfig, Frame, Threshold, Value, ValueMapping
from dashboards.view.numbers import Scale, Step, Text, plain

Bounds = tuple[float, float]
"""The least and the greatest number that a scale covers."""

# Where a board says nothing, Grafana has these.
DEFAULT_THRESHOLDS = (Threshold(None, "green"), Threshold(80, "red"))


def shown(
    value: Value, config: FieldConfig, zone: tzinfo | None = None, decimals: int | None = None
) -> str:
    """A value as people see it: mapped, or with its unit, or what stands for nothing.

    Args:
        value: Of the field.
        config: The field's.
        zone: Whose clock moments are written by; None: this machine's.
        decimals: Where the field says none; of an axis, for instance.
    """
    return str(parts(value, config, zone, decimals))


def parts(
    value: Value, config: FieldConfig, zone: tzinfo | None = None, decimals: int | None = None
) -> Text:
    """Like :func:`shown`, in its three parts, for who draws the unit smaller."""
    mapping = mapped(value, config)
    if mapping is not None and mapping.text is not None:
        return Text("", mapping.text, "")
    if value is None or (isinstance(value, float) and math.isnan(value)):
        return Text("", config.no_value or "", "")
    if isinstance(value, bool):
        name = config.unit if config.unit and config.unit.startswith("bool") else "bool"
        return units.formatter(name)(value, None)
    if isinstance(value, str):
        return Text("", value or config.no_value or "", "")
    if units.is_date(config.unit):
        return Text("", units.moment(value, config.unit or "", now_ms(), zone), "")
    return _number(value, config, decimals)


def color(
    value: Value, config: FieldConfig, theme: Theme, index: int = 0, bounds: Bounds | None = None
) -> str:
    """The colour of a value (or, in modes by series, of the series) as ``#rrggbb``.

    Args:
        value: Of the field.
        config: The field's.
        theme: Whose shades the names mean.
        index: The series' number on its panel, from 0.
        bounds: What a scale or percents cover where the field says no least or greatest value;
            see :func:`bounds`.
    """
    mapping = mapped(value, config)
    if mapping is not None and mapping.color:
        return colors.named(mapping.color, theme)
    mode = config.color_mode
    if mode in {"fixed", "shades"}:
        return colors.named(config.fixed_color or colors.FALLBACK, theme)
    if mode.startswith("palette-"):
        return colors.classic(index, theme)
    number = _as_number(value)
    if colors.is_continuous(mode):
        return colors.at(mode, 0.0 if number is None else part(number, config, bounds), theme)
    step = threshold(number, config, bounds)
    return colors.named(step.color if step else colors.FALLBACK, theme)


def threshold(
    number: float | None, config: FieldConfig, bounds: Bounds | None = None
) -> Threshold | None:
    """The threshold that a number has passed; the lowest where there is no number."""
    steps = config.thresholds
    if not steps:
        return None
    if number is None:
        return steps[0]
    if config.thresholds_mode == "percentage":
        number = 100 * part(number, config, bounds)
    passed = [step for step in steps if step.value is None or number >= step.value]
    return passed[-1] if passed else steps[0]


def part(number: float, config: FieldConfig, bounds: Bounds | None = None) -> float:
    """Where a number lies between the field's least and greatest value, from 0 to 1."""
    low, high = limits(config, bounds)
    return min(1.0, max(0.0, (number - low) / (high - low))) if high > low else 0.0


def limits(config: FieldConfig, bounds: Bounds | None = None) -> Bounds:
    """The field's least and greatest value, where it says none those of ``bounds``, or 0 to 100."""
    low, high = bounds or (0.0, 100.0)
    return (
        low if config.low is None else config.low,
        high if config.high is None else config.high,
    )


def bounds(frames: Iterable[Frame]) -> Bounds | None:
    """The least and greatest number of all that is shown; None where there is none."""
    numbers = [
        value
        for frame in frames
        for field in frame.fields
        if field.kind == "number" and not field.config.hidden
        for value in field.values
        if _as_number(value) is not None
    ]
    return (float(min(numbers)), float(max(numbers))) if numbers else None  # type: ignore[type-var, arg-type]


def reduced(field: Field, calc: str) -> Value:
    """One value for a field: ``lastNotNull``, ``mean``, ``p95`` ...

    Raises:
        ConfigError: There is no such calculation.
    """
    return reducers.reduced(field.values, calc)


def ladder(config: FieldConfig) -> dict[str, Any]:
    """How numbers of a field are written, as JSON for a page that writes them itself.

    Returns:
        ``steps``: rising ``[least, one, prefix, suffix]``: the last whose ``least`` a number
        (without its sign) reaches counts; it is divided by ``one``. ``decimals``: after the point,
        or None: three significant digits, none where it is whole. ``date``: the moment.js pattern
        of a unit of moments, ``from now`` for how far one is away, or None.
    """
    made = units.formatter(config.unit)
    steps = made.steps if isinstance(made, Scale) else [Step(0, 1, "", "")]
    date = None
    if config.unit and units.is_date(config.unit):
        steps = [Step(0, 1, "", "")]
        date = units.pattern(config.unit)
    return {"steps": [list(step) for step in steps], "decimals": config.decimals, "date": date}


def title(field: Field) -> str:
    """What people read as the field's name."""
    return field.config.display_name or field.name


def mapped(value: Value, config: FieldConfig) -> ValueMapping | None:
    """The first of the field's mappings that fits a value."""
    return next((one for one in config.mappings if _fits(value, one)), None)


def _number(value: float, config: FieldConfig, decimals: int | None) -> Text:
    wanted = config.decimals if config.decimals is not None else decimals
    text = units.formatter(config.unit)(value, wanted)
    if config.decimals is None and "." in text.text:
        # Grafana strips zeros that only the chosen number of decimals has brought.
        stripped = text.text.rstrip("0").rstrip(".")
        return text._replace(text=stripped) if _is_plain(stripped) else text
    return text


def _is_plain(text: str) -> bool:
    return text.lstrip("-").replace(".", "", 1).isdigit()


def _fits(value: Value, mapping: ValueMapping) -> bool:
    if mapping.special is not None:
        return _is_special(value, mapping.special)
    if mapping.value is not None:
        return value is not None and mapping.value == _key(value)
    number = _as_number(value)
    if number is None:
        return False
    return (mapping.low is None or number >= mapping.low) and (
        mapping.high is None or number <= mapping.high
    )


def _is_special(value: Value, special: str) -> bool:
    nan = isinstance(value, float) and math.isnan(value)
    return {
        "null": value is None,
        "nan": nan,
        "null+nan": value is None or nan,
        "true": value is True,
        "false": value is False,
        "empty": value == "",
    }.get(special, False)


def _key(value: Value) -> str:
    if isinstance(value, bool):
        return "true" if value else "false"
    return plain(value) if isinstance(value, int | float) else str(value)


def _as_number(value: Value) -> float | None:
    if isinstance(value, bool):
        return float(value)
    if isinstance(value, int | float) and math.isfinite(value):
        return float(value)
    return None


def spread(fields: Sequence[Field]) -> Bounds | None:
    """Like :func:`bounds`, of some fields."""
    return bounds([Frame(ref="", fields=fields)])

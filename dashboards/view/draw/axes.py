"""Axes, thresholds and marks: what charts over time have in common. Parts of ECharts options."""

import math
from collections.abc import Mapping, Sequence
from typing import Any, Final

from dashboards.view import colors, values
from dashboards.view.draw.drawing import Look, number
from dashboards.view.frames import Field, FieldConfig, Frame

FONT_PX: Final = 11

_SHORT: Final = 0.25
"""A mark that lasts for a larger part of the range has no ground, only a strip at its foot."""

_TICKS: Final = 4
"""About as many ticks as an axis has above its lowest one."""

GRID: Final = {"left": 8, "right": 14, "top": 12, "bottom": 4, "containLabel": True}
"""The room around a plot; the axes' labels are within it."""


def base(look: Look) -> dict[str, Any]:
    """What every option begins with: no animation, the theme's text."""
    return {
        "animation": False,
        "textStyle": {"color": look.token("muted"), "fontSize": FONT_PX},
        "grid": dict(GRID),
        "legend": {"show": False},
        "tooltip": {"show": True, "trigger": "axis", "showContent": True},
    }


def time_axis(look: Look) -> dict[str, Any]:
    """Time across, over the whole range whatever data there is."""
    return {
        "type": "time",
        "min": look.span.start,
        "max": look.span.end,
        "axisLine": {"lineStyle": {"color": look.token("line-strong")}},
        "axisTick": {"lineStyle": {"color": look.token("line-strong")}},
        "axisLabel": _labels(look) | {"hideOverlap": True},
        "splitLine": {"show": False},
        "axisPointer": _pointer(look),
    }


def value_axis(look: Look, config: FieldConfig, *, right: bool, zero: bool) -> dict[str, Any]:
    """Numbers upwards.

    Args:
        look: For whom.
        config: Of the first field on it: its unit, bounds and name.
        right: Whether it stands at the right.
        zero: Whether it begins at zero where the field says nothing else.
    """
    custom = config.custom
    axis: dict[str, Any] = {
        "type": "value",
        "scale": not zero,
        "position": "right" if right else "left",
        "axisLabel": _labels(look),
        "axisLine": {"show": False},
        "axisTick": {"show": False},
        "splitLine": {"show": not right, "lineStyle": {"color": look.token("grid")}},
        "show": custom.get("axisPlacement") != "hidden",
    }
    if custom.get("axisLabel"):
        axis |= {
            "name": look.tr(custom["axisLabel"]),
            "nameLocation": "end",
            "nameGap": 10,
            "nameTextStyle": {
                "color": look.token("muted"),
                "align": "right" if right else "left",
                "fontSize": FONT_PX,
            },
        }
    if config.decimals == 0:
        axis["minInterval"] = 1
    for key, value in (("min", config.low), ("max", config.high)):
        if value is not None:
            axis[key] = value
    if (custom.get("scaleDistribution") or {}).get("type") == "log":
        axis |= {"type": "log", "logBase": custom["scaleDistribution"].get("log") or 10}
    return axis


def even_out(
    axis: dict[str, Any],
    written: Mapping[str, Any],
    courses: Sequence[Sequence[tuple[float, float | None]]],
) -> None:
    """Put an axis' ticks at round numbers of a unit that is no power of ten, as MiB or minutes.

    Args:
        axis: A value axis, which gets its ``interval`` and, where it has none, its ``min``.
        written: Its ladder.
        courses: The points of all series on it, in time.
    """
    numbers = [v for course in courses for _, v in course if v is not None]
    if not numbers:
        return
    most = max(abs(number) for number in numbers)
    one = [step for step in written["steps"] if step[0] <= most or step[0] == 0][-1][1]
    if one <= 0 or most == 0 or math.log10(one) % 1 == 0:
        return
    low = axis.get("min", min(numbers) if axis["scale"] else min(0.0, *numbers))
    high = axis.get("max", max(numbers))
    length = (high - low) / one / _TICKS
    if length <= 0:
        return
    power = 10.0 ** math.floor(math.log10(length))
    step = one * power * next(n for n in (1, 2, 5, 10) if n * power >= length)
    axis["interval"] = step
    axis.setdefault("min", math.floor(low / step) * step)
    axis.setdefault("max", math.ceil(high / step) * step)


def category_axis(look: Look, names: Sequence[str], *, lines: bool = False) -> dict[str, Any]:
    """Names side by side."""
    return {
        "type": "category",
        "data": list(names),
        "axisLine": {"lineStyle": {"color": look.token("line-strong")}},
        "axisTick": {"show": False},
        "axisLabel": _labels(look) | {"width": 130, "overflow": "truncate"},
        "splitLine": {"show": lines, "lineStyle": {"color": look.token("grid")}},
        "axisPointer": _pointer(look),
    }


def thresholds(field: Field, look: Look) -> dict[str, Any]:
    """A field's thresholds as lines and areas of its series, where it asks for them."""
    style = (field.config.custom.get("thresholdsStyle") or {}).get("mode") or "off"
    steps = [step for step in field.config.thresholds if step.value is not None]
    parts: dict[str, Any] = {}
    if "line" in style or "dashed" in style:
        kind = "dashed" if "dashed" in style else "solid"
        parts["markLine"] = {
            "silent": True,
            "symbol": "none",
            "label": {"show": False},
            "data": [
                {
                    "yAxis": step.value,
                    "lineStyle": {"color": colors.named(step.color, look.theme), "type": kind},
                }
                for step in steps
            ],
        }
    if "area" in style:
        ends = [*(step.value for step in steps[1:]), None]
        parts["markArea"] = {
            "silent": True,
            "data": [
                [
                    {
                        "yAxis": step.value,
                        "itemStyle": {
                            "color": colors.named(step.color, look.theme),
                            "opacity": 0.1,
                        },
                    },
                    {"yAxis": end} if end is not None else {"y": 0},
                ]
                for step, end in zip(steps, ends, strict=True)
            ],
        }
    return parts


def marks(annotations: Sequence[Frame], look: Look) -> list[dict[str, Any]]:
    """Annotations for the page's chart: ``t``, ``end``, ``title``, ``text``, ``color``."""
    found = []
    for frame in annotations:
        columns = {field.name: field for field in frame.fields}
        times = columns.get("time")
        if times is None:
            continue
        color = look.line(times, 0)
        for row, at in enumerate(times.values):
            if number(at) is None:
                continue
            end = _cell(columns, "timeEnd", row)
            found.append(
                {
                    "t": at,
                    "end": end if number(end) is not None else None,
                    "title": look.tr(str(_cell(columns, "title", row) or frame.ref)),
                    "text": look.tr(str(_cell(columns, "text", row) or "")),
                    "color": color,
                }
            )
    return found


def mark_series(found: Sequence[Mapping[str, Any]], look: Look) -> dict[str, Any]:
    """The series that draws marks; the page's chart knows how to by its ``draws``.

    ``grounds`` are the spans in which there is any mark, each once, as far as they leave most of
    the plot free.
    """
    grounds: list[list[float]] = []
    for mark in sorted(found, key=lambda mark: mark["t"]):
        end = mark["end"] or mark["t"]
        if end - mark["t"] > _SHORT * (look.span.end - look.span.start):
            continue
        if grounds and mark["t"] <= grounds[-1][1]:
            grounds[-1][1] = max(grounds[-1][1], end)
        else:
            grounds.append([mark["t"], end])
    return {
        "grounds": grounds,
        "type": "custom",
        "draws": "marks",
        "id": "marks",
        "silent": True,
        "data": [[mark["t"], mark["end"] or mark["t"]] for mark in found],
        "colors": [mark["color"] for mark in found],
        "encode": {"x": [0, 1]},
        "z": 1,
        "clip": True,
    }


def ladder(config: FieldConfig, look: Look) -> dict[str, Any]:
    """How the page writes numbers of a field, its words in the reader's language."""
    found = values.ladder(config)
    for step in found["steps"]:
        step[:2] = map(float, step[:2])  # some are beyond what JSON writers take as integers
        step[3] = look.tr(step[3])
    mapped = [
        {
            "value": one.value,
            "from": one.low,
            "to": one.high,
            "text": look.tr(one.text),
        }
        for one in config.mappings
        if one.text is not None and one.special is None
    ]
    return found | ({"mapped": mapped} if mapped else {})


def _cell(columns: Mapping[str, Field], name: str, row: int) -> Any:  # noqa: ANN401 - of any kind
    field = columns.get(name)
    return field.values[row] if field is not None and row < len(field.values) else None


def _labels(look: Look) -> dict[str, Any]:
    return {"color": look.token("muted"), "fontSize": FONT_PX}


def _pointer(look: Look) -> dict[str, Any]:
    return {
        "show": True,
        "type": "line",
        "label": {"show": False},
        "lineStyle": {"color": look.token("faint"), "type": "dashed", "width": 1},
    }

"""Bars by name: one group a row, one bar a number in it."""

from collections.abc import Mapping, Sequence
from typing import Any

from dashboards.view import values
from dashboards.view.draw import axes, tokens
from dashboards.view.draw.drawing import (
    BLANK,
    NOTHING,
    Drawing,
    Look,
    hidden_from,
    note,
    number,
    visible,
)
from dashboards.view.frames import Field, Frame, PanelData


def draw(panel: Mapping[str, Any], data: PanelData, look: Look) -> Drawing:
    """The option of an ECharts bar chart of the first frame that has names and numbers."""
    options = panel.get("options") or {}
    for frame in data.frames:
        names = _names(frame, options.get("xField"))
        bars = [field for field in visible(frame) if field.kind == "number"]
        if names is not None and bars:
            return _draw(options, frame, names, bars, look)
    return note(look.tr(NOTHING))


def _names(frame: Frame, wanted: str | None) -> Field | None:
    fields = list(visible(frame))
    if wanted:
        found = next((f for f in fields if wanted in {f.name, values.title(f)}), None)
        if found is not None:
            return found
    return next((f for f in fields if f.kind in {"string", "time"}), None)


def _draw(
    options: Mapping[str, Any], frame: Frame, names: Field, bars: Sequence[Field], look: Look
) -> Drawing:
    said = [look.shown(value, names) for value in names.values]
    lying = options.get("orientation") == "horizontal"
    stacked = (options.get("stacking") or "none") != "none"
    across = axes.category_axis(look, said) | ({"inverse": True} if lying else {})
    upwards = axes.value_axis(look, bars[0].config, right=False, zero=True)
    if options.get("xTickLabelRotation"):
        across["axisLabel"]["rotate"] = -options["xTickLabelRotation"]
    series = [
        _series(field, index, look, lying=lying, stack=stacked, alone=len(bars) == 1)
        | _labels(options, lying=lying, stacked=stacked, look=look)
        for index, field in enumerate(bars)
    ]
    option = axes.base(look) | {
        "xAxis": upwards if lying else across,
        "yAxis": [across if lying else upwards],
        "series": series,
    }
    option["grid"]["top"] = 30 if upwards.get("name") else 18
    tooltip = options.get("tooltip") or {}
    legend = options.get("legend") or {}
    shown = legend.get("showLegend", True) and legend.get("displayMode") != "hidden"
    own = [
        {
            "name": look.title(field),
            "color": look.line(field, index),
            "format": axes.ladder(field.config, look),
            "tooltip": not hidden_from(field, "tooltip"),
        }
        for index, field in enumerate(bars)
    ]
    props = {
        "option": option,
        "own": {
            "axes": [axes.ladder(bars[0].config, look)],
            "lying": lying,
            "series": own,
            "tooltip": {"mode": tooltip.get("mode") or "single", "sort": tooltip.get("sort")},
            "legend": {
                "items": [
                    {"series": place, "calcs": [], "style": "points"}
                    for place, field in enumerate(bars)
                    if not hidden_from(field, "legend")
                ],
                "calcs": [],
                "table": False,
                "right": legend.get("placement") == "right",
            }
            if shown and len(bars) > 1
            else None,
            "marks": [],
            "links": [_href(names, frame, row, look) for row in range(len(said))],
            "time": False,
        },
    }
    return Drawing(kind="chart", props=props, summary=_summary(said, bars, look))


def _series(
    field: Field, index: int, look: Look, *, lying: bool, stack: bool, alone: bool
) -> dict[str, Any]:
    own = look.line(field, index)
    by_value = alone and not field.config.color_mode.startswith(("palette-", "fixed"))
    bounds = values.spread([field])
    data: list[Any] = []
    for value in field.values:
        amount = number(value)
        if by_value and amount is not None:
            color = tokens.legible(look.color(value, field, index, bounds), look.theme)
            data.append({"value": amount, "itemStyle": {"color": color}})
        else:
            data.append(amount)
    radius = 2
    corners = [0, radius, radius, 0] if lying else [radius, radius, 0, 0]
    series: dict[str, Any] = {
        "type": "bar",
        "id": f"s{index}",
        "name": look.title(field),
        "color": own,
        "barMaxWidth": 46,
        "barCategoryGap": "22%",
        "barGap": "8%",
        "itemStyle": {"borderRadius": 0 if stack else corners},
        "emphasis": {"disabled": True},
        "data": data,
    }
    return series | ({"stack": "all"} if stack else {})


def _labels(
    options: Mapping[str, Any], *, lying: bool, stacked: bool, look: Look
) -> dict[str, Any]:
    if (options.get("showValue") or "auto") == "never" or stacked:
        return {}
    return {
        "label": {
            "show": True,
            "position": "right" if lying else "top",
            "color": look.token("muted"),
            "fontSize": axes.FONT_PX,
        },
        "labelLayout": {"hideOverlap": True},
    }


def _href(names: Field, frame: Frame, row: int, look: Look) -> str | None:
    links = look.follow(names, frame, row)
    return links[0].url if links else None


def _summary(names: Sequence[str], bars: Sequence[Field], look: Look) -> str:
    parts = []
    for row, name in enumerate(names):
        said = ", ".join(
            f"{look.title(field)} {look.shown(field.values[row], field) or BLANK}" for field in bars
        )
        parts.append(f"{name}: {said}")
    return "; ".join(parts)

"""Series over time: lines, bars and points, stacks, bands, thresholds, annotations."""

from collections.abc import Iterator, Mapping, Sequence
from typing import Any, Final, NamedTuple

from dashboards.view import reducers, values
from dashboards.view.draw import axes
from dashboards.view.draw.drawing import (
    BLANK,
    NOTHING,
    Drawing,
    Look,
    hidden_from,
    note,
    number,
    time_of,
    visible,
)
from dashboards.view.frames import Field, Frame, PanelData

FEW_POINTS: Final = 24
"""Up to so many values of a series are marked by points where the panel leaves it open."""

_SMOOTH: Final = 0.3
_AREA: Final = 0.12
"""How far the ground of a band is filled where the panel says nothing."""

Point = tuple[float, float | None]
"""A time in ms since 1970 UTC, and what was then; None: nothing."""


class Series(NamedTuple):
    """One field that is drawn, with its colour and its axis."""

    frame: Frame
    field: Field
    number: int
    color: str
    axis: int
    points: list[Point]


def draw(panel: Mapping[str, Any], data: PanelData, look: Look) -> Drawing:
    """The option of an ECharts chart, and what the page adds to it: legend, tooltip, marks."""
    y_axes: list[dict[str, Any]] = []
    ladders: list[dict[str, Any]] = []
    found = side_by_side(list(_series(data.frames, look, y_axes, ladders)))
    if not found:
        return note(look.tr(NOTHING))
    options = panel.get("options") or {}
    bands = [series for one in found if (series := _band(one, found))]
    marks = axes.marks(data.annotations, look)
    drawn = [_drawn(one, look) for one in found]
    extra = [axes.mark_series(marks, look)] if marks else []
    option = axes.base(look) | {
        "xAxis": axes.time_axis(look),
        "yAxis": y_axes,
        "series": [*bands, *drawn, *extra],
    }
    for place, axis in enumerate(y_axes):
        axes.even_out(axis, ladders[place], [one.points for one in found if one.axis == place])
    if any("name" in axis for axis in y_axes):
        option["grid"]["top"] = 30
    tooltip = options.get("tooltip") or {}
    props = {
        "option": option,
        "own": {
            "axes": ladders,
            "series": [_own(one, look) for one in found],
            "tooltip": {"mode": tooltip.get("mode") or "single", "sort": tooltip.get("sort")},
            "legend": _legend(options.get("legend") or {}, found, look),
            "marks": marks,
            "time": True,
        },
    }
    return Drawing(kind="chart", props=props, summary=_summary(found, marks, look))


def gapped(field: Field, times: Field) -> list[Point]:
    """A field's points in time, with a None wherever its line is to break."""
    custom = field.config.custom
    spans, most = custom.get("spanNulls"), custom.get("insertNulls")
    points: list[Point] = []
    last: float | None = None
    for at, value in zip(times.values, field.values, strict=True):
        if not isinstance(at, int | float):
            continue
        amount = number(value)
        if amount is None:
            points.append((at, None))
            continue
        empty = bool(points) and points[-1][1] is None
        if empty and last is not None and _bridged(spans, at - last):
            while points and points[-1][1] is None:
                points.pop()
        elif last is not None and isinstance(most, int | float) and at - last > most:
            points.append((last + 1, None))
        points.append((at, amount))
        last = at
    return points


def side_by_side(found: Sequence[Series]) -> list[Series]:
    """Series that are stacked on each other with the same times, None where one has nothing.

    ECharts stacks the first value on the first, the second on the second, whenever they were.
    """
    times: dict[tuple[str, int], dict[float, None]] = {}
    for one in found:
        stack = _stack(one.field)
        if stack is not None:
            times.setdefault((stack, one.axis), {}).update((t, None) for t, _ in one.points)
    common = {key: sorted(every) for key, every in times.items()}

    def filled(one: Series) -> Series:
        stack = _stack(one.field)
        if stack is None:
            return one
        own = dict(one.points)
        return one._replace(points=[(t, own.get(t)) for t in common[stack, one.axis]])

    return [filled(one) for one in found]


def _bridged(spans: object, gap: float) -> bool:
    return spans is True or (_is_number(spans) and gap <= spans)  # type: ignore[operator]


def _is_number(value: object) -> bool:
    return isinstance(value, int | float) and not isinstance(value, bool)


def _series(
    frames: Sequence[Frame],
    look: Look,
    y_axes: list[dict[str, Any]],
    ladders: list[dict[str, Any]],
) -> Iterator[Series]:
    """Every number over time; fills in the axes that they need, one a unit and side."""
    known: dict[tuple[str | None, str], int] = {}
    index = 0
    for frame in frames:
        times = time_of(frame)
        for field in visible(frame) if times is not None else ():
            if field.kind not in {"number", "boolean"}:
                continue
            custom = field.config.custom
            side = custom.get("axisPlacement") or "auto"
            key = (field.config.unit, side)
            if key not in known:
                known[key] = len(y_axes)
                right = side == "right" or (side == "auto" and len(y_axes) == 1)
                zero = custom.get("drawStyle") == "bars" or _stack(field) is not None
                y_axes.append(axes.value_axis(look, field.config, right=right, zero=zero))
                ladders.append(axes.ladder(field.config, look))
            assert times is not None  # noqa: S101 - the loop is empty without
            points = gapped(field, times)
            yield Series(frame, field, index, look.line(field, index), known[key], points)
            index += 1


def _stack(field: Field) -> str | None:
    stacking = field.config.custom.get("stacking") or {}
    mode = stacking.get("mode") or "none"
    return None if mode == "none" else f"{mode} {stacking.get('group') or 'A'}"


def _drawn(one: Series, look: Look) -> dict[str, Any]:
    custom = one.field.config.custom
    style = custom.get("drawStyle") or "line"
    stack = _stack(one.field)
    series: dict[str, Any] = {
        "id": f"s{one.number}",
        "name": look.title(one.field),
        "yAxisIndex": one.axis,
        "color": one.color,
        "emphasis": {"disabled": True},
        "data": one.points,
        "z": 3,
    }
    if stack is not None:
        series |= {"stack": stack, "stackStrategy": "all"}
    if style == "points":
        series |= {"type": "scatter", "symbolSize": custom.get("pointSize") or 5}
    elif style == "bars":
        opacity = (custom.get("fillOpacity") or 0) / 100
        series |= {
            "type": "bar",
            "barMaxWidth": 28,
            "barCategoryGap": "15%",
            "itemStyle": {"opacity": max(0.6, opacity)},
        }
    else:
        series |= _line(one, custom, stacked=stack is not None)
    return series | axes.thresholds(one.field, look)


def _line(one: Series, custom: Mapping[str, Any], *, stacked: bool) -> dict[str, Any]:
    width = custom.get("lineWidth", 1)
    fill = (custom.get("fillOpacity") or 0) / 100
    dash = custom.get("lineStyle") or {}
    line: dict[str, Any] = {
        "type": "line",
        "lineStyle": {"width": width * 1.25, "color": one.color},
        "symbol": "circle",
        "symbolSize": custom.get("pointSize") or 5,
        "showSymbol": _shows_points(one, custom),
    }
    if dash.get("fill") == "dash":
        line["lineStyle"]["type"] = dash.get("dash") or [6, 4]
    elif dash.get("fill") == "dot":
        line["lineStyle"]["type"] = [1, 4]
    if not line["showSymbol"]:
        _mark_lone_points(one, line)
    if fill and not custom.get("fillBelowTo"):
        line["areaStyle"] = {"opacity": max(fill, 0.35) if stacked else fill, "origin": "start"}
        if stacked:
            line["areaStyle"]["origin"] = "auto"
    interpolation = custom.get("lineInterpolation") or "linear"
    if interpolation == "smooth":
        line["smooth"] = _SMOOTH
    elif interpolation.startswith("step"):
        line["step"] = "start" if interpolation == "stepBefore" else "end"
    return line


def _shows_points(one: Series, custom: Mapping[str, Any]) -> bool:
    wanted = custom.get("showPoints") or "auto"
    return wanted == "always" or (
        wanted == "auto"
        and len(one.points) <= FEW_POINTS
        and custom.get("lineWidth", 1) > 0
        and not custom.get("fillBelowTo")
    )


def _mark_lone_points(one: Series, line: dict[str, Any]) -> None:
    """A value between two gaps has no line: it gets a point, or nobody would see it."""
    lone = [
        place
        for place, (_, value) in enumerate(one.points)
        if value is not None
        and (place == 0 or one.points[place - 1][1] is None)
        and (place + 1 == len(one.points) or one.points[place + 1][1] is None)
    ]
    if lone:
        line |= {"symbol": "none", "showSymbol": True, "showAllSymbol": True}
        line["data"] = [[t, v] for t, v in one.points]
        for place in lone:
            t, v = one.points[place]
            line["data"][place] = {"value": [t, v], "symbol": "circle", "symbolSize": 4}


def _band(one: Series, others: Sequence[Series]) -> dict[str, Any] | None:
    """The ground between a series and the one that it is filled down to."""
    name = one.field.config.custom.get("fillBelowTo")
    below = next((o for o in others if name in {o.field.name, values.title(o.field)}), None)
    if not name or below is None:
        return None
    lower = dict(below.points)
    segments: list[list[list[float]]] = [[]]
    for at, high in one.points:
        low = lower.get(at)
        if high is None or low is None:
            segments.append([])
        else:
            segments[-1].append([at, low, high])
    kept = [segment for segment in segments if segment]
    if not kept:
        return None
    fill = (one.field.config.custom.get("fillOpacity") or 100 * _AREA) / 100
    return {
        "type": "custom",
        "draws": "band",
        "id": f"band{one.number}",
        "name": values.title(one.field),
        "yAxisIndex": one.axis,
        "color": one.color,
        "opacity": fill,
        "segments": kept,
        "data": [[s[0][0], s[-1][0], min(p[1] for p in s), max(p[2] for p in s)] for s in kept],
        "encode": {"x": [0, 1], "y": [2, 3]},
        "silent": True,
        "clip": True,
        "z": 2,
    }


def _own(one: Series, look: Look) -> dict[str, Any]:
    """What the page needs of a series for its tooltip."""
    own: dict[str, Any] = {
        "name": look.title(one.field),
        "color": one.color,
        "format": axes.ladder(one.field.config, look),
        "tooltip": not hidden_from(one.field, "tooltip"),
    }
    links = look.follow(one.field, one.frame, max(0, len(one.field.values) - 1))
    if links:
        own |= {"href": links[0].url, "link": look.tr(links[0].title)}
    return own


def _legend(
    options: Mapping[str, Any], found: Sequence[Series], look: Look
) -> dict[str, Any] | None:
    if options.get("showLegend") is False or options.get("displayMode") == "hidden":
        return None
    calcs = list(options.get("calcs") or ())
    items = []
    for place, one in enumerate(found):
        if hidden_from(one.field, "legend"):
            continue
        reduced = [values.reduced(one.field, calc) for calc in calcs]
        dash = (one.field.config.custom.get("lineStyle") or {}).get("fill") in {"dash", "dot"}
        points = one.field.config.custom.get("drawStyle") == "points"
        items.append(
            {
                "series": place,
                "calcs": [look.shown(value, one.field) for value in reduced],
                "style": "points" if points else "dash" if dash else "line",
            }
        )
    return {
        "items": items,
        "calcs": [look.tr(reducers.label(calc)) for calc in calcs],
        "table": options.get("displayMode") == "table",
        "right": options.get("placement") == "right",
    }


def _summary(found: Sequence[Series], marks: Sequence[Mapping[str, Any]], look: Look) -> str:
    parts = []
    for one in found:
        if hidden_from(one.field, "legend"):
            continue
        last, low, high = (values.reduced(one.field, c) for c in ("lastNotNull", "min", "max"))
        parts.append(
            look.say(
                "{name}: last {last}, least {low}, greatest {high}",
                name=look.title(one.field),
                last=look.shown(last, one.field) or BLANK,
                low=look.shown(low, one.field) or BLANK,
                high=look.shown(high, one.field) or BLANK,
            )
        )
    if marks:
        parts.append(look.say("{count} marks", count=len(marks)))
    return "; ".join(parts)

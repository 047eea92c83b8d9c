"""Places on a map: the layers of markers, what they say, and what their colours mean."""

from collections.abc import Mapping, Sequence
from typing import Any, Final

from dashboards.view import colors, values
from dashboards.view.draw import tokens
from dashboards.view.draw.drawing import Drawing, Look, hidden_from, number, visible
from dashboards.view.frames import Field, Frame, PanelData
from dashboards.view.values import Bounds

_FAINT: Final = 0.6
"""A layer of one colour that is fainter than this, and larger than a marker, is drawn as rings."""

_LARGE: Final = 12


def draw(panel: Mapping[str, Any], data: PanelData, look: Look) -> Drawing:
    """The layers from the lowest to the highest; the ground is the page's."""
    layers: list[dict[str, Any]] = []
    legends: list[dict[str, Any]] = []
    for layer in (panel.get("options") or {}).get("layers") or ():
        if layer.get("type") != "markers":
            continue
        frames = _meant(layer.get("filterData"), data.frames)
        colored = _field_named(frames, _style(layer, "color").get("field"))
        bounds = values.spread(colored)
        points = [point for frame in frames for point in _points(layer, frame, look, bounds)]
        name = look.tr(layer.get("name") or "")
        ringed = _is_ringed(layer)
        layers.append({"name": name, "ringed": ringed, "points": points})
        if points:
            legends += _legend(layer, colored, bounds, name, look)
    return Drawing(
        kind="map",
        props={"layers": layers, "legend": _once(legends)},
        summary="; ".join(
            look.say("{name}: {count} places", name=one["name"], count=len(one["points"]))
            for one in layers
        ),
    )


def _meant(wanted: Mapping[str, Any] | None, frames: Sequence[Frame]) -> list[Frame]:
    if not wanted or wanted.get("id") not in {"byRefId", "byFrameRefID"}:
        return list(frames)
    return [frame for frame in frames if frame.ref == wanted.get("options")]


def _style(layer: Mapping[str, Any], part: str) -> Mapping[str, Any]:
    style: Mapping[str, Any] = (layer.get("config") or {}).get("style") or {}
    found = style.get(part)
    return found if isinstance(found, Mapping) else {}


def _is_ringed(layer: Mapping[str, Any]) -> bool:
    style = (layer.get("config") or {}).get("style") or {}
    faint = (style.get("opacity") or 1.0) < _FAINT
    size = _style(layer, "size")
    large = (size.get("max") if size.get("field") else size.get("fixed")) or 0
    return faint and large > _LARGE and not _style(layer, "color").get("field")


def _field_named(frames: Sequence[Frame], name: str | None) -> list[Field]:
    return [
        field
        for frame in frames
        for field in frame.fields
        if name and name in {field.name, values.title(field)}
    ]


def _points(
    layer: Mapping[str, Any], frame: Frame, look: Look, bounds: Bounds | None
) -> list[dict[str, Any]]:
    place = layer.get("location") or {}
    north = _field_named([frame], place.get("latitude") or "lat")
    east = _field_named([frame], place.get("longitude") or "lon")
    if not north or not east:
        return []
    size, color, label = (_style(layer, part) for part in ("size", "color", "text"))
    sized = _field_named([frame], size.get("field"))
    colored = _field_named([frame], color.get("field"))
    labelled = _field_named([frame], label.get("field"))
    reach = values.spread(sized)
    told = [
        field
        for field in visible(frame)
        if field not in (north[0], east[0]) and not hidden_from(field, "tooltip")
    ]
    points = []
    for row, (lat, lon) in enumerate(zip(north[0].values, east[0].values, strict=True)):
        if number(lat) is None or number(lon) is None:
            continue
        point: dict[str, Any] = {
            "at": [lat, lon],
            "radius": _radius(size, sized, row, reach),
            "color": _color(color, colored, row, look, bounds),
            "opacity": ((layer.get("config") or {}).get("style") or {}).get("opacity") or 0.8,
            "says": [
                [look.title(field), look.shown(field.values[row], field)]
                for field in told
                if field.values[row] is not None
            ],
        }
        if labelled:
            point["label"] = look.shown(labelled[0].values[row], labelled[0])
        links = next((found for f in told if (found := look.follow(f, frame, row))), ())
        if links:
            point |= {"href": links[0].url, "link": look.tr(links[0].title)}
        points.append(point)
    return points


def _radius(
    size: Mapping[str, Any], sized: Sequence[Field], row: int, reach: Bounds | None
) -> float:
    if not sized or reach is None:
        return float(size.get("fixed") or 5)
    amount = number(sized[0].values[row])
    low, high = float(size.get("min") or 2), float(size.get("max") or 15)
    if amount is None:
        return low
    return low + (high - low) * values.part(amount, sized[0].config, reach)


def _color(
    color: Mapping[str, Any],
    colored: Sequence[Field],
    row: int,
    look: Look,
    bounds: Bounds | None,
) -> str:
    if colored:
        return look.color(colored[0].values[row], colored[0], 0, bounds)
    named = colors.named(color.get("fixed") or "dark-green", look.theme)
    return tokens.legible(named, look.theme)


def _legend(
    layer: Mapping[str, Any],
    colored: Sequence[Field],
    bounds: Bounds | None,
    name: str,
    look: Look,
) -> list[dict[str, Any]]:
    """What a layer's colours mean: a scale, thresholds, or the one colour."""
    if not (layer.get("config") or {}).get("showLegend", True) and not _is_ringed(layer):
        return []
    if not colored or bounds is None:
        color = _color(_style(layer, "color"), (), 0, look, None)
        return [{"name": name, "kind": "ring" if _is_ringed(layer) else "dot", "color": color}]
    field = colored[0]
    low, high = values.limits(field.config, bounds)
    mode = field.config.color_mode
    if colors.is_continuous(mode):
        return [
            {
                "name": name,
                "kind": "scale",
                "colors": colors.scale(mode, look.theme),
                "low": look.shown(low, field),
                "high": look.shown(high, field),
            }
        ]
    if mode == "thresholds":
        return [
            {
                "name": name,
                "kind": "steps",
                "steps": [
                    {
                        "color": colors.named(step.color, look.theme),
                        "text": "<" if step.value is None else f"≥ {look.shown(step.value, field)}",
                    }
                    for step in field.config.thresholds
                ],
            }
        ]
    return []


def _once(legends: Sequence[dict[str, Any]]) -> list[dict[str, Any]]:
    kept: list[dict[str, Any]] = []
    for legend in legends:
        if legend not in kept:
            kept.append(legend)
    return kept

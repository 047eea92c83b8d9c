"""Bars of single values under each other, each with its name and its value."""

from collections.abc import Mapping
from typing import Any

from dashboards.view import values
from dashboards.view.draw import tokens
from dashboards.view.draw.drawing import BLANK, Drawing, Look, number
from dashboards.view.draw.stat import reduced
from dashboards.view.frames import PanelData


def draw(panel: Mapping[str, Any], data: PanelData, look: Look) -> Drawing:
    """A bar for each series, as long as its value's part of the scale."""
    options = panel.get("options") or {}
    found = list(reduced(options, data.frames))
    bounds = values.bounds(data.frames)
    whole = (min(0.0, bounds[0]), bounds[1]) if bounds else None
    bars: list[dict[str, Any]] = []
    for index, (frame, field, value, row) in enumerate(found):
        amount = number(value)
        color = look.color(value, field, index, whole)
        bar: dict[str, Any] = {
            "title": look.title(field),
            "text": look.shown(value, field) or BLANK,
            "part": 0.0 if amount is None else values.part(amount, field.config, whole),
            "color": tokens.legible(color, look.theme),
        }
        if options.get("valueMode", "color") == "color":
            bar["ink"] = tokens.legible(color, look.theme, tokens.TEXT_CONTRAST)
        links = look.follow(field, frame, row)
        if links:
            bar |= {"href": links[0].url, "link": look.tr(links[0].title)}
        bars.append(bar)
    return Drawing(
        kind="bars",
        props={"bars": bars, "unfilled": options.get("showUnfilled", True)},
        summary="; ".join(f"{bar['title']}: {bar['text']}" for bar in bars),
    )

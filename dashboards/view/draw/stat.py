"""Key figures: one big value a series, with its recent course behind it."""

from collections.abc import Iterator, Mapping, Sequence
from typing import Any, Final

from dashboards.view import looks, values
from dashboards.view.draw import tokens
from dashboards.view.draw.drawing import NOTHING, Drawing, Look, number, time_of, visible
from dashboards.view.frames import Field, Frame, PanelData, Value

SPARK_POINTS: Final = 120
"""As many points as a small course behind a figure can show."""

_WIDTH, _HEIGHT = 100.0, 30.0
"""The size of a course's drawing, in its own units: it is stretched to its figure."""


def draw(panel: Mapping[str, Any], data: PanelData, look: Look) -> Drawing:
    """A figure for each series, reduced as the panel says."""
    options = panel.get("options") or {}
    figures = [
        _figure(options, frame, field, value, row, look, index)
        for index, (frame, field, value, row) in enumerate(reduced(options, data.frames))
    ]
    if not figures:
        none = ((panel.get("fieldConfig") or {}).get("defaults") or {}).get("noValue")
        figures = [{"text": look.tr(none or NOTHING), "none": True}]
    named = len(figures) > 1 or options.get("textMode") in {"name", "value_and_name"}
    if not named:
        for figure in figures:
            figure.pop("title", None)
    return Drawing(
        kind="figures",
        props={"figures": figures, "filled": options.get("colorMode", "").startswith("background")},
        summary="; ".join(_said(figure) for figure in figures),
    )


def reduced(
    options: Mapping[str, Any], frames: Sequence[Frame]
) -> Iterator[tuple[Frame, Field, Value, int]]:
    """Every field that counts, with its one value and the row whose links it has.

    With ``values`` set, every row is a value of its own.
    """
    wanted = options.get("reduceOptions") or {}
    calc = (wanted.get("calcs") or ["lastNotNull"])[0]
    for frame in frames:
        for field in visible(frame):
            if not _counts(field, wanted.get("fields") or ""):
                continue
            if wanted.get("values"):
                most = wanted.get("limit") or len(field.values)
                yield from ((frame, field, v, row) for row, v in enumerate(field.values[:most]))
            else:
                yield frame, field, values.reduced(field, calc), max(0, len(field.values) - 1)


def _counts(field: Field, fields: str) -> bool:
    if not fields:
        return field.kind in {"number", "boolean"}
    if fields.startswith("/"):
        return looks.pattern(fields).search(values.title(field)) is not None
    return fields in {field.name, values.title(field)}


def _figure(
    options: Mapping[str, Any],
    frame: Frame,
    field: Field,
    value: Value,
    row: int,
    look: Look,
    index: int,
) -> dict[str, Any]:
    parts = values.parts(value, field.config, look.zone)
    figure: dict[str, Any] = {"title": look.title(field)}
    whole = look.shown(value, field)
    if whole == str(parts):
        figure |= {"prefix": parts.prefix, "text": parts.text, "suffix": parts.suffix}
    else:
        figure["text"] = whole
    if not whole:
        figure |= {"text": look.tr(NOTHING), "none": True}
    color = look.color(value, field, index, values.spread([field]))
    if options.get("colorMode", "value").startswith("background"):
        figure |= {"background": color, "color": tokens.on(color)}
    elif options.get("colorMode") != "none":
        figure["color"] = tokens.legible(color, look.theme, tokens.TEXT_CONTRAST)
    if options.get("graphMode") == "area":
        figure["spark"] = spark(frame, field)
        figure["line"] = figure.get("color") or tokens.legible(color, look.theme)
    links = look.follow(field, frame, row)
    if links:
        figure |= {"href": links[0].url, "link": look.tr(links[0].title)}
    return figure


def spark(frame: Frame, field: Field) -> dict[str, str] | None:
    """A series' course as SVG paths of 100 by 30: its ``line`` and the ``area`` below it."""
    times = time_of(frame)
    if times is None or field.kind != "number":
        return None
    points = [
        (float(t), v)
        for t, value in zip(times.values, field.values, strict=True)
        if isinstance(t, int | float) and (v := number(value)) is not None
    ]
    if len(points) < 2:  # noqa: PLR2004 - a course has two ends
        return None
    step = max(1, len(points) // SPARK_POINTS)
    points = points[::step]
    low, high = min(v for _, v in points), max(v for _, v in points)
    first, last = points[0][0], points[-1][0]
    scale = (_HEIGHT - 2) / (high - low) if high > low else 0.0
    drawn = [
        (
            _WIDTH * (t - first) / ((last - first) or 1),
            _HEIGHT - 1 - (v - low) * scale if scale else _HEIGHT / 2,
        )
        for t, v in points
    ]
    line = "M" + "L".join(f"{x:.2f},{y:.2f}" for x, y in drawn)
    return {"line": line, "area": f"{line}L{_WIDTH:g},{_HEIGHT:g}L0,{_HEIGHT:g}Z"}


def _said(figure: Mapping[str, Any]) -> str:
    text = f"{figure.get('prefix', '')}{figure['text']}{figure.get('suffix', '')}"
    return f"{figure['title']}: {text}" if figure.get("title") else text

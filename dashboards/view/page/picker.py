"""Choosing a time range, and how often a board is drawn anew."""

from collections.abc import Callable
from datetime import tzinfo
from html import escape
from typing import Final

from nicegui import ui

from citynerve.clock import now_ms
from citynerve.errors import ConfigError
from dashboards.view import dates, spans
from dashboards.view.locale import Translate
from dashboards.view.page.icons import icon
from dashboards.view.spans import Window

_WRITTEN: Final = "YYYY-MM-DD HH:mm:ss"
_SHORT: Final = "MM-DD HH:mm"
_LABELS: Final = {(start, end): label for start, end, label in spans.PRESETS}


def said(window: Window, zone: tzinfo, tr: Translate, until: int | None = None) -> str:
    """A range for people: a preset's name, or its ends.

    Args:
        window: As written in an address.
        zone: The reader's clock.
        tr: The reader's language.
        until: What ``now`` means, in ms since 1970 UTC; None: now.
    """
    if until is not None and window.moves:
        end = dates.written(until, "YYYY-MM-DD HH:mm", zone)
        return tr("{range}, up to {end}").format(range=said(window, zone, tr), end=end)
    label = _LABELS.get((window.start, window.end))
    if label:
        return tr(label)
    if window.start.startswith("now") and window.end == "now":
        return f"{window.start} → now"
    ends = [_written(text, zone) for text in (window.start, window.end)]
    return " → ".join(ends)


class RangePicker:
    """A button that shows the range and opens a choice of others."""

    def __init__(
        self, window: Window, zone: tzinfo, tr: Translate, chosen: Callable[[Window], None]
    ) -> None:
        self._window, self._zone, self._tr, self._chosen = window, zone, tr, chosen
        self._until: int | None = None
        with ui.element("div").classes("cn-range"):
            self._arrow("left", tr("Earlier"), -1)
            with ui.element("button").classes("cn-button cn-range-button") as button:
                button.props.update({"type": "button", "aria-haspopup": "dialog"})
                icon("clock")
                self._label = ui.label(said(window, zone, tr)).classes("cn-range-label")
                icon("down")
                self._menu()
            self._button = button
            self._name()
            self._arrow("right", tr("Later"), 1)
            with _tool("out", tr("Zoom out")) as out:
                out.on("click", self._widen, [])

    def show(self, window: Window, zone: tzinfo, until: int | None = None) -> None:
        """Show another range, or the same by another clock.

        Args:
            window: The range.
            zone: The reader's clock.
            until: What ``now`` means, in ms since 1970 UTC; None: now.
        """
        self._window, self._zone, self._until = window, zone, until
        self._label.set_text(said(window, zone, self._tr, until))
        self._name()
        for key, preset in self._presets.items():
            current = key == (window.start, window.end)
            preset.props["aria-pressed"] = str(current).lower()
            preset.update()

    def _name(self) -> None:
        text = said(self._window, self._zone, self._tr, self._until)
        self._button.props["aria-label"] = f"{self._tr('Time range')}: {text}"
        self._button.update()

    def _arrow(self, sign: str, label: str, side: int) -> None:
        with _tool(sign, label) as arrow:
            arrow.on("click", lambda: self._move(side), [])

    def _move(self, side: int) -> None:
        self._chosen(moved(self._window, self._zone, side, self._now))

    def _widen(self) -> None:
        self._chosen(widened(self._window, self._zone, self._now))

    @property
    def _now(self) -> int:
        return self._until or now_ms()

    def _menu(self) -> None:
        tr = self._tr
        with (
            ui.menu().classes("cn-menu").props('role="dialog" auto-close=false') as menu,
            ui.element("div").classes("cn-picker"),
        ):
            with ui.element("div").classes("cn-picker-absolute"):
                ui.label(tr("From and to")).classes("cn-picker-title")
                self._ends = [self._end(tr("From")), self._end(tr("To"))]
                self._problem = ui.label().classes("cn-picker-problem").props('role="alert"')
                with ui.element("button").classes("cn-button cn-primary") as apply:
                    apply.props["type"] = "button"
                    ui.label(tr("Apply"))
                apply.on("click", self._apply, [])
                ui.label(
                    tr("Drag across a chart to zoom in. Also understood: now-6h, now/d.")
                ).classes("cn-picker-hint")
            self._presets: dict[tuple[str, str], ui.element] = {}
            with ui.element("div").classes("cn-picker-presets"):
                for start, end, label in spans.PRESETS:
                    self._presets[start, end] = self._preset(Window(start, end), tr(label))
        menu.on("before-show", self._fill, [])
        self._opened = menu

    def _preset(self, window: Window, label: str) -> ui.element:
        current = (window.start, window.end) == (self._window.start, self._window.end)
        with ui.element("button").classes("cn-preset") as preset:
            preset.props.update({"type": "button", "aria-pressed": str(current).lower()})
            ui.label(label)

        def take() -> None:
            self._opened.close()
            self._chosen(window)

        return preset.on("click", take, [])

    def _end(self, label: str) -> ui.input:
        field = ui.input(label).classes("cn-field").props("outlined dense spellcheck=false")
        return field.on("keydown.enter", self._apply, [])

    def _fill(self) -> None:
        for field, text in zip(self._ends, (self._window.start, self._window.end), strict=True):
            field.value = text if text.startswith("now") else _written(text, self._zone, _WRITTEN)
        self._problem.set_text("")

    def _apply(self) -> None:
        now = self._now
        try:
            ends = [_absolute(field.value.strip(), now, self._zone) for field in self._ends]
            Window(*ends).resolve(now, self._zone)
        except ConfigError as error:
            self._problem.set_text(self._tr(error.problem))
            return
        self._opened.close()
        self._chosen(Window(*ends))


def refresh_choice(current: str, tr: Translate, chosen: Callable[[str], None]) -> None:
    """How often a board is drawn anew; the empty text is never."""
    offered = ["", *spans.REFRESHES]
    if current not in offered:
        offered.append(escape(current))
    with ui.element("select").classes("cn-select-plain") as select:
        select.props["aria-label"] = tr("Refresh")
        select.props["title"] = tr("Refresh")
        for value in offered:
            option = ui.html(value or tr("Off"), sanitize=False, tag="option")
            option.props["value"] = value
            if value == current:
                option.props["selected"] = True
    select.on(
        "change",
        lambda event: chosen(str(event.args)),
        js_handler="(e) => emit(e.target.value)",
    )


def moved(window: Window, zone: tzinfo, side: int, now: int) -> Window:
    """A range half its length earlier (``side`` -1) or later (1)."""
    span = window.resolve(now, zone)
    by = side * (span.end - span.start) // 2
    return Window(str(span.start + by), str(span.end + by))


def widened(window: Window, zone: tzinfo, now: int) -> Window:
    """A range twice as long with the same middle, at most until ``now`` (ms since 1970 UTC)."""
    span = window.resolve(now, zone)
    half = (span.end - span.start) // 2
    end = min(span.end + half, max(now, span.end))
    return Window(str(end - 4 * half), str(end))


def _absolute(text: str, now: int, zone: tzinfo) -> str:
    found = spans.moment(text, now, zone)
    return text if text.startswith("now") else str(found)


def _written(text: str, zone: tzinfo, pattern: str = _SHORT) -> str:
    if text.startswith("now"):
        return text
    try:
        at = spans.moment(text, now_ms(), zone)
    except ConfigError:
        return text
    this_year = dates.written(at, "YYYY", zone) == dates.written(now_ms(), "YYYY", zone)
    return dates.written(at, pattern if this_year else "YYYY-MM-DD HH:mm", zone)


def _tool(sign: str, label: str) -> ui.element:
    button = ui.element("button").classes("cn-tool cn-range-tool")
    button.props.update({"type": "button", "aria-label": label, "title": label})
    with button:
        icon(sign)
    return button

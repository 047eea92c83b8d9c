"""A board's page: its panels on a grid, what is chosen, and when which panel is drawn anew."""

import asyncio
import contextlib
import json
from collections.abc import Mapping, Sequence
from typing import Any, Final

from nicegui import background_tasks, run, ui
from nicegui.events import GenericEventArguments

from citynerve.clock import now_ms
from citynerve.errors import CityNerveError, ConfigError
from dashboards.queries import ALL, Choice, Range
from dashboards.view import dates, links, spans
from dashboards.view.draw.drawing import Drawing, Look, note
from dashboards.view.frames import Field, Frame, Link, PanelData
from dashboards.view.page import address, first, preload, present, reader, shelf
from dashboards.view.page.address import Address
from dashboards.view.page.cameras import Strip
from dashboards.view.page.chooser import Chooser
from dashboards.view.page.header import Header
from dashboards.view.page.icons import icon
from dashboards.view.page.layout import Section, sections
from dashboards.view.page.panel import Panel, Surroundings
from dashboards.view.page.picker import RangePicker, refresh_choice
from dashboards.view.page.reader import Reader
from dashboards.view.page.shelf import Shelf
from dashboards.view.spans import Window
from dashboards.view.text import interpolated

WITH_CAMERAS: Final = frozenset({"citynerve-city", "citynerve-cameras"})
"""Boards that show the latest pictures beside their panels."""

_TICK_S: Final = 0.5
_AGAIN_MS: Final = 3_000
"""After so long a database that did not answer is asked again."""
_AT_ONCE: Final = 6
"""Panels of a page that are asked for and drawn side by side."""


class BoardPage:
    """One board in one browser window."""

    def __init__(self, on: Shelf, board: Mapping[str, Any], who: Reader, at: Address) -> None:
        self._shelf, self._board, self._who, self._at = on, board, who, at
        self._known = on.engine.variables(board)
        self._chosen: dict[str, Choice] = dict(at.chosen)
        self._settled = self._failed = False
        self._generation = 0
        self._span: Range | None = None
        self._until: int | None = None
        self._stale: set[str] = set()
        self._seen: set[str] | None = None
        self._away = False
        self._drawn_at = 0
        self._panels: dict[str, Panel] = {}
        self._turns = asyncio.Semaphore(_AT_ONCE)
        self._client = ui.context.client
        self._build()

    @property
    def window(self) -> Window:
        """The range on show: the address's, else the view's, else the board's."""
        chosen = self._at.window or self._shelf.settings.window
        return chosen or present.opened(self._board, self._until)

    @property
    def refresh(self) -> str:
        """How often the board is drawn anew; the empty text is never."""
        found = self._board.get("refresh") if self._at.refresh is None else self._at.refresh
        return found if isinstance(found, str) else ""

    # --- what stands on the page ---

    def _build(self) -> None:
        tr, board = self._who.tr, self._board
        shelf.begin(self._who, tr(board.get("title") or ""))
        path = f"/d/{board['uid']}"
        parts = list(sections(board))
        heading = tr(board.get("title") or ""), tr(board.get("description") or "")
        grids = [part.panels for part in parts if part.open]
        ui.add_head_html(preload.html(panel for panels in grids for panel in panels))
        ui.add_body_html(first.html(self._shelf.titles, path, heading, grids, tr))
        self._header = Header(self._who, self._shelf.titles, path, self._themed)
        with self._header.tools:
            self._range = RangePicker(self.window, self._who.zone, tr, self._ranged)
            with ui.element("div").classes("cn-refresh"):
                with ui.element("button").classes("cn-tool") as now:
                    label = tr("Refresh now")
                    now.props.update({"type": "button", "aria-label": label, "title": label})
                    icon("refresh")
                now.on("click", self._renew, [])
                refresh_choice(self.refresh, tr, self._refreshed)
        with ui.element("main").classes("cn-main").props('id="main" tabindex="-1"'):
            self._heading()
            about = Surroundings(
                tr=tr,
                zoom=self._zoomed,
                geojson=self._shelf.geojson,
                tiles=self._shelf.settings.tiles,
            )
            with ui.element("div").classes("cn-columns"):
                if board["uid"] in WITH_CAMERAS and self._shelf.cameras is not None:
                    Strip(self._shelf.cameras, self._who)
                with ui.element("div").classes("cn-board"):
                    for section in parts:
                        self._section(section, about)
        self._stale = set(self._panels)
        ui.on("cn-seen", self._is_seen)
        ui.on("cn-away", self._is_away)
        ui.on("cn-shade", lambda event: self._themed(event.args))
        ui.timer(_TICK_S, self._tick)
        background_tasks.create(self._begin(), name="board")

    def _heading(self) -> None:
        tr, board = self._who.tr, self._board
        with ui.element("div").classes("cn-heading"):
            with ui.element("div").classes("cn-heading-text"):
                with ui.element("h1"):
                    ui.label(tr(board.get("title") or ""))
                ui.label(tr(board.get("description") or "")).classes("cn-description")
            with ui.element("div").classes("cn-vars"):
                self._choosers = [
                    Chooser(variable, tr, self._choose)
                    for variable in self._known
                    if not variable.hidden
                ]
                self._updated = ui.label().classes("cn-updated")
            self._problem = ui.label().classes("cn-problem").props('role="alert"')
            self._problem.set_visibility(False)
        for chooser in self._choosers:
            chooser.show([], self._chosen.get(chooser.variable.name))

    def _section(self, section: Section, about: Surroundings) -> None:
        if not section.title:
            self._grid(section, about)
            return
        with ui.element("details").classes("cn-row") as details:
            if section.open:
                details.props["open"] = True
            with ui.element("summary"):
                icon("down")
                with ui.element("h2"):
                    ui.label(self._who.tr(section.title))
            self._grid(section, about)

    def _grid(self, section: Section, about: Surroundings) -> None:
        with ui.element("div").classes("cn-grid"):
            for panel in section.panels:
                made = Panel(panel, about, shown=section.open)
                made.on_tabular(self._redraw)
                self._panels[made.key] = made

    # --- what happens on it ---

    async def _begin(self) -> None:
        """Ask at once, while the browser still starts; then for what it says that it shows."""
        await self._settle()
        await self._client.connected()
        with self._client:
            hello = await ui.run_javascript("cnHello()", timeout=30)
        zone = reader.zone(hello["zone"])
        theme = hello["theme"]
        moved = str(zone) != str(self._who.zone)
        self._who.zone = zone
        if theme != self._who.theme:
            self._themed(theme)
        self._seen, self._away = set(hello["seen"]), bool(hello["away"])
        if moved:
            self._renew()
        else:
            self._pump()

    async def _settle(self) -> None:
        """Fill the variables, and then draw everything."""
        engine, board = self._shelf.engine, self._board
        names = [chooser.variable.name for chooser in self._choosers]

        def ask() -> tuple[dict[str, Choice], dict[str, list[str]]]:
            chosen = engine.settle(board, self._chosen)
            return chosen, {name: engine.options(board, name, chosen) for name in names}

        try:
            done = await run.io_bound(ask)
            if done is None:
                return  # the view ends
            self._chosen, offered = done
        except CityNerveError as error:
            self._settled = False  # it is tried again, see _tick
            self._drawn_at = now_ms()
            self._fail(str(error))
            return
        for chooser in self._choosers:
            name = chooser.variable.name
            chooser.show(offered.get(name, []), self._chosen.get(name))
        self._settled = True
        self._lead()
        self._renew()

    def _renew(self) -> None:
        """Draw all panels anew: those that are seen now, the others when they are."""
        self._drawn_at = now_ms()
        background_tasks.create(self._anew(), name="board")

    async def _anew(self) -> None:
        try:
            newest = await run.io_bound(self._shelf.engine.newest)
            self._until = present.past(self._board, newest, now_ms())
            self._range.show(self.window, self._who.zone, self._until)
            self._span = self.window.resolve(self._until or now_ms(), self._who.zone)
            self._say_problem("")
        except CityNerveError as error:
            self._fail(str(error))
            return
        self._generation += 1
        self._stale = set(self._panels)
        self._pump()

    def _pump(self) -> None:
        if not self._settled:
            return
        for key in [key for key in self._panels if key in self._stale]:
            panel = self._panels[key]
            if not panel.busy and self._is_wanted(panel):
                self._stale.discard(key)
                panel.busy = True
                background_tasks.create(self._load(panel), name=f"panel {key}")

    def _is_wanted(self, panel: Panel) -> bool:
        """Whether it is in sight; until the browser says what is, all are, the uppermost first."""
        return panel.shown if self._seen is None else panel.key in self._seen

    async def _load(self, panel: Panel) -> None:
        try:
            async with self._turns:
                if self._is_wanted(panel):
                    await self._draw(panel)
                else:
                    self._stale.add(panel.key)  # out of sight meanwhile
        finally:
            panel.busy = False
        if panel.key in self._stale:
            self._pump()

    async def _draw(self, panel: Panel) -> None:
        generation, span = self._generation, self._span
        assert span is not None  # noqa: S101 - nothing is loaded before a range is known
        chosen, engine = dict(self._chosen), self._shelf.engine
        look = self._look(panel, span)

        empty = [one.label for one in self._known if one.name not in chosen and panel.asks(one)]

        def work() -> tuple[PanelData, Drawing]:
            if empty:
                said = look.say("Nothing to choose for {name} yet", name=look.tr(empty[0]))
                return PanelData(), note(said)
            data = engine.panel(self._board, panel.json, chosen, span, self._who.zone)
            return data, panel.drawn(data, look)

        done = await run.io_bound(work)
        if done is None:
            return  # the view ends
        if generation != self._generation:
            return  # another range or choice meanwhile: it is asked for again
        data, drawing = done
        panel.data = data
        self._show(panel, drawing)
        self._updated.set_text(
            self._who.tr("Updated {time}").format(
                time=dates.written(self._drawn_at, "HH:mm:ss", self._who.zone)
            )
        )

    def _redraw(self, panel: Panel) -> None:
        """Draw what is there already in another way."""
        if panel.data is None or self._span is None:
            return
        self._show(panel, panel.drawn(panel.data, self._look(panel, self._span)))

    def _show(self, panel: Panel, drawing: Drawing) -> None:
        if self._client.id in type(self._client).instances:
            panel.show(drawing, *self._titles(panel.json))

    def _titles(self, panel: Mapping[str, Any]) -> tuple[str, str]:
        tr = self._who.tr
        said = {
            name: tr("All" if choice == ALL else choice) if isinstance(choice, str) else choice
            for name, choice in self._chosen.items()
        }

        def put(text: str) -> str:
            return interpolated(tr(text), self._known, said, self.window)

        title = put(panel.get("title") or "")
        back = panel.get("timeFrom")
        if back and self.window.moves and not panel.get("hideTimeOverride"):
            title += " · " + self._who.tr("Last {length}").format(length=back)
        return title, put(panel.get("description") or "")

    def _look(self, panel: Panel, span: Range) -> Look:
        known, chosen, window = self._known, dict(self._chosen), self.window

        def follow(field: Field, frame: Frame, row: int) -> Sequence[Link]:
            if not field.config.links:
                return ()
            return links.links(field, frame, row, known, chosen, window)

        with contextlib.suppress(ConfigError):  # the engine says so in the panel
            span = spans.of_panel(panel.json, span)
        return Look(
            theme=self._who.theme,
            tr=self._who.tr,
            zone=self._who.zone,
            span=span,
            follow=follow,
        )

    # --- what the reader does ---

    def _choose(self, name: str, choice: Choice) -> None:
        self._chosen[name] = choice
        self._moved()
        background_tasks.create(self._settle(), name="variables")

    def _ranged(self, window: Window) -> None:
        self._at.window = window
        self._range.show(window, self._who.zone, self._until)
        self._lead()
        self._moved()
        self._renew()

    def _zoomed(self, start: int, end: int) -> None:
        self._ranged(Window(str(start), str(end)))

    def _refreshed(self, refresh: str) -> None:
        self._at.refresh = refresh
        self._moved()

    def _themed(self, theme: Any) -> None:  # noqa: ANN401 - the browser's word
        self._who.theme = "dark" if theme == "dark" else "light"
        for panel in self._panels.values():
            self._redraw(panel)

    def _is_seen(self, event: GenericEventArguments) -> None:
        self._seen = {str(key) for key in event.args}
        self._pump()

    def _is_away(self, event: GenericEventArguments) -> None:
        self._away = bool(event.args)

    def _tick(self) -> None:
        if self._away or not self._drawn_at:
            return
        waited = now_ms() - self._drawn_at
        if self._failed or not self._settled:
            if waited >= _AGAIN_MS:
                self._drawn_at = now_ms()
                background_tasks.create(self._settle(), name="variables")
        elif self.refresh and waited >= spans.milliseconds(self.refresh):
            self._renew()

    def _moved(self) -> None:
        self._at.chosen = dict(self._chosen)
        with self._client:
            ui.run_javascript(f"cnGo({json.dumps(self._at.text())})")

    def _lead(self) -> None:
        """Let the links to other boards carry what is chosen here."""
        for uid, board in self._shelf.boards.items():
            known = self._shelf.engine.variables(board)
            href = address.to_board(uid, known, self._chosen, self._at.window)
            self._header.lead(f"/d/{uid}", href)

    def _fail(self, text: str) -> None:
        """Say why nothing can be asked; panels that show something keep it."""
        self._say_problem(text)
        for panel in self._panels.values():
            if panel.data is None:
                self._show(panel, note(text, error=True))

    def _say_problem(self, text: str) -> None:
        self._failed = bool(text)
        self._problem.set_text(text)
        self._problem.set_visibility(bool(text))

"""The top of every page: the way to the boards, and the reader's language and theme."""

from collections.abc import Callable, Mapping
from typing import Final

from nicegui import ui

from dashboards.view import locale
from dashboards.view.colors import Theme
from dashboards.view.page.icons import icon, logo
from dashboards.view.page.reader import Reader

_THEMES: Final = {"auto": "light", "light": "dark", "dark": "auto"}
"""What a click on the switch leads to."""

_NAMES: Final = {"auto": "Theme: as the system", "light": "Theme: light", "dark": "Theme: dark"}


class Header:
    """The bar at the top; ``tools`` is where a page puts its own controls."""

    def __init__(
        self,
        reader: Reader,
        boards: Mapping[str, str],
        current: str,
        themed: Callable[[Theme], None],
    ) -> None:
        self._reader = reader
        self._themed = themed
        tr = reader.tr
        ui.link(tr("Skip to the content"), "#main").classes("cn-skip")
        with ui.element("header").classes("cn-top"):
            with ui.link(target="/").classes("cn-brand"):
                logo()
                ui.label("CityNerve").classes("cn-brand-name")
            with ui.element("nav").classes("cn-nav").props(f'aria-label="{tr("Boards")}"'):
                self.links = {
                    path: self._link(tr(title), path, current=path == current)
                    for path, title in boards.items()
                }
            self.tools = ui.element("div").classes("cn-tools")
            with ui.element("div").classes("cn-tools cn-tools-reader"):
                self._language()
                self._theme()

    def lead(self, path: str, href: str) -> None:
        """Let a board's link carry what is chosen now."""
        link = self.links[path]
        if link.props.get("href") != href:
            link.props["href"] = href
            link.update()

    def _link(self, title: str, href: str, *, current: bool) -> ui.link:
        link = ui.link(title, href).classes("cn-nav-link")
        if current:
            link.props["aria-current"] = "page"
        return link

    def _language(self) -> None:
        tr = self._reader.tr
        with ui.element("select").classes("cn-select-plain") as select:
            select.props["aria-label"] = tr("Language")
            for language, name in locale.LANGUAGES.items():
                option = ui.html(name, sanitize=False, tag="option")
                option.props.update({"value": language, "lang": locale.TAGS[language]})
                if language == self._reader.language:
                    option.props["selected"] = True
        select.on("change", js_handler="(e) => cnLanguage(e.target.value)")

    def _theme(self) -> None:
        with ui.element("button").classes("cn-tool cn-theme") as switch:
            switch.props["type"] = "button"
            self._sign = ui.element("span").classes("cn-icon-box")
        self._switch = switch
        self._say_theme()
        switch.on("click", self._turn, [])

    def _say_theme(self) -> None:
        label = self._reader.tr(_NAMES[self._reader.wish])
        self._switch.props.update({"aria-label": label, "title": label})
        self._sign.clear()
        with self._sign:
            icon(self._reader.wish)
        self._switch.update()

    async def _turn(self) -> None:
        self._reader.wish = _THEMES[self._reader.wish]  # type: ignore[assignment]
        self._say_theme()
        self._reader.theme = await ui.run_javascript(f"cnTheme('{self._reader.wish}')", timeout=10)
        self._themed(self._reader.theme)

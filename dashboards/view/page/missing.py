"""What stands where there is no such board."""

from nicegui import ui

from dashboards.view.page import shelf
from dashboards.view.page.header import Header
from dashboards.view.page.reader import Reader
from dashboards.view.page.shelf import Shelf


def build(on: Shelf, who: Reader, uid: str) -> None:
    """Say which boards there are instead."""
    tr = who.tr
    shelf.begin(who, tr("No such board"))
    Header(who, on.titles, "", lambda _theme: None)
    with ui.element("main").classes("cn-main").props('id="main" tabindex="-1"'):
        with ui.element("h1"):
            ui.label(tr("No such board"))
        ui.label(tr("There is no board {uid}. These are there:").format(uid=uid))
        with ui.element("ul").classes("cn-list"):
            for path, title in on.titles.items():
                with ui.element("li"):
                    ui.link(tr(title), path)

"""The cameras' latest pictures: all of them on a page of their own, or in a strip on a board."""

from collections.abc import Callable
from typing import Any, Final

import msgspec
from nicegui import run, ui

from dashboards.view.cameras import Camera, Cameras
from dashboards.view.draw import tokens
from dashboards.view.locale import Translate
from dashboards.view.page import first, shelf
from dashboards.view.page.elements import CameraPicture
from dashboards.view.page.header import Header
from dashboards.view.page.reader import Reader
from dashboards.view.page.shelf import CAMERAS, Shelf

PERIOD_S: Final = 0.5
"""As often as a node writes a picture."""

COLORS: Final = {
    "person": "#F0E442",
    "bicycle": "#56B4E9",
    "car": "#E69F00",
    "bus": "#CC79A7",
    "truck": "#00B98A",
    "other": "#FFFFFF",
}
"""Class -> the colour of its boxes; bright, for they stand on a picture in both themes."""


class Wall:
    """Pictures side by side that follow their cameras; ``found`` hears whether there are any."""

    def __init__(
        self,
        cameras: Cameras,
        who: Reader,
        *,
        compact: bool = False,
        found: Callable[[bool], object] | None = None,
    ) -> None:
        self._cameras, self._who, self._compact = cameras, who, compact
        self._found = found
        self._shown: dict[str, CameraPicture] = {}
        self._box = ui.element("div").classes("cn-cameras")
        with self._box:
            self._empty = ui.label(who.tr("No camera has sent a picture yet.")).classes(
                "cn-cameras-none"
            )
        ui.timer(PERIOD_S, self._look)

    async def _look(self) -> None:
        found = await run.io_bound(self._cameras.list) or []
        for stem in [stem for stem in self._shown if stem not in {one.stem for one in found}]:
            self._shown.pop(stem).delete()
        for camera in found:
            picture = self._shown.get(camera.stem)
            if picture is None:
                with self._box:
                    picture = self._shown[camera.stem] = CameraPicture()
            picture.show(**props(camera, self._who.tr), compact=self._compact)
        self._empty.set_visibility(not found)
        if self._found is not None:
            self._found(bool(found))


class Strip:
    """The wall as a part of a board."""

    def __init__(self, cameras: Cameras, who: Reader) -> None:
        with ui.element("aside").classes("cn-strip") as aside:
            aside.props["aria-label"] = who.tr("Live pictures")
            # Where no camera has sent a picture, the panels have its room.
            aside.set_visibility(bool(cameras.list()))
            Wall(cameras, who, compact=True, found=aside.set_visibility)


def build(on: Shelf, who: Reader) -> None:
    """The page of all cameras."""
    tr = who.tr
    shelf.begin(who, tr("Live pictures"))
    ui.add_body_html(first.html(on.titles, CAMERAS, (tr("Live pictures"), ""), (), tr))
    Header(who, on.titles, CAMERAS, lambda _theme: None)
    with ui.element("main").classes("cn-main").props('id="main" tabindex="-1"'):
        with ui.element("div").classes("cn-heading"), ui.element("div").classes("cn-heading-text"):
            with ui.element("h1"):
                ui.label(tr("Live pictures"))
            ui.label(
                tr(
                    "The latest picture of each camera with what its node sees in it: tracks, lines"
                    " and zones. In real pictures people and plates are unrecognisable."
                )
            ).classes("cn-description")
        with ui.element("div").classes("cn-wall"):
            if on.cameras is None:
                ui.label(tr("The view was started without cameras.")).classes("cn-cameras-none")
            else:
                Wall(on.cameras, who)

    async def hello() -> None:
        await ui.context.client.connected()
        await ui.run_javascript("cnHello()", timeout=30)

    ui.timer(0, hello, once=True)


def props(camera: Camera, tr: Translate) -> dict[str, Any]:
    """What a camera's element takes."""
    state: dict[str, Any] | None = None
    src = None
    if camera.state is not None:
        state = msgspec.to_builtins(camera.state)
        src = f"/cameras/{camera.stem}.jpg?t={camera.state.t}"
    words = {"live": tr("live"), "stalled": tr("stalled"), "broken": tr("broken")}
    status = words[camera.condition]
    if camera.condition == "stalled":
        status = tr("no picture for {seconds} s").format(seconds=int(camera.age))
    title = f"{camera.node} · {camera.camera}"
    tracks = len(camera.state.tracks) if camera.state else 0
    return {
        "src": src,
        "state": state,
        "condition": camera.condition,
        "status": status,
        "title": title,
        "label": tr("Camera {name}: {count} tracks in the latest picture").format(
            name=title, count=tracks
        ),
        "href": f"/d/citynerve-cameras?var-node={camera.node}&var-camera={camera.camera}",
        "problem": camera.problem or None,
        "names": {kind: tr(kind) for kind in COLORS},
        "colors": COLORS,
        "inks": {kind: tokens.on(color) for kind, color in COLORS.items()},
        "words": {"simulated": tr("simulated")},
    }

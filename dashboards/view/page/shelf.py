"""What all pages of one server share: its settings, engine, boards and cameras."""

import json
from collections.abc import Mapping
from functools import cached_property
from pathlib import Path
from typing import Any, Final

import msgspec
from fastapi import Request
from nicegui import ui

from dashboards.view import locale
from dashboards.view.cameras import Cameras
from dashboards.view.draw.tokens import TOKENS
from dashboards.view.engine import Engine
from dashboards.view.page import reader
from dashboards.view.page.reader import Reader
from dashboards.view.settings import Settings

FOLDER: Final = Path(__file__).parent

GEOJSON: Final = "/city.geojson"
CAMERAS: Final = "/cameras"

_DARK: Final = ':root[data-theme="dark"]'


class Shelf(msgspec.Struct, frozen=True, dict=True):
    """See the module."""

    settings: Settings
    engine: Engine
    boards: Mapping[str, Mapping[str, Any]]
    cameras: Cameras | None

    @cached_property
    def titles(self) -> dict[str, str]:
        """Every page in the bar at the top: its address and its title in English."""
        found = {f"/d/{uid}": board.get("title") or uid for uid, board in self.boards.items()}
        return found | ({CAMERAS: "Live pictures"} if self.cameras else {})

    @property
    def geojson(self) -> str | None:
        """The address of the city's streets, if there are any."""
        return GEOJSON if self.settings.geojson else None

    def reader(self, request: Request) -> Reader:
        """Who asks."""
        return reader.read(
            request.cookies,
            request.query_params,
            request.headers.get("accept-language", ""),
            self.settings.language,
        )


def begin(who: Reader, title: str) -> None:
    """Put style and script into the head of the page that is being made."""
    ui.page_title(f"{title} · CityNerve")
    tag = locale.TAGS[who.language]
    ui.add_head_html(
        f"<style>{style()}</style><script>{_read('shell.js')}\n"
        f"cnStart({json.dumps(tag)}, {json.dumps(who.wish)});</script>"
    )
    ui.label().classes("cn-sr").props('id="cn-said" role="status" aria-live="polite"')


def style() -> str:
    """The view's CSS, with its colours as variables of both themes."""
    light = _variables(TOKENS["light"])
    dark = _variables(TOKENS["dark"])
    themes = f":root{{color-scheme:light;{light}}}{_DARK}{{color-scheme:dark;{dark}}}"
    return themes + _read("style.css")


def _variables(tokens: Mapping[str, str]) -> str:
    return "".join(f"--{name}:{value};" for name, value in tokens.items())


def _read(name: str) -> str:
    return (FOLDER / name).read_text(encoding="utf-8")

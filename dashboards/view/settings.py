"""How the local view was started, for the server and its pages."""

from pathlib import Path
from typing import Literal

import msgspec

from dashboards.view.spans import Window

Language = Literal["en", "zh"]


class Settings(msgspec.Struct, frozen=True, kw_only=True):
    """How the view was started.

    Attributes:
        host: Where it listens.
        port: 0: any free one.
        geojson: The city's streets, districts and nodes, for maps without tiles.
        cameras: The folder of the cameras' previews.
        truth: The incidents that a simulation put into the data, one a line of JSON.
        window: The range that boards open with, if not their own.
        language: Of pages whose reader has chosen none; None: the browser's.
        tiles: URL pattern of the map's tiles, if maps may load them from the network.
        browser: Whether to open one.
        ready: A file that gets the address as soon as pages are served.
    """

    host: str = "127.0.0.1"
    port: int = 0
    geojson: Path | None = None
    cameras: Path | None = None
    truth: Path | None = None
    window: Window | None = None
    language: Language | None = None
    tiles: str | None = None
    browser: bool = True
    ready: Path | None = None

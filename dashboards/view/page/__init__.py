"""The pages of the local view: a board at ``/d/<uid>``, all cameras at ``/cameras``.

``board`` puts a board's panels on a grid and decides when which is drawn; ``panel`` is the frame of
one; ``elements`` are the Vue components that show a drawing. What is drawn comes from
:mod:`dashboards.view.draw`, what is asked from the engine.
"""

from collections.abc import Mapping
from typing import Any, Final

from fastapi import Request, Response
from fastapi.responses import FileResponse, RedirectResponse
from nicegui import app, ui

from dashboards.view.cameras import Cameras
from dashboards.view.engine import Engine
from dashboards.view.page import address, board, cameras, missing
from dashboards.view.page.shelf import CAMERAS, GEOJSON, Shelf
from dashboards.view.settings import Settings

HOME: Final = "citynerve-city"
"""The board that the view opens with."""


def install(
    settings: Settings,
    engine: Engine,
    boards: Mapping[str, Mapping[str, Any]],
    previews: Cameras | None,
) -> None:
    """Register all pages with NiceGUI.

    Args:
        settings: How the view was started.
        engine: Runs the boards' queries.
        boards: The boards' JSON by uid, in the order in which they are listed.
        previews: The cameras, if there is a folder of their pictures.
    """
    on = Shelf(settings, engine, boards, previews)

    @app.get("/")
    def home(request: Request) -> Response:
        uid = HOME if HOME in boards else next(iter(boards), HOME)
        query = f"?{request.url.query}" if request.url.query else ""
        return RedirectResponse(f"/d/{uid}{query}", headers={"Cache-Control": "no-store"})

    @app.get(GEOJSON)
    def city() -> Response:
        if settings.geojson is None or not settings.geojson.is_file():
            return Response(status_code=204)  # it may come later than the page
        return FileResponse(settings.geojson, media_type="application/geo+json")

    @ui.page("/d/{uid}")
    def of_board(uid: str, request: Request) -> None:
        found, who = boards.get(uid), on.reader(request)
        if found is None:
            missing.build(on, who, uid)
        else:
            board.BoardPage(on, found, who, address.read(uid, request.query_params.multi_items()))

    @ui.page(CAMERAS)
    def of_cameras(request: Request) -> None:
        cameras.build(on, on.reader(request))


__all__ = ["install"]

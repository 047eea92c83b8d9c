"""The process behind the local view's pages: one, with one event loop.

It listens on the loopback interface unless it is told otherwise, asks nobody but InfluxDB, and ends
within two seconds when it is told to.
"""

import asyncio
import contextlib
import gc
import ipaddress
import signal
import socket
import threading
import webbrowser
from collections.abc import Callable, Iterator, Mapping
from typing import Any, Final

import uvicorn
from fastapi import FastAPI, Response
from fastapi.middleware.gzip import GZipMiddleware
from nicegui import ui

from citynerve.errors import UnavailableError
from dashboards.view import page
from dashboards.view.cameras import Cameras
from dashboards.view.engine import Engine
from dashboards.view.guard import Guard
from dashboards.view.settings import Settings

_NO_STORE: Final = {"Cache-Control": "no-store"}
_LAST_WORDS_S: Final = 1
"""Seconds that open connections have to end in."""


def serve(
    settings: Settings,
    engine: Engine,
    boards: Mapping[str, Mapping[str, Any]],
    say: Callable[[str], None],
) -> None:
    """Serve pages until SIGTERM or SIGINT.

    Args:
        settings: See there.
        engine: Runs the boards' queries.
        boards: The boards' JSON by uid, in the order in which they are listed.
        say: Tells a line to whoever started us.

    Raises:
        UnavailableError: The address cannot be listened on.
    """
    listening = _listen(settings)
    if settings.ready is not None:
        settings.ready.unlink(missing_ok=True)  # of a run before
    app = FastAPI(openapi_url=None)
    cameras = Cameras(settings.cameras) if settings.cameras else None

    @app.get("/cameras/{stem}.jpg")
    def picture(stem: str) -> Response:
        found = cameras.picture(stem) if cameras else None
        if found is None:
            return Response(status_code=404, headers=_NO_STORE)
        return Response(found, media_type="image/jpeg", headers=_NO_STORE)

    # Within one machine, packing takes longer than sending.
    packed = not _is_local(listening)
    page.install(settings, engine, boards, cameras)
    ui.run_with(
        app,
        title="CityNerve",
        dark=None,
        tailwind=False,
        prod_js=True,
        binding_refresh_interval=None,
        reconnect_timeout=10,
        show_welcome_message=False,
        gzip_middleware_factory=GZipMiddleware if packed else None,
    )
    server = _Server(
        uvicorn.Config(
            Guard(app, settings.tiles),
            log_level="warning",
            access_log=False,
            proxy_headers=False,
            server_header=False,
            ws_per_message_deflate=packed,
            timeout_graceful_shutdown=_LAST_WORDS_S,
        ),
        lambda: _announce(listening, settings, say),
    )
    # What is there now stays: looking through it again for garbage would hold up every page.
    gc.collect()
    gc.freeze()
    with listening, _ended_by_signals():
        asyncio.run(_served(server, listening, engine))


class _Server(uvicorn.Server):
    """Tells when it serves."""

    def __init__(self, config: uvicorn.Config, announce: Callable[[], None]) -> None:
        super().__init__(config)
        self._announce = announce

    async def startup(self, sockets: list[socket.socket] | None = None) -> None:
        await super().startup(sockets)
        if self.started:
            self._announce()


async def _served(server: uvicorn.Server, listening: socket.socket, engine: Engine) -> None:
    try:
        await server.serve(sockets=[listening])
    finally:
        # Before the loop ends: it waits for its threads, and they wait for the engine.
        engine.close()


def address(listening: socket.socket) -> str:
    """The URL at which a browser on this machine finds what listens there."""
    host, port = listening.getsockname()[:2]
    found = ipaddress.ip_address(host)
    if found.is_unspecified:
        found = ipaddress.ip_address("127.0.0.1" if found.version == 4 else "::1")  # noqa: PLR2004
    return f"http://[{found}]:{port}/" if ":" in str(found) else f"http://{found}:{port}/"


def _is_local(listening: socket.socket) -> bool:
    return ipaddress.ip_address(listening.getsockname()[0]).is_loopback


def _announce(listening: socket.socket, settings: Settings, say: Callable[[str], None]) -> None:
    url = address(listening)
    say(f"CityNerve's local view: {url}")
    if not _is_local(listening):
        say("It has no log-in: everybody who reaches this machine sees it.")
    if settings.ready is not None:
        # Whole or not at all: somebody is waiting for it.
        fresh = settings.ready.with_name(f".{settings.ready.name}.new")
        fresh.write_text(f"{url}\n", encoding="utf-8")
        fresh.replace(settings.ready)
    if settings.browser:
        # A browser's start may take seconds, and some wait until it ends.
        threading.Thread(target=webbrowser.open, args=(url,), daemon=True).start()


def _listen(settings: Settings) -> socket.socket:
    try:
        family, _, _, _, where = socket.getaddrinfo(
            settings.host, settings.port, type=socket.SOCK_STREAM, flags=socket.AI_PASSIVE
        )[0]
        return socket.create_server((where[0], settings.port), family=family)
    except OSError as error:
        raise UnavailableError(
            "the address",
            where=f"{settings.host}:{settings.port}",
            problem=error.strerror or str(error),
            fix="choose another --port, or 0 for any free one",
        ) from error


@contextlib.contextmanager
def _ended_by_signals() -> Iterator[None]:
    """SIGTERM and SIGINT end the server, and then nothing more: it was asked to end."""
    numbers = (signal.SIGTERM, signal.SIGINT)
    before = {number: signal.signal(number, lambda *_: None) for number in numbers}
    try:
        yield
    finally:
        for number, handler in before.items():
            signal.signal(number, handler)

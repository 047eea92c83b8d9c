"""What stands between the view and the network: who may ask, and what a page may load.

The view shows a city and has no log-in; it is for the machine that it runs on. So a page of another
site that is open in the same browser must not reach it: neither under a name of its own that points
here (DNS rebinding: the ``Host`` is checked), nor from its own address (the ``Origin`` is checked,
for WebSockets too).
"""

import ipaddress
import socket
from collections.abc import Awaitable, Callable, MutableMapping
from typing import Any, Final
from urllib.parse import urlsplit

Scope = MutableMapping[str, Any]
Message = MutableMapping[str, Any]
Receive = Callable[[], Awaitable[Message]]
Send = Callable[[Message], Awaitable[None]]
App = Callable[[Scope, Receive, Send], Awaitable[None]]

_POLICY: Final = {
    "default-src": "'self'",
    # NiceGUI starts pages by inline scripts and compiles templates in the browser.
    "script-src": "'self' 'unsafe-inline' 'unsafe-eval'",
    "style-src": "'self' 'unsafe-inline'",
    "img-src": "'self' data: blob:",
    "font-src": "'self' data:",
    "connect-src": "'self'",
    "object-src": "'none'",
    "base-uri": "'self'",
    "form-action": "'self'",
    "frame-ancestors": "'none'",
}

_HEADERS: Final = (
    (b"x-content-type-options", b"nosniff"),
    (b"x-frame-options", b"DENY"),
    (b"referrer-policy", b"no-referrer"),
    (b"cross-origin-opener-policy", b"same-origin"),
    (b"cross-origin-resource-policy", b"same-origin"),
    (b"permissions-policy", b"camera=(), geolocation=(), microphone=()"),
)

_FORBIDDEN: Final = 403
_POLICY_VIOLATION: Final = 1008
"""The WebSocket code for it."""


class Guard:
    """An ASGI application around another that refuses strangers and sets security headers.

    Args:
        app: What is guarded.
        tiles: The URL of the map's tiles, if pages may load any; its host is allowed for pictures.
        names: Host names of this machine besides its addresses.
    """

    def __init__(
        self, app: App, tiles: str | None = None, names: frozenset[str] | None = None
    ) -> None:
        self.app = app
        self._names = own_names() if names is None else names
        self._headers = (*_HEADERS, (b"content-security-policy", policy(tiles).encode()))

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Pass a request on, or refuse it."""
        if scope["type"] not in {"http", "websocket"}:
            await self.app(scope, receive, send)
            return
        headers = {
            name.decode("latin-1"): value.decode("latin-1") for name, value in scope["headers"]
        }
        if not may_ask(headers.get("host", ""), headers.get("origin"), self._names):
            await _refuse(scope, send)
            return

        async def with_headers(message: Message) -> None:
            if message["type"] == "http.response.start":
                message["headers"] = [*message.get("headers", ()), *self._headers]
            await send(message)

        await self.app(scope, receive, with_headers)


def may_ask(host: str, origin: str | None, names: frozenset[str]) -> bool:
    """Whether a request comes from a page of ours, or from no page.

    Args:
        host: The header ``Host``.
        origin: The header ``Origin``, if there is one.
        names: What this machine is called.
    """
    try:
        name = urlsplit(f"//{host}").hostname or ""
    except ValueError:
        return False
    if not (_is_address(name) or name in names):
        return False
    return origin is None or origin.partition("://")[2].lower() == host.lower()


def policy(tiles: str | None) -> str:
    """The Content-Security-Policy of every page.

    >>> "tiles.example" in policy("https://tiles.example/{z}/{x}/{y}.png")
    True
    """
    rules = dict(_POLICY)
    if tiles:
        parts = urlsplit(tiles)
        # Leaflet spreads its requests over a, b, c for {s}.
        rules["img-src"] += f" {parts.scheme}://{parts.netloc.replace('{s}', '*')}"
    return "; ".join(f"{name} {value}" for name, value in rules.items())


def own_names() -> frozenset[str]:
    """What this machine is called by itself."""
    own = socket.gethostname().lower()
    return frozenset({"localhost", own, f"{own.partition('.')[0]}.local"})


def _is_address(name: str) -> bool:
    # A foreign name can be made to point here; a bare address names nobody else.
    try:
        ipaddress.ip_address(name)
    except ValueError:
        return False
    return True


async def _refuse(scope: Scope, send: Send) -> None:
    if scope["type"] == "websocket":
        await send({"type": "websocket.close", "code": _POLICY_VIOLATION})
        return
    said = b"This address is not one of the local view's own: open the one that it printed.\n"
    headers = [(b"content-type", b"text/plain; charset=utf-8")]
    await send({"type": "http.response.start", "status": _FORBIDDEN, "headers": headers})
    await send({"type": "http.response.body", "body": said})

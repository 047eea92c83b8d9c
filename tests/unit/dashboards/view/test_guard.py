import asyncio
from typing import Any

import pytest

from dashboards.view.guard import Guard, Message, Receive, Scope, Send, may_ask, own_names, policy

NAMES = frozenset({"localhost", "city-1"})


@pytest.mark.parametrize(
    ("host", "origin", "may"),
    [
        ("127.0.0.1:8080", None, True),
        ("127.0.0.1:8080", "http://127.0.0.1:8080", True),
        ("localhost:8080", "http://localhost:8080", True),
        ("LOCALHOST:8080", "http://localhost:8080", True),
        ("[::1]:8080", "http://[::1]:8080", True),
        ("city-1", None, True),
        ("192.168.1.7:8080", "http://192.168.1.7:8080", True),
        ("evil.example:8080", None, False),
        ("evil.example", "http://evil.example", False),
        ("127.0.0.1.evil.example", None, False),
        ("127.0.0.1:8080", "http://evil.example", False),
        ("127.0.0.1:8080", "http://127.0.0.1:9", False),
        ("127.0.0.1:8080", "null", False),
        ("", None, False),
        ("[", None, False),
        ("user@evil.example", None, False),
    ],
)
def test_only_pages_of_ours_may_ask(host: str, origin: str | None, *, may: bool) -> None:
    assert may_ask(host, origin, NAMES) is may


def test_a_machine_knows_its_names() -> None:
    assert "localhost" in own_names()


@pytest.mark.parametrize(
    ("tiles", "images"),
    [
        (None, "img-src 'self' data: blob:;"),
        (
            "https://{s}.tile.example:8443/{z}/{x}/{y}.png",
            "img-src 'self' data: blob: https://*.tile.example:8443;",
        ),
    ],
)
def test_pages_load_from_here_only_but_for_tiles_if_asked(tiles: str | None, images: str) -> None:
    rules = policy(tiles)
    assert images in rules
    assert "default-src 'self'" in rules
    assert "connect-src 'self'" in rules
    assert "frame-ancestors 'none'" in rules


def ask(kind: str, headers: dict[str, str]) -> list[dict[str, Any]]:
    sent: list[dict[str, Any]] = []

    async def app(scope: Scope, _: Receive, send: Send) -> None:
        if scope["type"] == "http":
            await send({"type": "http.response.start", "status": 200, "headers": [(b"x", b"y")]})
        else:
            await send({"type": f"{scope['type']}.accept"})

    async def send(message: Message) -> None:
        sent.append(dict(message))

    async def receive() -> Message:
        return {}

    scope: Scope = {
        "type": kind,
        "headers": [(name.encode(), value.encode()) for name, value in headers.items()],
    }
    asyncio.run(Guard(app, None, NAMES)(scope, receive, send))
    return sent


def test_an_answer_carries_the_headers() -> None:
    (start,) = ask("http", {"host": "localhost"})
    headers = dict(start["headers"])
    assert headers[b"x"] == b"y"
    assert headers[b"x-content-type-options"] == b"nosniff"
    assert headers[b"content-security-policy"] == policy(None).encode()


def test_strangers_are_refused() -> None:
    start, _ = ask("http", {"host": "evil.example"})
    assert start["status"] == 403
    origin = {"host": "localhost", "origin": "http://evil.example"}
    assert ask("websocket", origin) == [{"type": "websocket.close", "code": 1008}]
    assert ask("websocket", {"host": "localhost"}) == [{"type": "websocket.accept"}]

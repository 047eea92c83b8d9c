"""A small TCP proxy that cuts a link on command, in the ways in which networks do it."""

import asyncio
import random
import socket
import struct
import threading
from collections.abc import Coroutine
from enum import StrEnum
from typing import Any, Final, Self, TypeVar

LOOPBACK: Final = "127.0.0.1"
# Below the range from which the system hands out ports by itself: a port that must stay the same
# while its server is dead must not be lent to a passing connection.
_PORTS: Final = range(20_000, 32_000)
_CHUNK: Final = 16_384
_REQUEST_ENDS_S: Final = 0.1
_ANSWER_S: Final = 10.0
_RESET: Final = struct.pack("ii", 1, 0)

T = TypeVar("T")


class Cut(StrEnum):
    """How a link is cut. After each, new connections work as before."""

    CLOSE = "close"
    """Connections are reset, new ones too. A request that was on its way is torn in half."""
    STALL = "stall"
    """Nothing passes for a while; then everything that waited does."""
    BLACKHOLE = "blackhole"
    """Nothing passes for a while; then the connections are reset, and what waited is gone."""
    DEAF = "deaf"
    """Clients are heard, but the answers are lost; then the connections are reset."""
    DELAY = "delay"
    """The next request is held and its connection reset; all else passes. When the cut is over,
    what was held arrives, behind everything that was sent since."""


_claims: list[socket.socket] = []


def free_port() -> int:
    """A loopback port that nothing listens on, outside the system's ephemeral range.

    No other process of this machine is given it as long as this one lives, for it may be bound only
    much later, and again after each kill of its server.

    Raises:
        OSError: None of a hundred drawn ports is free.
    """
    draw = random.SystemRandom()
    for port in draw.sample(_PORTS, 100):
        with socket.socket() as probe:
            probe.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
            try:
                probe.bind((LOOPBACK, port))
            except OSError:
                continue
        if _claim(port):
            return port
    raise OSError("no free port below the ephemeral range")


def _claim(port: int) -> bool:
    # An abstract name: it vanishes with the process, however that ends.
    claim = socket.socket(socket.AF_UNIX)
    try:
        claim.bind(f"\0citynerve-port-{port}")
    except OSError:
        claim.close()
        return False
    _claims.append(claim)
    return True


class Proxy:
    """One link: listens on ``port`` and forwards to ``upstream``, both on the loopback.

    Made by :meth:`Switchboard.link`; its methods may be called from any other thread.
    """

    def __init__(self, board: "Switchboard", upstream: int) -> None:
        self.port = free_port()
        self.upstream = upstream
        self._board = board
        self._writers: set[asyncio.StreamWriter] = set()
        self._cut: Cut | None = None
        self._armed: Cut | None = None
        self._passing = asyncio.Event()
        self._passing.set()
        self._healed = asyncio.Event()
        self._server: asyncio.Server | None = None

    @property
    def struck(self) -> bool:
        """Whether the cut now in force hit a connection that was open."""
        return self._cut is not None

    @property
    def connections(self) -> int:
        """Connections that are open now."""
        return len(self._writers) // 2

    def cut(self, how: Cut) -> bool:
        """Cut the link; whether a connection was open.

        Otherwise the cut is armed: it falls on the first bytes that a client sends.
        """
        return self._board.call(self._do_cut(how))

    def heal(self) -> None:
        """Take a cut back, also one that is still armed."""
        self._board.call(self._do_heal())

    async def listen(self) -> None:
        """Begin to accept; called by the switchboard in its loop."""
        self._server = await asyncio.start_server(self._serve, LOOPBACK, self.port)

    async def shut(self) -> None:
        """End all connections and stop listening; called by the switchboard in its loop."""
        if self._server is not None:
            self._server.close()
        self._reset_all()

    async def _do_cut(self, how: Cut) -> bool:
        if how is Cut.DELAY or not self._writers:
            self._armed = how
            return False
        self._fall(how)
        return True

    def _fall(self, how: Cut) -> None:
        self._armed, self._cut = None, how
        self._healed.clear()
        if how is Cut.CLOSE:
            self._reset_all()
        elif how in (Cut.STALL, Cut.BLACKHOLE):
            self._passing.clear()

    async def _do_heal(self) -> None:
        healed, self._cut, self._armed = self._cut, None, None
        if healed in (Cut.BLACKHOLE, Cut.DEAF):
            self._reset_all()
        self._passing.set()
        self._healed.set()

    def _reset_all(self) -> None:
        for writer in self._writers:
            _reset(writer)
        self._writers.clear()

    async def _serve(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        if self._cut is Cut.CLOSE:
            _reset(writer)
            return
        try:
            far_reader, far_writer = await asyncio.open_connection(LOOPBACK, self.upstream)
        except OSError:
            _reset(writer)
            return
        pair = {writer, far_writer}
        self._writers |= pair
        try:
            await asyncio.gather(
                self._ask(reader, far_writer, writer),
                self._answer(far_reader, writer),
            )
        except OSError:
            for end in pair:
                _reset(end)
        finally:
            self._writers -= pair
            for end in pair:
                end.close()

    async def _ask(
        self, source: asyncio.StreamReader, sink: asyncio.StreamWriter, client: asyncio.StreamWriter
    ) -> None:
        while data := await source.read(_CHUNK):
            if self._armed is Cut.DELAY:
                await self._hold(data, source, sink, client)
                return
            if self._armed is not None:
                if self._armed is Cut.CLOSE:
                    sink.write(data[: len(data) // 2])
                    await sink.drain()
                self._fall(self._armed)
            await self._passing.wait()
            sink.write(data)
            await sink.drain()
        _end(sink)

    async def _hold(
        self,
        data: bytes,
        source: asyncio.StreamReader,
        sink: asyncio.StreamWriter,
        client: asyncio.StreamWriter,
    ) -> None:
        self._fall(Cut.DELAY)
        held = data
        try:
            while more := await asyncio.wait_for(source.read(_CHUNK), _REQUEST_ENDS_S):
                held += more
        except TimeoutError:
            pass  # it is complete: the client waits for the answer
        _reset(client)
        await self._healed.wait()
        # Without an end after it: a server may drop the request of a client that has left.
        sink.write(held)
        await sink.drain()

    async def _answer(self, source: asyncio.StreamReader, sink: asyncio.StreamWriter) -> None:
        while data := await source.read(_CHUNK):
            await self._passing.wait()
            if self._cut is not Cut.DEAF:
                sink.write(data)
                await sink.drain()
        _end(sink)


def _end(sink: asyncio.StreamWriter) -> None:
    if sink.can_write_eof() and not sink.is_closing():
        sink.write_eof()


def _reset(writer: asyncio.StreamWriter) -> None:
    connection = writer.get_extra_info("socket")
    if connection is not None and not writer.is_closing():
        connection.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, _RESET)
    writer.transport.abort()


class Switchboard:
    """Runs proxies in a thread of its own, for as long as the ``with`` block lasts."""

    def __init__(self) -> None:
        self._loop = asyncio.new_event_loop()
        self._thread = threading.Thread(target=self._loop.run_forever, name="proxies", daemon=True)
        self._links: list[Proxy] = []

    def __enter__(self) -> Self:
        self._thread.start()
        return self

    def __exit__(self, *_: object) -> None:
        for link in self._links:
            self.call(link.shut())
        self.call(_drain())
        self._loop.call_soon_threadsafe(self._loop.stop)
        self._thread.join(_ANSWER_S)
        self._loop.close()

    def link(self, upstream: int) -> Proxy:
        """A new proxy in front of a loopback port; nothing need listen there yet."""
        link = Proxy(self, upstream)
        self.call(link.listen())
        self._links.append(link)
        return link

    def call(self, work: Coroutine[Any, Any, T]) -> T:
        """Run a coroutine in the proxies' thread and wait for its result."""
        return asyncio.run_coroutine_threadsafe(work, self._loop).result(_ANSWER_S)


async def _drain() -> None:
    others = [task for task in asyncio.all_tasks() if task is not asyncio.current_task()]
    for task in others:
        task.cancel()
    await asyncio.gather(*others, return_exceptions=True)

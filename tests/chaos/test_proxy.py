"""The proxy passes bytes on unharmed, and cuts in each of its ways."""

import random
import socket
import threading
import time
from collections.abc import Iterator

import pytest

from benchmarks.chaos.proxy import Cut, Proxy, Switchboard, free_port
from tests.waiting import PATIENCE_S

QUICK = 0.3


class Echo:
    """A server that answers with what it hears, and remembers it."""

    def __init__(self) -> None:
        self.port = free_port()
        self.heard = bytearray()
        self._listener = socket.create_server(("127.0.0.1", self.port))
        threading.Thread(target=self._accept, daemon=True).start()

    def close(self) -> None:
        self._listener.close()

    def hears(self, data: bytes, patience: float = PATIENCE_S) -> bool:
        deadline = time.monotonic() + patience
        while not self.heard.endswith(data) and time.monotonic() < deadline:
            time.sleep(0.01)
        return self.heard.endswith(data)

    def _accept(self) -> None:
        while True:
            try:
                connection, _ = self._listener.accept()
            except OSError:
                return
            threading.Thread(target=self._serve, args=(connection,), daemon=True).start()

    def _serve(self, connection: socket.socket) -> None:
        with connection:
            try:
                while data := connection.recv(4096):
                    self.heard += data
                    connection.sendall(data)
            except OSError:
                return


@pytest.fixture
def echo() -> Iterator[Echo]:
    server = Echo()
    yield server
    server.close()


@pytest.fixture
def link(echo: Echo) -> Iterator[Proxy]:
    with Switchboard() as board:
        yield board.link(echo.port)


def dial(link: Proxy) -> socket.socket:
    return socket.create_connection(("127.0.0.1", link.port), timeout=PATIENCE_S)


def ask(connection: socket.socket, data: bytes) -> bytes:
    connection.sendall(data)
    return receive(connection, len(data))


def receive(connection: socket.socket, size: int) -> bytes:
    found = b""
    while len(found) < size and (data := connection.recv(65536)):
        found += data
    return found


def is_dead(connection: socket.socket) -> bool:
    connection.settimeout(PATIENCE_S)
    try:
        return connection.recv(1) == b""
    except ConnectionError:
        return True


def is_refused(link: Proxy) -> bool:
    try:
        with dial(link) as connection:
            return is_dead(connection)
    except ConnectionError:
        return True


def is_silent(connection: socket.socket) -> bool:
    connection.settimeout(QUICK)
    try:
        connection.recv(1)
    except TimeoutError:
        return True
    finally:
        connection.settimeout(PATIENCE_S)
    return False


def test_large_data_pass_unharmed_both_ways(link: Proxy) -> None:
    data = random.Random(1).randbytes(2_000_000)
    with dial(link) as connection:
        sender = threading.Thread(target=connection.sendall, args=(data,))
        sender.start()
        assert receive(connection, len(data)) == data
        sender.join()


def test_the_end_of_a_request_is_passed_on(link: Proxy) -> None:
    with dial(link) as connection:
        connection.sendall(b"all")
        connection.shutdown(socket.SHUT_WR)
        assert receive(connection, 4) == b"all"


def test_close_resets_and_refuses_until_healed(link: Proxy) -> None:
    with dial(link) as connection:
        assert ask(connection, b"hello") == b"hello"
        assert link.connections == 1
        assert link.cut(Cut.CLOSE)
        assert is_dead(connection)
    assert is_refused(link)
    link.heal()
    with dial(link) as connection:
        assert ask(connection, b"again") == b"again"


def test_stall_keeps_what_waited(link: Proxy, echo: Echo) -> None:
    with dial(link) as connection:
        assert ask(connection, b"hello") == b"hello"
        assert link.cut(Cut.STALL)
        connection.sendall(b"waits")
        assert is_silent(connection)
        assert not echo.heard.endswith(b"waits")
        link.heal()
        assert receive(connection, 5) == b"waits"


def test_blackhole_loses_what_waited(link: Proxy, echo: Echo) -> None:
    with dial(link) as connection:
        assert ask(connection, b"hello") == b"hello"
        assert link.cut(Cut.BLACKHOLE)
        connection.sendall(b"gone")
        assert is_silent(connection)
        link.heal()
        assert is_dead(connection)
    with dial(link) as connection:
        assert ask(connection, b"again") == b"again"
    assert bytes(echo.heard) == b"helloagain"


def test_deaf_delivers_and_loses_the_answer(link: Proxy, echo: Echo) -> None:
    with dial(link) as connection:
        assert ask(connection, b"hello") == b"hello"
        assert link.cut(Cut.DEAF)
        connection.sendall(b"heard")
        assert echo.hears(b"heard")
        assert is_silent(connection)
        link.heal()
        assert is_dead(connection)


def test_a_cut_without_connection_falls_on_the_next_request(link: Proxy, echo: Echo) -> None:
    assert not link.cut(Cut.CLOSE)
    assert not link.struck
    with dial(link) as connection:
        connection.sendall(b"0123456789")
        assert is_dead(connection)
    assert link.struck
    assert bytes(echo.heard) in (b"", b"01234")
    link.heal()
    with dial(link) as connection:
        assert ask(connection, b"again") == b"again"


def test_delay_delivers_behind_what_was_sent_since(link: Proxy, echo: Echo) -> None:
    with dial(link) as early:
        assert ask(early, b"hello") == b"hello"
        assert not link.cut(Cut.DELAY)
        early.sendall(b"first")
        assert is_dead(early)
    assert link.struck
    with dial(link) as late:
        assert ask(late, b"second") == b"second"
        link.heal()
        assert echo.hears(b"first")
        assert ask(late, b"third") == b"third"
    assert bytes(echo.heard) == b"hellosecondfirstthird"


def test_an_armed_cut_can_be_taken_back(link: Proxy) -> None:
    assert not link.cut(Cut.BLACKHOLE)
    link.heal()
    with dial(link) as connection:
        assert ask(connection, b"hello") == b"hello"
    assert not link.struck


def test_without_upstream_connections_are_reset() -> None:
    with Switchboard() as board:
        link = board.link(free_port())
        assert is_refused(link)


def test_a_port_is_given_to_one_process_only() -> None:
    port = free_port()
    taken = socket.socket(socket.AF_UNIX)
    with taken, pytest.raises(OSError, match="in use"):
        taken.bind(f"\0citynerve-port-{port}")

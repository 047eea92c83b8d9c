"""``stream check``: everything a stream needs, tried one by one and explained."""

from collections.abc import Callable
from pathlib import Path

from citynerve.clock import now_ms
from citynerve.errors import CityNerveError
from citynerve.influx import connect
from citynerve.mqtt import Link, MqttConfig
from stream import service, store
from stream.config import StreamConfig
from stream.scenario import load_scenarios

_TIMEOUT = 3.0

Say = Callable[[str], None]


def run(config: StreamConfig, deadline: float, say: Say) -> int:
    """Try everything; gives the number of failures.

    Args:
        config: All settings, which are read already.
        deadline: For the servers, on the monotonic clock, seconds.
        say: Receives a line for each check.
    """
    checks: list[tuple[str, Callable[[], str]]] = [
        ("settings", lambda: f"commit every {config.flow.epoch_ms} ms, raw {config.storage.raw}"),
        ("scenarios", lambda: _scenarios(config)),
        ("Bytewax", _bytewax),
        ("store", lambda: _store(Path(config.store.path))),
        ("broker", lambda: _broker(config.mqtt, deadline)),
        ("InfluxDB", lambda: _influx(config)),
    ]
    failures = 0
    for name, check in checks:
        try:
            say(f"✓ {name}: {check()}")
        except CityNerveError as error:
            failures += 1
            say(f"✗ {name}: {error}")
    return failures


def _scenarios(config: StreamConfig) -> str:
    extra = config.scenarios.path
    load_scenarios(None if extra is None else Path(extra))
    return "the shipped ones" + (f" and those of {extra}" if extra else "")


def _bytewax() -> str:
    store.check_bytewax()
    return store.BYTEWAX


def _store(path: Path) -> str:
    identity = store.peek(path)
    if identity is None:
        return f"{path} does not exist yet; the first run makes it"
    return f"{path}, id {identity.id}, started {identity.start} times"


def _broker(config: MqttConfig, deadline: float) -> str:
    link = Link(config, client_id=f"citynerve-check-{now_ms()}")
    try:
        service.connect_link(link, deadline)
    finally:
        link.stop()
    return config.safe_url()


def _influx(config: StreamConfig) -> str:
    with connect(config.influx, _TIMEOUT) as influx:
        return f"{config.influx.base()}, version {influx.server.version}"

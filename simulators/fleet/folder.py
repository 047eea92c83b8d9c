"""The folder of a run: the city's map and truth, and a folder for each of its nodes.

::

    DIR/run.json             what the run is (simulators.fleet.run)
    DIR/city.geojson         districts, streets, nodes
    DIR/truth.ndjson         what really happened, as far as simulated time has come
    DIR/fleet.json           how the fleet is, while it runs and when it has ended
    DIR/NODE/config.toml     as for `citynerve edge run --config`
    DIR/NODE/spool.db
"""

from collections.abc import Iterable, Iterator
from pathlib import Path
from typing import Any, Final

from msgspec import json, structs

from citynerve.errors import UnavailableError
from citynerve.mqtt import MqttConfig
from citynerve.network import Polled
from citynerve.parameters import Speed
from edge.agent import Agent
from edge.assembly import assemble
from edge.config import load
from edge.spool_file import Footprint
from simulators import city
from simulators.fleet.fleet import Start
from simulators.fleet.run import Run
from simulators.fleet.state import State

MAP: Final = "city.geojson"
TRUTH: Final = "truth.ndjson"
STATE: Final = "fleet.json"
CONFIG: Final = "config.toml"
SPOOL: Final = "spool.db"

BATCH_MS: Final = 5_000
"""A node of a city sends seldom: each batch costs a synced write, and all share one disk."""

SMALL: Final = Footprint(ballast=256 << 10, log_pages=64, cache_kib=64)
"""What each of many spools on one disk takes. Together their ballasts are more than one's."""


def lay_out(folder: Path, run: Run, speed: Speed, mqtt: MqttConfig) -> list[str]:
    """Write the map and the nodes' configurations; the ids of the nodes.

    Raises:
        ConfigError: There is no such city.
        UnavailableError: The folder cannot be written.
    """
    plan = city.plan(run.nodes, run.seed, run.suffix)
    configs = city.node_configs(
        run.nodes,
        run.seed,
        start_ms=run.start,
        history_ms=run.history,
        duration_ms=run.length,
        interval_ms=run.interval,
        speed=speed,
        rate=run.rate,
        suffix=run.suffix,
        truth=f"../{TRUTH}",
    )
    # Neither names nor passwords: those stay in the environment.
    files = {"ca": mqtt.ca, "cert": mqtt.cert, "key": mqtt.key}
    server = {"url": mqtt.safe_url(), "root": mqtt.root}
    server |= {key: path for key, path in files.items() if path}
    try:
        city.write_geojson(plan, folder / MAP)
        for node, tables in configs.items():
            beside: dict[str, Any] = {
                "mqtt": server,
                "spool": {"path": SPOOL},
                "send": {"batch_ms": BATCH_MS},
            }
            place = folder / node
            place.mkdir(exist_ok=True)
            text = city.toml({**beside, **tables})
            (place / CONFIG).write_text(text, encoding="utf-8")
    except OSError as error:
        raise UnavailableError(
            "folder of the run",
            where=str(folder),
            problem=error.strerror or str(error),
            fix="name a folder that can be written with --dir",
        ) from error
    return list(configs)


def members(folder: Path, nodes: Iterable[str], mqtt: MqttConfig) -> Iterator[tuple[str, Start]]:
    """What makes each node's agent from its folder; ``mqtt`` is where all of them connect."""
    for node in nodes:
        yield node, _maker(folder / node / CONFIG, node, mqtt)


def _maker(path: Path, node: str, mqtt: MqttConfig) -> Start:
    def make(network: Polled) -> Agent:
        # The variables that override a node's file mean one node.
        config = structs.replace(load(path, env={}), mqtt=mqtt)
        return assemble(config, path, network=network.port(node), footprint=SMALL)

    return make


def write_state(folder: Path, state: State) -> None:
    """Tell others how the fleet is; a reader sees the last state or this one."""
    part = folder / f".{STATE}.part"
    part.write_bytes(json.encode(state) + b"\n")
    part.replace(folder / STATE)

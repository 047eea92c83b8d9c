"""A node's agent put together from its configuration."""

from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from citynerve.errors import CityNerveError, ConfigError
from citynerve.network import Network
from edge.agent import Agent
from edge.config import NodeConfig
from edge.sensor.driver import Driver
from edge.spool import Spool
from edge.spool_file import Footprint


def assemble(
    config: NodeConfig,
    path: Path,
    *,
    network: Network | None = None,
    footprint: Footprint | None = None,
) -> Agent:
    """The agent of one node, its spool and inputs open.

    Args:
        config: Its configuration.
        path: The file of it, from whose folder relative paths start.
        network: What moves its link's bytes; None: a thread of its own.
        footprint: What its spool may take beside its content.

    Raises:
        CityNerveError: A driver or the spool cannot be opened.
    """
    with explained(path):
        drivers = make_drivers(config, path.parent)
    spool = open_spool(config, path, footprint)
    try:
        with explained(path):
            return Agent(config, drivers, spool, file=str(path), network=network)
    except CityNerveError:
        spool.close()
        raise


def make_drivers(config: NodeConfig, base: Path) -> list[Driver]:
    """The drivers of all ``[[sensor]]`` and ``[[camera]]`` tables, not opened.

    Raises:
        CityNerveError: One cannot be made.
    """
    drivers: list[Driver] = []
    if config.sensor:
        from edge.sensor import catalog  # noqa: PLC0415 - only what the node needs

        drivers += [catalog.make(table, base) for table in config.sensor]
    if config.camera:
        from edge.camera.driver import make  # noqa: PLC0415 - OpenCV is heavy

        drivers += [make(table, base, config.node.id) for table in config.camera]
    return drivers


def open_spool(config: NodeConfig, path: Path, footprint: Footprint | None = None) -> Spool:
    """The spool of the node whose file is ``path``.

    Raises:
        CityNerveError: It cannot be opened.
    """
    return Spool.open(
        path.parent / config.spool.path,
        node=config.node.id,
        max_bytes=config.spool.max_mb << 20,
        footprint=footprint,
    )


@contextmanager
def explained(path: Path) -> Iterator[None]:
    """Name the file in what a driver says of its table."""
    try:
        yield
    except ConfigError as error:
        if error.file is not None:
            raise
        raise ConfigError(
            error.problem, file=str(path), key=error.key, value=error.value, fix=error.fix
        ) from error

"""The face that stream, dashboards and demo see."""

from collections.abc import Sequence
from typing import Protocol, Self

from citynerve import log
from citynerve.errors import ConfigError
from citynerve.influx import query, v1, v2
from citynerve.influx.config import InfluxConfig
from citynerve.influx.http import Session
from citynerve.influx.query import Epoch, Series
from citynerve.influx.retention import ENDLESS, Retention
from citynerve.influx.server import Server, ask

_log = log.get("influx")

DEFAULT_TIMEOUT = 30.0
"""Seconds."""


class _Admin(Protocol):
    def ensure(self, database: str, retention: Retention) -> None: ...

    def limits(self) -> list[str]: ...


class _Writer(Protocol):
    def write(self, database: str, lines: Sequence[str]) -> None: ...

    def close(self) -> None: ...


class Influx:
    """One server; made by :func:`connect`. Everything is synchronous.

    Several threads may use :meth:`query` at once, and nothing else.
    """

    def __init__(
        self,
        config: InfluxConfig,
        server: Server,
        *,
        session: Session,
        admin: _Admin,
        writer: _Writer,
    ) -> None:
        self.config = config
        self.server = server
        self._session = session
        self._admin = admin
        self._writer = writer

    def ensure(self, raw_retention_days: int) -> None:
        """Create both databases where they are missing, and set their retention.

        Args:
            raw_retention_days: For the raw observations; 0 is without end. The main database keeps
                its points for ever.

        Raises:
            ConfigError: The credentials do not allow it.
            UnavailableError: The server does not answer, or is in trouble.
        """
        self._admin.ensure(self.config.raw, Retention(raw_retention_days))
        self._admin.ensure(self.config.main, ENDLESS)
        for limit in self._admin.limits():
            _log.warning("a limit of the InfluxDB server may be met", limit=limit)

    def write(self, database: str, lines: Sequence[str]) -> None:
        """Store lines of line protocol (times in ns), and return when they are stored.

        Raises:
            WriteRejected: The server does not want some of them; says which, where it knows.
            UnavailableError: No answer, or the server is in trouble: try the same again later.
            ConfigError: The credentials do not allow it.
        """
        if lines:
            self._writer.write(database, lines)

    def query(self, database: str, influxql: str, *, epoch: Epoch = "ns") -> list[Series]:
        """Run InfluxQL; times come as integers in ``epoch`` since 1970 UTC.

        Raises:
            ConfigError: The statement or the database is wrong, or the user may not run it.
            UnavailableError: No answer, or the server is in trouble.
        """
        return query.run(self._session, influxql, database=database, epoch=epoch)

    def close(self) -> None:
        """Close all connections."""
        self._writer.close()
        self._session.close()

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *_: object) -> None:
        self.close()


def connect(config: InfluxConfig, timeout: float = DEFAULT_TIMEOUT, connections: int = 1) -> Influx:
    """Find out which InfluxDB answers at ``config.url``, and check the credentials.

    Args:
        config: Where it is.
        timeout: Seconds for each request.
        connections: How many are kept open, for as many threads that query at once.

    Raises:
        UnavailableError: Nobody answers there, or no InfluxDB.
        ConfigError: The URL, the credentials or the organisation are wrong.
    """
    session = Session(config, timeout, connections)
    server = ask(session)
    if server.api == "2":
        return _connect_v2(config, server, session, timeout)
    return _connect_v1(config, server, session, timeout)


def _connect_v1(config: InfluxConfig, server: Server, session: Session, timeout: float) -> Influx:
    user = config.user()
    if user is not None:
        session.log_in(*user)
    databases = v1.Databases(session)
    databases.check()
    writer: _Writer = v1.Writer(session)
    if server.api == "1.8":
        # Without a policy in the bucket's name, the server takes the database's default one.
        writer = v2.Writer(config, ":".join(user) if user else "", "-", timeout)
    return Influx(config, server, session=session, admin=databases, writer=writer)


def _connect_v2(config: InfluxConfig, server: Server, session: Session, timeout: float) -> Influx:
    if not config.token:
        raise ConfigError(
            f"InfluxDB {server.version} at {session.base} needs a token",
            key="influx.token",
            fix="set influx.token, or CITYNERVE_INFLUX_TOKEN in the environment",
        )
    session.headers = {"Authorization": f"Token {config.token}"}
    org = v2.Organisation(session, config.org)
    return Influx(
        config,
        server,
        session=session,
        admin=v2.Buckets(session, org),
        writer=v2.Writer(config, config.token, org.name, timeout),
    )

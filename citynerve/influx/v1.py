"""InfluxDB 1.x: databases over InfluxQL, and writing through ``/write``."""

from collections.abc import Sequence
from typing import Final

from citynerve.errors import ConfigError
from citynerve.influx import query
from citynerve.influx.errors import refusal
from citynerve.influx.http import Session
from citynerve.influx.retention import Retention

_NO_CONTENT: Final = 204

MIN_SERIES: Final = 5_000_000
"""Below this many, a limit on series or tag values may be met by a large city."""


class Databases:
    """Databases and their default retention policies, over ``/query``."""

    def __init__(self, session: Session) -> None:
        self._session = session

    def check(self) -> None:
        """Ask for something that needs the credentials, so that wrong ones show at once."""
        query.run(self._session, "SHOW DATABASES")

    def ensure(self, database: str, retention: Retention) -> None:
        """Create the database where it is missing; set its default policy's retention."""
        name = query.identifier(database)
        if database not in self._names():
            query.run(self._session, f"CREATE DATABASE {name}")
        policy = self._default_policy(database)
        query.run(
            self._session,
            f"ALTER RETENTION POLICY {query.identifier(policy)} ON {name}"
            f" DURATION {retention.seconds}s SHARD DURATION {retention.shard_seconds}s",
        )

    def limits(self) -> list[str]:
        """The server's limits that a large city may meet, for people."""
        try:
            found = query.run(self._session, "SHOW DIAGNOSTICS")
        except ConfigError:  # only an administrator may look
            return []
        settings = {
            column: value
            for series in found
            for row in series.values
            for column, value in zip(series.columns, row, strict=True)
        }
        return [
            f"{key} = {settings[key]}: set it to 0 in the server's [data] section"
            for key in ("max-series-per-database", "max-values-per-tag")
            if isinstance(settings.get(key), int) and 0 < settings[key] < MIN_SERIES
        ]

    def _names(self) -> list[str]:
        return [
            str(row[0]) for one in query.run(self._session, "SHOW DATABASES") for row in one.values
        ]

    def _default_policy(self, database: str) -> str:
        statement = f"SHOW RETENTION POLICIES ON {query.identifier(database)}"
        for series in query.run(self._session, statement):
            name, default = series.columns.index("name"), series.columns.index("default")
            for row in series.values:
                if row[default]:
                    return str(row[name])
        raise ConfigError(
            "has no default retention policy",
            key=database,
            fix=f'run ALTER RETENTION POLICY "autogen" ON "{database}" DEFAULT',
        )


class Writer:
    """Line protocol through ``/write``."""

    def __init__(self, session: Session) -> None:
        self._session = session

    def write(self, database: str, lines: Sequence[str]) -> None:
        """See :meth:`citynerve.influx.Influx.write`."""
        answer = self._session.send(
            "POST",
            "/write",
            params={"db": database, "precision": "ns"},
            body="\n".join(lines).encode(),
        )
        if answer.status != _NO_CONTENT:
            raise refusal(self._session.base, database, lines, answer)

    def close(self) -> None:
        """Nothing of its own to close."""

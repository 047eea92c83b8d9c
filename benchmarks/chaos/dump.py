"""All that an InfluxDB holds, read over plain HTTP with InfluxQL.

On purpose none of ``citynerve.influx``: the judge must not share code with the judged.
"""

import json
from collections.abc import Iterator
from http.client import HTTPConnection
from typing import Any, Final, NamedTuple
from urllib.parse import urlencode

Tags = tuple[tuple[str, str], ...]
"""Sorted pairs of name and value."""


class Key(NamedTuple):
    """A point's identity in its measurement; ``time`` in ns since 1970 UTC."""

    database: str
    tags: Tags
    time: int


Fields = dict[str, float | str | bool]
Dump = dict[str, dict[Key, Fields]]
"""Measurement -> points, of all databases and retention policies together."""

_CHUNK: Final = 5_000
_TIMEOUT_S: Final = 60.0


class DumpError(Exception):
    """InfluxDB refused a query, or holds a point twice."""


def dump(
    port: int,
    databases: tuple[str, ...],
    *,
    only: str | None = None,
    host: str = "127.0.0.1",
) -> Dump:
    """Every point of every measurement and retention policy of these databases.

    Args:
        port: Of the server's HTTP.
        databases: Their names.
        only: One measurement instead of all.
        host: Of the server.

    Raises:
        DumpError: A query failed, or a point stands in two retention policies.
        OSError: No server there.
    """
    found: Dump = {}
    for database in databases:
        for policy in _column(host, port, database, "SHOW RETENTION POLICIES", "name"):
            for measurement in _column(host, port, database, "SHOW MEASUREMENTS", "name"):
                if only not in (None, measurement):
                    continue
                text = f'SELECT * FROM "{policy}"."{measurement}" GROUP BY *'  # noqa: S608
                for series in query(host, port, database, text):
                    _add(found.setdefault(measurement, {}), database, series)
    return found


def _add(points: dict[Key, Fields], database: str, series: dict[str, Any]) -> None:
    tags = tuple(sorted((k, v) for k, v in series.get("tags", {}).items() if v != ""))
    columns: list[str] = series["columns"]
    at = columns.index("time")
    for row in series["values"]:
        key = Key(database, tags, row[at])
        if key in points:
            raise DumpError(f"{series['name']} holds {key} twice")
        points[key] = {
            name: value
            for name, value in zip(columns, row, strict=True)
            if name != "time" and value is not None
        }


def _column(host: str, port: int, database: str, text: str, column: str) -> list[str]:
    names: list[str] = []
    for series in query(host, port, database, text):
        at = series["columns"].index(column)
        names += [row[at] for row in series.get("values", [])]
    return names


def query(host: str, port: int, database: str, text: str) -> Iterator[dict[str, Any]]:
    """The series that one InfluxQL query answers, chunk by chunk; times in ns.

    Raises:
        DumpError: The server's error.
        OSError: No server there.
    """
    asked = {"db": database, "q": text, "epoch": "ns", "chunked": "true", "chunk_size": _CHUNK}
    connection = HTTPConnection(host, port, timeout=_TIMEOUT_S)
    try:
        connection.request("GET", f"/query?{urlencode(asked)}")
        answer = connection.getresponse()
        for line in answer:
            chunk = json.loads(line)
            if "error" in chunk:
                raise DumpError(f"{text}: {chunk['error']}")
            for result in chunk["results"]:
                if "error" in result:
                    raise DumpError(f"{text}: {result['error']}")
                yield from result.get("series", ())
    finally:
        connection.close()

"""InfluxQL: the one language that all generations answer."""

from typing import Any, Literal

import msgspec

from citynerve.errors import ConfigError
from citynerve.influx.http import Session, check

Epoch = Literal["ns", "ms", "s"]
_BAD_REQUEST = 400


class Series(msgspec.Struct, frozen=True):
    """One series of a result. Whole floats may come as int: JSON does not tell them apart."""

    name: str = ""
    tags: dict[str, str] = {}
    columns: list[str] = []
    values: list[list[Any]] = []


class _Result(msgspec.Struct):
    series: list[Series] = []
    error: str | None = None


class _Answer(msgspec.Struct):
    results: list[_Result] = []


def identifier(name: str) -> str:
    """A name, quoted for InfluxQL."""
    escaped = name.replace("\\", "\\\\").replace('"', '\\"')
    return f'"{escaped}"'


def text(value: str) -> str:
    """A string literal, quoted for InfluxQL."""
    escaped = value.replace("\\", "\\\\").replace("'", "\\'")
    return f"'{escaped}'"


def run(
    session: Session, influxql: str, *, database: str = "", epoch: Epoch = "ns"
) -> list[Series]:
    """Run one or more statements; times come as integers in ``epoch`` since 1970 UTC.

    Raises:
        ConfigError: The statement or its database is wrong, or the user may not run it.
        UnavailableError: The server does not answer, or is in trouble.
    """
    form = {"q": influxql, "epoch": epoch} | ({"db": database} if database else {})
    answer = session.send("POST", "/query", form=form)
    if answer.status == _BAD_REQUEST:
        raise _refused(answer.message(), database, influxql)
    check(session.base, answer)
    results = msgspec.json.decode(answer.body, type=_Answer).results
    for result in results:
        if result.error:
            raise _refused(result.error, database, influxql)
    return [series for result in results for series in result.series]


def _refused(problem: str, database: str, influxql: str) -> ConfigError:
    return ConfigError(
        f"InfluxDB refuses the query: {problem}", key=database or None, value=influxql
    )

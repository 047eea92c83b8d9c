"""The same face on every generation of InfluxDB, against real servers."""

import time
from collections.abc import Iterator
from hashlib import blake2b

import msgspec
import pytest

from citynerve.errors import ConfigError, UnavailableError
from citynerve.influx import Influx, InfluxConfig, WriteRejected, connect
from tests.servers import InfluxDb1, InfluxDb2, influx_server

pytestmark = pytest.mark.integration

DAY_NS = 86_400 * 10**9
T0 = 1_400_000_000 * 10**9  # 2014: older than any retention but an endless one


@pytest.fixture
def names(request: pytest.FixtureRequest) -> tuple[str, str]:
    """A raw and a main database of this test alone."""
    own = blake2b(request.node.name.encode(), digest_size=6).hexdigest()
    return f"raw_{own}", f"main_{own}"


@pytest.fixture
def config(any_influxdb: InfluxDb1 | InfluxDb2, names: tuple[str, str]) -> InfluxConfig:
    return msgspec.structs.replace(any_influxdb.config, raw=names[0], main=names[1])


def values(influx: Influx, database: str, statement: str) -> list[list[object]]:
    return [row for series in influx.query(database, statement) for row in series.values]


def test_what_is_written_is_read_back_with_its_nanoseconds(config: InfluxConfig) -> None:
    with connect(config) as influx:
        influx.ensure(0)
        lines = [f"m,node=a\\ b,city=Århus value={i}.5 {T0 + i}" for i in range(3)]
        influx.write(config.main, lines)
        found = influx.query(config.main, "SELECT value FROM m GROUP BY node, city")
    assert [series.tags for series in found] == [{"node": "a b", "city": "Århus"}]
    assert found[0].values == [[T0, 0.5], [T0 + 1, 1.5], [T0 + 2, 2.5]]


def test_a_repeated_write_overwrites_itself(config: InfluxConfig) -> None:
    with connect(config) as influx:
        influx.ensure(0)
        for _ in range(2):
            influx.write(config.raw, [f"m value=1 {T0}", f"m value=2 {T0 + 1}"])
        assert values(influx, config.raw, "SELECT count(value) FROM m")[0][1] == 2


def test_ensure_changes_the_retention_of_what_exists_and_keeps_its_points(
    config: InfluxConfig,
) -> None:
    with connect(config) as influx:
        influx.ensure(30)
        with pytest.raises(WriteRejected, match="retention"):
            influx.write(config.raw, [f"m value=1 {T0}"])
        influx.ensure(0)
        influx.write(config.raw, [f"m value=1 {T0}"])
        influx.ensure(0)
        assert values(influx, config.raw, "SELECT value FROM m") == [[T0, 1]]
        for days in (1, 400, 30):
            influx.ensure(days)


def test_the_main_database_never_forgets(config: InfluxConfig) -> None:
    with connect(config) as influx:
        influx.ensure(1)
        influx.write(config.main, [f"m value=1 {T0}"])
        assert values(influx, config.main, "SELECT value FROM m") == [[T0, 1]]


def test_the_lines_that_cannot_be_parsed_are_named(config: InfluxConfig) -> None:
    good = [f"m,n={i} value={i} {T0}" for i in range(3)]
    bad = ["m,n=x value= 1", 'm,n=y value="open 2']
    lines = [good[0], bad[0], good[1], bad[1], good[2]]
    with connect(config) as influx:
        influx.ensure(0)
        with pytest.raises(WriteRejected) as caught:
            influx.write(config.main, lines)
        assert caught.value.refused == (1, 3)
        assert caught.value.database == config.main
        influx.write(config.main, good)
        assert values(influx, config.main, "SELECT count(value) FROM m")[0][1] == 3


def test_a_conflict_of_types_is_refused_without_naming_lines(config: InfluxConfig) -> None:
    with connect(config) as influx:
        influx.ensure(0)
        influx.write(config.main, [f"m value=1.5 {T0}"])
        with pytest.raises(WriteRejected, match="conflict") as caught:
            influx.write(config.main, [f"m value=2.5 {T0 + 1}", f'm value="text" {T0 + 2}'])
        assert caught.value.refused == ()


def test_what_is_before_the_retention_is_told_apart(config: InfluxConfig) -> None:
    now = time.time_ns()
    old = [f"m,n={i} value={i} {T0 + i}" for i in range(50)]
    fresh = [f"m,n={i} value={i} {now - i}" for i in range(50)]
    lines = [line for pair in zip(old, fresh, strict=True) for line in pair]
    with connect(config) as influx:
        influx.ensure(30)
        with pytest.raises(WriteRejected) as caught:
            influx.write(config.raw, lines)
        assert caught.value.too_old
        assert caught.value.refused == tuple(range(0, 100, 2))
        assert values(influx, config.raw, "SELECT count(value) FROM m")[0][1] == 50


def test_a_missing_database_is_no_fault_of_the_lines(config: InfluxConfig) -> None:
    with connect(config) as influx, pytest.raises(UnavailableError, match="not found"):
        influx.write("nowhere", [f"m value=1 {T0}"])


def test_a_wrong_query_is_explained(config: InfluxConfig) -> None:
    with connect(config) as influx:
        influx.ensure(0)
        with pytest.raises(ConfigError, match="SELEKT"):
            influx.query(config.main, "SELEKT value FROM m")


def test_the_interface_is_found_by_asking(any_influxdb: InfluxDb1 | InfluxDb2) -> None:
    with connect(any_influxdb.config) as influx:
        major_minor = ".".join(influx.server.version.lstrip("v").split(".")[:2])
        expected = {"1.6": "1", "1.8": "1.8"}.get(major_minor, "2")
        assert influx.server.api == expected


@pytest.mark.parametrize("generation", ["1.6", "1.8"])
def test_credentials_of_1_x(generation: str, tmp_path_factory: pytest.TempPathFactory) -> None:
    plain = influx_server(generation, tmp_path_factory.mktemp("influxdb"))
    assert isinstance(plain, InfluxDb1)
    server = InfluxDb1(
        tmp_path_factory.mktemp("auth"), program=plain.program, user=("writer", "se:cret")
    )
    server.start()
    try:
        url = server.config.url
        for config in (server.config, InfluxConfig(url=url, token="writer:se:cret")):
            with connect(config) as influx:
                influx.ensure(0)
                influx.write("citynerve", [f"m value=1 {T0}"])
        for wrong in (
            InfluxConfig(url=url, username="writer", password="guess"),
            InfluxConfig(url=url),
        ):
            with pytest.raises(ConfigError, match="refuses the credentials") as caught:
                connect(wrong)
            assert "guess" not in str(caught.value)
    finally:
        server.stop()


@pytest.fixture(scope="module")
def influxdb2(tmp_path_factory: pytest.TempPathFactory) -> Iterator[InfluxDb2]:
    server = influx_server("2", tmp_path_factory.mktemp("influxdb"))
    assert isinstance(server, InfluxDb2)
    server.start()
    yield server
    server.stop()


def test_2_x_needs_a_token(influxdb2: InfluxDb2) -> None:
    with pytest.raises(ConfigError, match="needs a token") as caught:
        connect(InfluxConfig(url=influxdb2.config.url))
    assert caught.value.key == "influx.token"


def test_a_wrong_token_is_not_shown(influxdb2: InfluxDb2) -> None:
    with pytest.raises(ConfigError, match="refuses the credentials") as caught:
        connect(InfluxConfig(url=influxdb2.config.url, token="guess"))
    assert "guess" not in str(caught.value)


def test_the_only_organisation_need_not_be_named(influxdb2: InfluxDb2) -> None:
    with connect(InfluxConfig(url=influxdb2.config.url, token=influxdb2.TOKEN)) as influx:
        influx.ensure(0)


def test_an_unknown_organisation_lists_the_known(influxdb2: InfluxDb2) -> None:
    wrong = msgspec.structs.replace(influxdb2.config, org="elsewhere")
    with pytest.raises(ConfigError, match="no such organisation") as caught:
        connect(wrong)
    assert influxdb2.ORG in (caught.value.fix or "")


def test_nobody_there(dead_port: int) -> None:
    url = f"http://127.0.0.1:{dead_port}"
    with pytest.raises(UnavailableError, match="refused") as caught:
        connect(InfluxConfig(url=url))
    assert url in str(caught.value)


def test_a_server_that_goes_is_unavailable_and_then_back(influx_process: InfluxDb1) -> None:
    with connect(influx_process.config) as influx:
        influx.ensure(0)
        influx_process.kill()
        with pytest.raises(UnavailableError):
            influx.write("citynerve", [f"m value=1 {T0}"])
        influx_process.start()
        influx.write("citynerve", [f"m value=1 {T0}"])
        assert values(influx, "citynerve", "SELECT value FROM m") == [[T0, 1]]

"""The sample city in a database."""

import time
from collections.abc import Iterator

import msgspec
import pytest

from citynerve.influx import connect
from tests.integration.dashboards import sample_city as city
from tests.integration.dashboards.stored_city import BLOCK, TEN_MINUTES, Store
from tests.servers import InfluxDb1, InfluxDb2


@pytest.fixture(scope="module")
def store(request: pytest.FixtureRequest, any_influxdb: InfluxDb1 | InfluxDb2) -> Iterator[Store]:
    """The sample city on each installed InfluxDB, in databases of this module alone."""
    name = request.module.__name__.rpartition(".")[2]
    config = msgspec.structs.replace(any_influxdb.config, raw=f"{name}_raw", main=name)
    now = time.time_ns() // 1_000_000
    # What is said of the present is asked about the past minutes of the server's clock.
    start = now - now % TEN_MINUTES - city.SPAN_MS + TEN_MINUTES
    with connect(config) as influx:
        influx.ensure(0)
        for database, lines in (
            (config.raw, city.raw_lines(start)),
            (config.main, city.main_lines(start, now)),
        ):
            every = list(lines)
            for first in range(0, len(every), BLOCK):
                influx.write(database, every[first : first + BLOCK])
        yield Store(influx, start, now)

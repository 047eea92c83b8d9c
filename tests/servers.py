"""Real servers for tests, each in a folder of its own on free loopback ports.

The launchers are the demo's: see :mod:`citynerve.demo.servers`. Other generations of InfluxDB than
the packaged one are found by CITYNERVE_INFLUXD_18 and CITYNERVE_INFLUXD_2, the paths of their
``influxd``.
"""

import os
from pathlib import Path

import pytest

from citynerve.demo.servers import InfluxDb1, InfluxDb2, Mosquitto

INFLUXD = {"1.6": None, "1.8": "CITYNERVE_INFLUXD_18", "2": "CITYNERVE_INFLUXD_2"}


def influx_server(generation: str, folder: Path) -> InfluxDb1 | InfluxDb2:
    """A server of one generation, not started; skips the test where it is not installed."""
    variable = INFLUXD[generation]
    program = os.environ.get(variable) if variable else None
    if variable and not program:
        pytest.skip(f"set {variable} to the influxd of InfluxDB {generation}")
    if generation == "2":
        return InfluxDb2(folder, program=program)
    return InfluxDb1(folder, program=program)


__all__ = ["INFLUXD", "InfluxDb1", "InfluxDb2", "Mosquitto", "influx_server"]

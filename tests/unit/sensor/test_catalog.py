import sys
from collections.abc import Mapping
from pathlib import Path

import pytest
from msgspec import convert

from citynerve.errors import ConfigError
from edge.sensor import catalog
from edge.sensor.machine import Machine
from edge.sensor.replay import Replay
from simulators.city.driver import SimulatedNode


def made(table: Mapping[str, object], base: Path) -> object:
    return catalog.make(convert(table, catalog.SensorConfig), base)


def test_each_driver_is_made_from_its_table(tmp_path: Path) -> None:
    (tmp_path / "a.csv").write_text("timestamp,value\n2014-01-01,1\n", encoding="utf-8")
    assert isinstance(made({"driver": "machine"}, tmp_path), Machine)
    assert isinstance(made({"driver": "replay", "paths": ["a.csv"]}, tmp_path), Replay)
    options = {"node": "road-01", "nodes": 1, "start_ms": 0}
    plugin = {
        "driver": "plugin",
        "object": "simulators.city.driver:SimulatedNode",
        "options": options,
    }
    assert isinstance(made(plugin, tmp_path), SimulatedNode)


@pytest.mark.parametrize(
    ("name", "told"),
    [
        ("no_such_module:thing", "cannot be imported"),
        ("simulators.city.driver:nothing", "has no 'nothing'"),
        ("simulators.city.properties:PROPERTIES", "cannot be called"),
        ("json:dumps", "does not take name, options and base"),
    ],
)
def test_a_plugin_that_is_not_there_is_a_config_error(tmp_path: Path, name: str, told: str) -> None:
    with pytest.raises(ConfigError, match=told) as caught:
        made({"driver": "plugin", "object": name}, tmp_path)
    assert (caught.value.key, caught.value.value) == ("sensor.object", name)


def test_a_plugin_s_own_mistake_in_importing_is_told(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    (tmp_path / "half_done.py").write_text("import not_installed_anywhere\n", encoding="utf-8")
    monkeypatch.syspath_prepend(str(tmp_path))
    with pytest.raises(ConfigError, match="not_installed_anywhere"):
        made({"driver": "plugin", "object": "half_done:Driver"}, tmp_path)
    assert "half_done" not in sys.modules

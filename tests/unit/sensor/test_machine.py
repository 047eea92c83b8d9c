import time
from pathlib import Path
from typing import NamedTuple

import psutil
import pytest

from citynerve.errors import ConfigError
from edge.sensor.driver import Reading
from edge.sensor.machine import Machine, MachineConfig


class Counts(NamedTuple):
    bytes_sent: int
    bytes_recv: int


def sample(machine: Machine, now: int) -> dict[str, float]:
    items = machine.poll(now, 100)
    assert all(isinstance(item, Reading) and item.t == now for item in items)
    return {item.property: item.value for item in items if isinstance(item, Reading)}


def test_a_sample_agrees_with_the_kernel() -> None:
    machine = Machine(MachineConfig())
    machine.open(0)
    now = time.time_ns() // 1_000_000
    first, second = sample(machine, now), sample(machine, now + 10_000)
    meminfo = dict(line.split(":") for line in Path("/proc/meminfo").read_text().splitlines())
    total, available = (int(meminfo[key].split()[0]) for key in ("MemTotal", "MemAvailable"))
    assert second["memory"] == pytest.approx(100 * (1 - available / total), abs=3)
    assert second["load"] == pytest.approx(
        float(Path("/proc/loadavg").read_text().split()[0]), abs=1
    )
    assert 0 < second["disk"] < 100
    assert "network_in" not in first
    assert second["network_in"] >= 0
    declared = {about.name for about in machine.sensors()[0].properties}
    assert set(second) == declared


def test_samples_come_once_an_interval_at_round_times() -> None:
    machine = Machine(MachineConfig(interval_ms=1000))
    machine.open(0)
    polled = [bool(machine.poll(now, 10)) for now in (5_300, 5_900, 6_000, 6_999, 7_000, 9_500)]
    assert polled == [True, False, True, False, True, True]


def test_a_clock_that_is_set_back_does_not_silence_it() -> None:
    machine = Machine(MachineConfig(interval_ms=1000))
    machine.open(0)
    assert machine.poll(10_000_000, 10)
    assert machine.poll(5_000, 10)


def test_network_rates_are_bytes_a_second(monkeypatch: pytest.MonkeyPatch) -> None:
    machine = Machine(MachineConfig(interval_ms=1000))
    counts = {"lo": (9_999, 9_999), "eth0": (500, 1_000), "wlan0": (20, 10)}

    def counters(*, pernic: bool) -> dict[str, Counts]:
        assert pernic
        return {card: Counts(*pair) for card, pair in counts.items()}

    monkeypatch.setattr(psutil, "net_io_counters", counters)
    sample(machine, 10_000)
    counts |= {"lo": (99_999, 99_999), "eth0": (2_500, 5_000)}
    second = sample(machine, 12_000)
    assert (second["network_in"], second["network_out"]) == (2_000.0, 1_000.0)
    del counts["eth0"]
    third = sample(machine, 14_000)
    assert (third["network_in"], third["network_out"]) == (0.0, 0.0)


def test_a_disk_that_is_not_there_is_a_config_error() -> None:
    with pytest.raises(ConfigError) as caught:
        Machine(MachineConfig(disk="/no/such/folder"))
    assert (caught.value.key, caught.value.value) == ("sensor.disk", "/no/such/folder")

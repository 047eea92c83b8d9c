"""The machine's own sensors: temperature, load, memory, disk and network, through psutil."""

from collections.abc import Sequence
from typing import Annotated, Final

import psutil
from msgspec import Meta

from citynerve.config import Config
from citynerve.errors import ConfigError
from citynerve.messages import CameraAbout, PropertyAbout, SensorAbout
from edge.sensor.driver import Item, Reading

_CPU_CHIPS: Final = ("cpu_thermal", "coretemp", "k10temp", "zenpower", "soc_thermal", "acpitz")
_UNITS: Final = {
    "load": "1",
    "memory": "%",
    "disk": "%",
    "network_in": "By/s",
    "network_out": "By/s",
}


class MachineConfig(Config, tag_field="driver", tag="machine"):
    """A ``[[sensor]]`` table with ``driver = "machine"``."""

    name: Annotated[str, Meta(pattern=r"^[a-z0-9][a-z0-9_-]{0,62}$")] = "machine"
    interval_ms: Annotated[int, Meta(ge=100, le=3_600_000)] = 10_000
    disk: str = "/"


class Machine:
    """A live driver that samples the machine every ``interval_ms``.

    ``load`` is the mean number of runnable processes over a minute, ``memory`` and ``disk`` the
    share in use, ``network_in`` and ``network_out`` the mean rate since the sample before, over all
    interfaces but the loopback. ``cpu_temperature`` is there where the machine tells it.

    Raises:
        ConfigError: ``disk`` is no path of a mounted file system.
    """

    resumable = False
    finished = False

    def __init__(self, config: MachineConfig) -> None:
        self.name = config.name
        self._config = config
        self._chip = _cpu_chip()
        self._due = 0
        self._traffic: tuple[int, int, int] | None = None
        self._problem: str | None = None
        try:
            psutil.disk_usage(config.disk)
        except OSError as error:
            raise ConfigError(
                f"cannot be measured: {error.strerror}",
                key="sensor.disk",
                value=config.disk,
                fix="name a folder of the file system to watch",
            ) from error

    def sensors(self) -> Sequence[SensorAbout]:
        """One sensor with all properties of this machine."""
        units = dict(_UNITS)
        if self._chip is not None:
            units["cpu_temperature"] = "Cel"
        properties = tuple(PropertyAbout(name=name, unit=unit) for name, unit in units.items())
        return [SensorAbout(name=self.name, properties=properties)]

    def cameras(self) -> Sequence[CameraAbout]:
        """None."""
        return []

    def identity(self) -> str:
        """Empty: it is live."""
        return ""

    def open(self, origin: int) -> None:
        """Nothing to open: the first poll gives the first sample."""
        del origin

    def poll(self, now: int, limit: int) -> Sequence[Item]:
        """One sample of all properties when the interval has passed."""
        del limit
        interval = self._config.interval_ms
        # A due time further off than one interval means that the clock was set back.
        if self._due - interval <= now < self._due:
            return []
        self._due = now - now % interval + interval
        values = self._sample(now)
        return [Reading(self.name, name, now, value) for name, value in values.items()]

    def problems(self) -> Sequence[str]:
        """A property that could not be read at the last sample."""
        return [self._problem] if self._problem else []

    def close(self) -> None:
        """Nothing to release."""

    def _sample(self, now: int) -> dict[str, float]:
        self._problem = None
        values = {
            "load": psutil.getloadavg()[0],
            "memory": psutil.virtual_memory().percent,
            **self._network(now),
        }
        try:
            values["disk"] = psutil.disk_usage(self._config.disk).percent
        except OSError as error:
            self._problem = f"{self.name}: disk {self._config.disk}: {error.strerror}"
        temperature = self._temperature()
        if temperature is not None:
            values["cpu_temperature"] = temperature
        return values

    def _network(self, now: int) -> dict[str, float]:
        cards = psutil.net_io_counters(pernic=True)
        outside = [counts for card, counts in cards.items() if card != "lo"]
        received = sum(counts.bytes_recv for counts in outside)
        sent = sum(counts.bytes_sent for counts in outside)
        before, self._traffic = self._traffic, (now, received, sent)
        if before is None or now <= before[0]:
            return {}
        seconds = (now - before[0]) / 1000
        # A card that was taken away takes its counts along: no traffic rather than a negative one.
        return {
            "network_in": max(0, received - before[1]) / seconds,
            "network_out": max(0, sent - before[2]) / seconds,
        }

    def _temperature(self) -> float | None:
        if self._chip is None:
            return None
        readings = _temperatures().get(self._chip)
        if not readings:
            self._problem = f"{self.name}: the temperature of {self._chip} has gone"
            return None
        return max(readings)


def _temperatures() -> dict[str, list[float]]:
    # psutil has this function on Linux and FreeBSD only.
    read = getattr(psutil, "sensors_temperatures", None)
    if read is None:
        return {}
    return {chip: [entry.current for entry in entries] for chip, entries in read().items()}


def _cpu_chip() -> str | None:
    chips = _temperatures()
    return next((chip for chip in _CPU_CHIPS if chips.get(chip)), None)

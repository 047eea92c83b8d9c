"""Scenarios: TOML packs that bring a city's domains in, one table per observed property.

A pack is one file::

    title = "Road traffic"

    [property.speed]
    unit = "km/h"
    range = [0, 300]
    windows = ["1m", "10m"]
    detector = { kind = "light", least = 20, flatline = "12h" }

A key may end in ``*`` (``"count_*"``): it stands for every property that begins so and that no
exact key, and no longer pattern, names. The packs that ship lie beside this module; a folder of the
user's adds to them, and a file of the same name there replaces the shipped one. ``default.toml``
holds the one table ``[default]``, for properties that no pack knows.
"""

import math
import re
from collections.abc import Mapping
from pathlib import Path
from typing import Annotated, Final, Literal

from msgspec import Meta, field, structs

from citynerve.config import Config, load
from citynerve.errors import ConfigError
from citynerve.topics import is_name

SHIPPED: Final = Path(__file__).parent / "scenarios"

WINDOWS: Final[Mapping[str, int]] = {"10s": 10_000, "1m": 60_000, "10m": 600_000}
"""Name of each window, as its tag is written -> its length in ms."""

Window = Literal["10s", "1m", "10m"]
OFF: Final = "off"

_DEFAULT_FILE: Final = "default"
_UNITS: Final = {"ms": 1, "s": 1_000, "m": 60_000, "h": 3_600_000, "d": 86_400_000}
_SPAN: Final = re.compile(r"^([0-9]{1,9})(ms|s|m|h|d)$")
_PATTERN_KEY: Final = re.compile(r"^[a-z0-9][a-z0-9_-]*\*$")


def milliseconds(span: str) -> int:
    """A span such as ``90s`` or ``6h`` in ms; ``off`` is 0.

    >>> milliseconds("90s"), milliseconds("off")
    (90000, 0)
    """
    parts = _SPAN.match(span)
    return int(parts[1]) * _UNITS[parts[2]] if parts else 0


class NoDetector(Config, tag="none", tag_field="kind"):
    """Nothing is learned; only the range is watched."""


class LightDetector(Config, tag="light", tag_field="kind"):
    """Settings of ``stream.anomaly.light``.

    ``threshold``: how many usual deviations make a spike. ``least``: deviations smaller than this
    (in the property's unit) are never one. ``warm_up``: readings before it says anything of what it
    must learn first. ``flatline``, ``gap``: the shortest that counts, however lively or frequent
    the datastream usually is; ``"off"``: not watched. ``still_at_zero``: standing at zero is usual.
    """

    spike: bool = True
    threshold: Annotated[float, Meta(ge=1)] = 8.0
    least: Annotated[float, Meta(ge=0)] = 0.0
    warm_up: Annotated[int, Meta(ge=10)] = 30
    flatline: str = OFF
    still_at_zero: bool = False
    gap: str = OFF


class FullDetector(Config, tag="full", tag_field="kind"):
    """Settings of ``stream.anomaly.full``, and of gaps and flatlines beside it.

    ``threshold``: powers of ten by which something must be rarer than once in all the readings
    remembered. The others: see :class:`LightDetector`.
    """

    threshold: Annotated[float, Meta(ge=-2, le=20)] = 2.0
    least: Annotated[float, Meta(ge=0)] = 0.0
    warm_up: Annotated[int, Meta(ge=60)] = 300
    flatline: str = OFF
    still_at_zero: bool = False
    gap: str = OFF


class Property(Config):
    """What is known of one observed property before any observation of it.

    ``unit`` is its UCUM code (None: any). Outside ``range`` a value is physically impossible.
    ``raw``: observations are stored one by one. ``severity``: how grave its anomalies are, 0 to 1.
    """

    unit: Annotated[str, Meta(min_length=1)] | None = None
    range: tuple[float, float] | None = None
    windows: tuple[Window, ...] = ("1m", "10m")
    detector: LightDetector | FullDetector | NoDetector = field(default_factory=LightDetector)
    raw: bool = True
    severity: Annotated[float, Meta(ge=0, le=1)] = 0.5


class _Pack(Config):
    title: Annotated[str, Meta(min_length=1)]
    property: dict[str, Property] = field(default_factory=dict)
    default: Property | None = None


class Scenarios:
    """All packs, compiled for look-up. Build it with :func:`load_scenarios`."""

    def __init__(self, properties: Mapping[str, Property], default: Property) -> None:
        self.default = default
        self._exact = {key: value for key, value in properties.items() if not key.endswith("*")}
        patterns = [(key[:-1], value) for key, value in properties.items() if key.endswith("*")]
        self._patterns = sorted(patterns, key=lambda item: -len(item[0]))

    def find(self, name: str) -> Property:
        """The property's own table, else the longest pattern that fits, else the default."""
        exact = self._exact.get(name)
        if exact is not None:
            return exact
        for prefix, rules in self._patterns:
            if name.startswith(prefix):
                return rules
        return self.default


def load_scenarios(extra: Path | None = None) -> Scenarios:
    """Read the shipped packs and those of the folder ``extra``.

    Raises:
        ConfigError: The folder or a pack cannot be used, or two packs define one property.
    """
    files = {path.stem: path for path in sorted(SHIPPED.glob("*.toml"))}
    if extra is not None:
        if not extra.is_dir():
            raise ConfigError(
                "no such folder",
                key="scenarios.path",
                value=str(extra),
                fix="create it, or name the folder that holds your scenario packs",
            )
        files |= {path.stem: path for path in sorted(extra.glob("*.toml"))}
    properties: dict[str, Property] = {}
    origin: dict[str, Path] = {}
    default = Property()
    for stem, path in files.items():
        pack = load(path, _Pack)
        if pack.default is not None:
            if stem != _DEFAULT_FILE:
                raise ConfigError(
                    "stands only in default.toml",
                    file=str(path),
                    key="default",
                    fix="move it to a file default.toml, or name a property: [property.NAME]",
                )
            default = _checked(pack.default, path, "default")
        for key, rules in pack.property.items():
            _check_key(key, path)
            if key in origin:
                raise ConfigError(
                    f"defined twice, first in {origin[key]}",
                    file=str(path),
                    key=f"property.{key}",
                    fix="keep one of them; to replace a shipped pack, give your file its name",
                )
            origin[key] = path
            properties[key] = _checked(rules, path, f"property.{key}")
    return Scenarios(properties, default)


def _check_key(key: str, path: Path) -> None:
    if not is_name(key) and _PATTERN_KEY.match(key) is None:
        raise ConfigError(
            "no name of a property",
            file=str(path),
            key=f"property.{key}",
            value=key,
            fix='write a-z, 0-9, _ or -, at most 63 characters; a pattern ends in one *: "count_*"',
        )


def _checked(rules: Property, path: Path, key: str) -> Property:
    """The rules with their windows in order, if what a type cannot say of them holds too."""
    _check_range(rules, path, key)
    _check_spans(rules, path, key)
    if not rules.windows or len(set(rules.windows)) != len(rules.windows):
        raise ConfigError(
            "expected one window or more, each once",
            file=str(path),
            key=f"{key}.windows",
            value=list(rules.windows),
            fix=f"choose from {', '.join(WINDOWS)}",
        )
    return structs.replace(rules, windows=tuple(sorted(rules.windows, key=WINDOWS.__getitem__)))


def _check_range(rules: Property, path: Path, key: str) -> None:
    if rules.range is None:
        return
    low, high = rules.range
    if not (math.isfinite(low) and math.isfinite(high) and low < high):
        raise ConfigError(
            "expected two finite numbers, the lower first",
            file=str(path),
            key=f"{key}.range",
            value=[low, high],
            fix="write range = [LOW, HIGH]",
        )


def _check_spans(rules: Property, path: Path, key: str) -> None:
    if isinstance(rules.detector, NoDetector):
        return
    for name in ("flatline", "gap"):
        span = getattr(rules.detector, name)
        if span != OFF and _SPAN.match(span) is None:
            raise ConfigError(
                "no span of time",
                file=str(path),
                key=f"{key}.detector.{name}",
                value=span,
                fix="write one such as 90s, 30m, 6h or 2d, or off",
            )

"""docs/configuration.md names every key, with its type and default, as the structs have them."""

import re
import types
import typing
from datetime import datetime
from pathlib import Path
from typing import Annotated, Any, Literal

import msgspec
import pytest

from citynerve import influx, mqtt
from citynerve.influx import InfluxConfig
from citynerve.mqtt import MqttConfig
from edge import config as edge
from edge.camera.config import CameraConfig, LineConfig, ZoneConfig
from edge.sensor import mapping
from edge.sensor.machine import MachineConfig
from edge.sensor.plugin import PluginConfig
from edge.sensor.replay import ReplayConfig
from models import manifest
from simulators.scene.live import LiveOptions
from stream import config as stream
from stream import scenario

PAGE = Path(__file__).parents[3] / "docs" / "configuration.md"

SECTIONS: dict[str, type[msgspec.Struct]] = {
    "`[mqtt]`": MqttConfig,
    "`[node]`": edge.NodeTable,
    "`node.position`": edge.PositionTable,
    "`[spool]`": edge.SpoolTable,
    "`[send]`": edge.SendTable,
    "`[log]`": edge.LogTable,
    '`[[sensor]]` with `driver = "machine"`': MachineConfig,
    '`[[sensor]]` with `driver = "replay"`': ReplayConfig,
    '`[[sensor]]` with `driver = "plugin"`': PluginConfig,
    "`[[camera]]`": CameraConfig,
    "`options` of `plugin:simulators.scene.live:LiveScene`": LiveOptions,
    "`[[camera.lines]]`": LineConfig,
    "`[[camera.zones]]`": ZoneConfig,
    "A mapping file": mapping.Mapping,
    "`[time]` of a mapping": mapping.TimeColumn,
    "`[sensor]` of a mapping": mapping.SensorName,
    "`[position]` of a mapping": mapping.PositionTable,
    "`[properties.NAME]` of a mapping": mapping.PropertyColumn,
    "A manifest": manifest.Manifest,
    "`[input]` of a manifest": manifest.Input,
    "`[thresholds]` of a manifest": manifest.Thresholds,
    "`[influx]`": InfluxConfig,
    "`[store]`": stream.StoreConfig,
    "`[flow]`": stream.FlowConfig,
    "`[storage]`": stream.StorageConfig,
    "`[scenarios]`": stream.ScenariosConfig,
    "`[property.NAME]` of a scenario pack": scenario.Property,
    '`detector` with `kind = "light"`': scenario.LightDetector,
}


def rows(heading: str) -> dict[str, tuple[str, str]]:
    """Key -> type and default, of the table under a heading."""
    text = PAGE.read_text(encoding="utf-8")
    found = re.search(rf"^#+ {re.escape(heading)}$(.*?)(?=^#|\Z)", text, re.MULTILINE | re.DOTALL)
    assert found is not None, f"no section {heading!r} in {PAGE.name}"
    cells = [
        [cell.strip() for cell in re.split(r"(?<!\\)\|", line)[1:-1]]
        for line in found[1].splitlines()
        if line.startswith("| `")
    ]
    assert all(len(row) == 4 and row[3] for row in cells), f"{heading}: four full columns"
    return {row[0].strip("`"): (row[1], row[2]) for row in cells}


def kind(annotation: Any) -> str:  # noqa: ANN401, PLR0911 - one return a kind of annotation
    """A type as the page writes it."""
    origin, parts = typing.get_origin(annotation), typing.get_args(annotation)
    if origin is Annotated:
        limits = [part for part in parts[1:] if isinstance(part, msgspec.Meta)]
        return kind(parts[0]) + "".join(bounds(limit) for limit in limits)
    if origin is Literal:
        return " or ".join(f"`{value}`" if value is not True else "`true`" for value in parts)
    if origin in {typing.Union, types.UnionType}:
        chosen = [part for part in parts if part is not type(None)]
        if all(isinstance(part, type) and issubclass(part, msgspec.Struct) for part in chosen):
            return "table"
        return " or ".join(kind(part) for part in chosen)
    if origin in {list, tuple}:
        if origin is tuple and parts[-1] is not Ellipsis:
            return f"{len(parts)} numbers"
        return f"list of {kind(parts[0])}"
    if origin is dict or (isinstance(annotation, type) and issubclass(annotation, msgspec.Struct)):
        return "table"
    return {
        str: "text",
        int: "integer",
        float: "number",
        bool: "`true` or `false`",
        datetime: "date and time",
    }[annotation]


def bounds(meta: msgspec.Meta) -> str:
    match meta:
        case msgspec.Meta(ge=None, gt=None):
            return ""
        case msgspec.Meta(gt=None, le=None):
            return f", at least {meta.ge:g}"
        case msgspec.Meta(gt=None):
            return f", {meta.ge:.10g} to {meta.le:.10g}"
        case msgspec.Meta(le=None, lt=None):
            return f", above {meta.gt:g}"
        case msgspec.Meta(le=None):
            return f", between {meta.gt:g} and {meta.lt:g}"
    return f", above {meta.gt:g}, to {meta.le:g}"


def default(info: msgspec.structs.FieldInfo) -> str:
    """A default as the page writes it."""
    if info.required:
        return "required"
    value = info.default
    if value is msgspec.NODEFAULT:
        made = info.default_factory
        assert callable(made)
        value = made()
        if isinstance(value, msgspec.Struct):
            tag = value.__struct_config__.tag
            return f"`{tag}`" if isinstance(tag, str) else "see below"
    if value is None:
        return "none"
    if value in ([], {}, (), ""):
        return "empty"
    if isinstance(value, tuple):
        value = list(value)
    return f"`{msgspec.json.encode(value).decode()}`"


@pytest.mark.parametrize("heading", SECTIONS)
def test_every_key_is_there_with_its_type_and_default(heading: str) -> None:
    expected = {
        info.encode_name: (kind(info.type), default(info))
        for info in msgspec.structs.fields(SECTIONS[heading])
    }
    assert rows(heading) == expected


def test_every_environment_variable_is_there() -> None:
    text = PAGE.read_text(encoding="utf-8")
    known = {**mqtt.ENV, **influx.ENV, **edge.ENV}
    missing = [name for name, key in known.items() if f"| `{name}` | `{key}` |" not in text]
    assert missing == []

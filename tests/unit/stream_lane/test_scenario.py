"""Scenario packs: what ships, how keys are found, and how mistakes are explained."""

from pathlib import Path

import pytest

from citynerve.errors import ConfigError
from stream.scenario import (
    SHIPPED,
    LightDetector,
    NoDetector,
    Scenarios,
    load_scenarios,
    milliseconds,
)


def load(folder: Path, text: str, name: str = "mine.toml") -> Scenarios:
    (folder / name).write_text(text, encoding="utf-8")
    return load_scenarios(folder)


@pytest.mark.parametrize(
    ("name", "unit"),
    [
        ("speed", "km/h"),
        ("vehicles", "1"),
        ("travel_time", "s"),
        ("occupied", "1"),
        ("spaces", "1"),
        ("temperature", "Cel"),
        ("humidity", "%"),
        ("wind_speed", "km/h"),
        ("cpu_temperature", "Cel"),
        ("load", "1"),
        ("memory", "%"),
        ("disk", "%"),
        ("network_in", "By/s"),
        ("network_out", "By/s"),
        ("pm25", "ug/m3"),
        ("pm10", "ug/m3"),
        ("no2", "ug/m3"),
        ("noise", "dB"),
        ("water_level", "m"),
        ("count_person", "1"),
        ("zone_square_car", "1"),
    ],
)
def test_the_packs_that_ship_know_the_usual_properties(name: str, unit: str) -> None:
    rules = load_scenarios().find(name)
    assert rules.unit == unit
    assert rules.range is not None
    assert "10m" in rules.windows


def test_every_pack_that_ships_has_ten_minutes_and_says_what_it_is() -> None:
    assert {path.stem for path in SHIPPED.glob("*.toml")} >= {
        "air",
        "camera",
        "default",
        "node",
        "noise",
        "parking",
        "traffic",
        "water",
        "weather",
    }


def test_an_unknown_property_gets_the_default() -> None:
    rules = load_scenarios().find("loudness-of-frogs")
    assert rules.unit is None
    assert rules.range is None
    assert rules.windows == ("1m", "10m")
    assert isinstance(rules.detector, LightDetector)
    assert rules.raw


def test_the_exact_key_wins_and_then_the_longest_pattern(tmp_path: Path) -> None:
    scenarios = load(
        tmp_path,
        """
        title = "Mine"
        [property."x_*"]
        unit = "short"
        [property."x_y_*"]
        unit = "long"
        [property.x_y_z]
        unit = "exact"
        windows = ["10m", "10s"]
        detector = { kind = "none" }
        """,
    )
    found = [scenarios.find(name).unit for name in ("x_1", "x_y_1", "x_y_z", "x")]
    assert found == ["short", "long", "exact", None]
    exact = scenarios.find("x_y_z")
    assert exact.windows == ("10s", "10m")
    assert isinstance(exact.detector, NoDetector)


def test_a_file_of_the_same_name_replaces_the_shipped_pack(tmp_path: Path) -> None:
    scenarios = load(tmp_path, 'title = "Slow"\n[property.speed]\nunit = "m/s"\n', "traffic.toml")
    assert scenarios.find("speed").unit == "m/s"
    assert scenarios.find("vehicles") == scenarios.default
    assert scenarios.find("occupied").unit == "1"


@pytest.mark.parametrize(
    ("body", "key", "problem"),
    [
        ("[property.foo]\nunit = 3", "property.foo.unit", "got 3"),
        ("[property.foo]\nrang = [1, 2]", "property.foo.rang", "'range'"),
        ("[property.foo]\nrange = [2, 1]", "property.foo.range", "lower first"),
        ("[property.foo]\nrange = [0, inf]", "property.foo.range", "finite"),
        ("[property.foo]\nrange = [0]", "property.foo.range", "length 2"),
        ("[property.foo]\nwindows = []", "property.foo.windows", "one window or more"),
        ('[property.foo]\nwindows = ["1m", "1m"]', "property.foo.windows", "each once"),
        ('[property.foo]\nwindows = ["5m"]', "property.foo.windows", "10s, 1m, 10m"),
        ("[property.foo]\nseverity = 2", "property.foo.severity", "<= 1"),
        (
            '[property.foo]\ndetector = { kind = "x" }',
            "property.foo.detector.kind",
            "light, full, none",
        ),
        (
            '[property.foo]\ndetector = { kind = "light", gap = "1 h" }',
            "property.foo.detector.gap",
            "90s, 30m",
        ),
        ("[property.speed]", "property.speed", "traffic.toml"),
        ("[property.Foo]", "property.Foo", "a-z"),
        ('[property."*"]', "property.*", "pattern"),
        ('[property."a*b"]', "property.a*b", "pattern"),
        ("[default]", "default", "default.toml"),
    ],
)
def test_every_mistake_names_file_key_and_fix(
    tmp_path: Path, body: str, key: str, problem: str
) -> None:
    with pytest.raises(ConfigError) as caught:
        load(tmp_path, f'title = "Mine"\n{body}\n')
    assert caught.value.file == str(tmp_path / "mine.toml")
    assert (caught.value.key or "").startswith(key)
    assert problem in str(caught.value)
    assert caught.value.fix


def test_a_missing_folder_is_explained(tmp_path: Path) -> None:
    with pytest.raises(ConfigError, match="no such folder"):
        load_scenarios(tmp_path / "nowhere")


@pytest.mark.parametrize(
    ("span", "ms"),
    [("7ms", 7), ("90s", 90_000), ("2m", 120_000), ("6h", 21_600_000), ("2d", 172_800_000)],
)
def test_spans(span: str, ms: int) -> None:
    assert milliseconds(span) == ms
    assert milliseconds("off") == 0

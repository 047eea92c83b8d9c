"""Settings from file, environment and options; each mistake named."""

from pathlib import Path

import pytest

from citynerve.errors import ConfigError
from citynerve.messages import Owner
from stream import config
from stream.owner import Verdict, judge


def write(tmp_path: Path, text: str) -> Path:
    file = tmp_path / "stream.toml"
    file.write_text(text)
    return file


def test_options_stand_above_the_environment_and_that_above_the_file(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    file = write(tmp_path, '[flow]\nepoch_ms = 200\nworkers = 2\n[mqtt]\nurl = "mqtt://file"\n')
    monkeypatch.setenv("CITYNERVE_FLOW_EPOCH_MS", "300")
    monkeypatch.setenv("CITYNERVE_MQTT_URL", "mqtt://env")
    read = config.read(file, {"flow.epoch_ms": 400})
    assert (read.flow.epoch_ms, read.flow.workers) == (400, 2)
    assert read.mqtt.url == "mqtt://env"


def test_paths_are_relative_to_the_file(tmp_path: Path) -> None:
    read = config.read(write(tmp_path, '[store]\npath = "data"\n'), {})
    assert read.store.path == str(tmp_path / "data")


def test_the_shipped_example_is_valid() -> None:
    root = Path(__file__).parents[3]
    read = config.read(root / "deploy" / "stream.toml", {})
    assert read.flow == config.FlowConfig()


@pytest.mark.parametrize(
    ("text", "parts"),
    [
        ("[flow]\nepoch_ms = 5\n", ["flow.epoch_ms", "100", "5"]),
        ('[flow]\nepoch_ms = "fast"\n', ["flow.epoch_ms", "fast"]),
        ("[flow]\nepoch = 5\n", ["flow.epoch", "epoch_ms"]),
        ('[storage]\nraw = "some"\n', ["storage.raw", "some"]),
        ('[mqtt]\nurl = "http://x"\n', ["mqtt.url", "mqtt://host"]),
        ('[mqtt]\nroot = "city/#"\n', ["mqtt.root", "city/#"]),
        ('[influx]\nurl = "x"\n', ["influx.url", "http://host"]),
        ('[influx]\nmain = "citynerve_raw"\n', ["influx.main", "different"]),
        ("[flow\n", ["TOML"]),
    ],
)
def test_a_mistake_is_named_with_file_and_key(tmp_path: Path, text: str, parts: list[str]) -> None:
    file = write(tmp_path, text)
    with pytest.raises(ConfigError) as caught:
        config.read(file, {})
    for part in [str(file), *parts]:
        assert part in str(caught.value)


def test_a_missing_file_is_named(tmp_path: Path) -> None:
    with pytest.raises(ConfigError, match="no such file"):
        config.read(tmp_path / "none.toml", {})


MINE = Owner(store="a", start=5, online=True)


@pytest.mark.parametrize(
    ("heard", "verdict"),
    [
        (Owner(store="a", start=9, online=False), Verdict.FREE),
        (Owner(store="b", start=1, online=False), Verdict.FREE),
        (Owner(store="b", start=1, online=True), Verdict.FOREIGN),
        (Owner(store="a", start=4, online=True), Verdict.OLDER),
        (Owner(store="a", start=5, online=True), Verdict.MINE),
        (Owner(store="a", start=6, online=True), Verdict.NEWER),
    ],
)
def test_a_claim_is_judged_by_store_start_and_life(heard: Owner, verdict: Verdict) -> None:
    assert judge(MINE, heard) is verdict


def test_a_mistake_is_looked_for_where_it_stands(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    file = write(tmp_path, "[flow]\nepoch_ms = 200\n")
    monkeypatch.setenv("CITYNERVE_FLOW_WORKERS", "many")
    with pytest.raises(ConfigError, match=r"^environment: CITYNERVE_FLOW_WORKERS: expected"):
        config.read(file, {})
    with pytest.raises(ConfigError, match=r"^command line: flow\.workers: expected"):
        config.read(file, {"flow.workers": 99})
    with pytest.raises(ConfigError, match=r"^command line: mqtt\.url: not an MQTT URL"):
        config.read(file, {"flow.workers": 1, "mqtt.url": "host"})
    monkeypatch.setenv("CITYNERVE_INFLUX_URL", "host")
    with pytest.raises(ConfigError, match=r"^environment: CITYNERVE_INFLUX_URL: not the URL"):
        config.read(file, {"flow.workers": 1})

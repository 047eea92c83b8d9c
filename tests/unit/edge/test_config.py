import subprocess
import sys
from pathlib import Path

import pytest
from click.testing import CliRunner

from citynerve.cli import root
from citynerve.errors import ConfigError, UnavailableError
from edge.assembly import make_drivers
from edge.config import load
from edge.intake import check_names

NODE = '[node]\nid = "node-0"\narea = "aarhus/centrum"\n'
MACHINE = '[[sensor]]\ndriver = "machine"\n'


def write(folder: Path, text: str) -> Path:
    path = folder / "node.toml"
    path.write_text(text)
    return path


def test_a_small_file_gets_the_defaults(tmp_path: Path) -> None:
    config = load(write(tmp_path, NODE + MACHINE))
    assert (config.spool.path, config.spool.max_mb) == ("spool.db", 256)
    assert (config.send.format, config.send.batch_ms, config.send.mirror) == ("json", 1000, False)
    assert [driver.name for driver in make_drivers(config, tmp_path)] == ["machine"]


def test_the_environment_overrides_the_broker(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("CITYNERVE_MQTT_URL", "mqtts://example.org")
    monkeypatch.setenv("CITYNERVE_MQTT_PASSWORD", "secret")
    config = load(write(tmp_path, NODE + MACHINE))
    assert config.mqtt.address() == ("example.org", 8883)
    assert config.mqtt.password == "secret"  # noqa: S105 - a test's


@pytest.mark.parametrize(
    ("text", "key", "said"),
    [
        (NODE, "sensor", "no input"),
        (NODE.replace("node-0", "Node 0") + MACHINE, "node.id", "regex"),
        (NODE.replace("centrum", "") + MACHINE, "node.area", "regex"),
        (NODE + "[spool]\nmax_mb = 0\n" + MACHINE, "spool.max_mb", ">= 1"),
        (NODE + "[send]\nformt = 'json'\n" + MACHINE, "send.formt", "did you mean 'format'"),
        (NODE + MACHINE + "interval_ms = 'fast'\n", "sensor[0].interval_ms", "int"),
        (NODE + "[[sensor]]\ndriver = 'magic'\n", "sensor[0].driver", "magic"),
        (NODE + "[mqtt]\nurl = 'http://x'\n" + MACHINE, "mqtt.url", "mqtt://host"),
        (NODE + "[mqtt]\nurl = 'ws://x:9001'\n" + MACHINE, "mqtt.url", "mqtt://host"),
        (NODE + "[mqtt]\nroot = 'city/#'\n" + MACHINE, "mqtt.root", "city/v1"),
    ],
)
def test_mistakes_name_file_key_and_fix(tmp_path: Path, text: str, key: str, said: str) -> None:
    file = write(tmp_path, text)
    with pytest.raises(ConfigError, match=said) as caught:
        load(file)
    assert (caught.value.file, caught.value.key) == (str(file), key)


def test_a_broker_that_the_environment_names_wrongly_is_looked_for_there(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("CITYNERVE_MQTT_URL", "127.0.0.1:1883")
    with pytest.raises(ConfigError, match=r"^environment: CITYNERVE_MQTT_URL: not an MQTT URL"):
        load(write(tmp_path, NODE + MACHINE))


def test_two_inputs_of_one_name_are_refused(tmp_path: Path) -> None:
    config = load(write(tmp_path, NODE + MACHINE + MACHINE))
    with pytest.raises(ConfigError, match="two inputs have this name"):
        check_names(make_drivers(config, tmp_path), "node.toml")


@pytest.mark.parametrize("command", ["run", "check"])
def test_a_mistake_is_one_message_and_exit_code_2(tmp_path: Path, command: str) -> None:
    path = write(tmp_path, NODE + MACHINE + "disk = '/no/such/folder'\n")
    done = subprocess.run(
        [sys.executable, "-m", "citynerve", "edge", command, "--config", str(path)],
        capture_output=True,
        text=True,
        check=False,
    )
    assert done.returncode == 2
    assert str(path) in done.stderr
    assert "/no/such/folder" in done.stderr
    assert "fix:" in done.stderr
    assert "Traceback" not in done.stderr


def test_check_says_that_no_broker_answers(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("edge.cli._CONNECT_S", 0.2)
    path = write(tmp_path, NODE + "[mqtt]\nurl = 'mqtt://127.0.0.1:1'\n" + MACHINE)
    done = CliRunner().invoke(root, ["edge", "check", "--config", str(path)])
    assert "machine/load in 1" in done.output
    assert isinstance(done.exception, UnavailableError)
    assert "MQTT broker at mqtt://127.0.0.1:1" in str(done.exception)


def test_an_agent_of_sensors_only_does_not_load_what_cameras_need() -> None:
    heavy = ("numpy", "cv2", "onnxruntime", "stream", "bytewax", "influxdb_client")
    program = (
        "import sys, edge.assembly, edge.config, edge.cli, edge.sensor.catalog;"
        f"print([name for name in {heavy!r} if name in sys.modules])"
    )
    done = subprocess.run(
        [sys.executable, "-c", program], capture_output=True, text=True, check=True
    )
    assert done.stdout.strip() == "[]"

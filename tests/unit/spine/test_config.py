import contextlib
from datetime import datetime
from pathlib import Path
from typing import Annotated, Literal

import pytest
from hypothesis import given
from hypothesis import strategies as st
from msgspec import Meta, field

from citynerve.config import Config, load, loads
from citynerve.errors import ConfigError
from citynerve.mqtt import ENV, MqttConfig


class Fast(Config, tag_field="driver", tag="fast"):
    speed: Annotated[float, Meta(gt=0)] | Literal["max"] = 1.0


class Slow(Config, tag_field="driver", tag="slow"):
    paths: Annotated[list[str], Meta(min_length=1)]


class Node(Config):
    id: Annotated[str, Meta(pattern="^[a-z]+$")]
    interval: Annotated[int, Meta(ge=5, le=60)] = 10
    token: str | None = None
    tags: list[int] = field(default_factory=list)
    pair: tuple[int, int] | None = None
    since: Annotated[datetime, Meta(tz=True)] | None = None


class File(Config):
    node: Node
    mqtt: MqttConfig = field(default_factory=MqttConfig)
    sensor: list[Fast | Slow] = field(default_factory=list)
    named: dict[Annotated[str, Meta(pattern="^[a-z]+$")], Node] = field(default_factory=dict)
    mode: Literal["json", "msgpack"] = "json"
    quiet: bool = False


OK = '[node]\nid = "a"\n'

MISTAKES: list[tuple[str, str, object, str]] = [
    # text, key, value, a part of the fix
    ("", "node", None, "add the table [node]"),
    ("[node]\n", "node.id", None, "add id = ..."),
    ("node = 5", "node", 5, "write a table, [node]"),
    ('[[node]]\nid = "a"', "node", None, "write a table, [node]"),
    ('[node]\nid = "A"', "node.id", "A", "choose one matching regex '^[a-z]+$'"),
    ("[node]\nid = 5", "node.id", 5, "write text in quotes"),
    (OK + "interval = 4", "node.interval", 4, "choose one >= 5"),
    (OK + "interval = 61", "node.interval", 61, "choose one <= 60"),
    (OK + 'interval = "9"', "node.interval", "9", "write a whole number without quotes"),
    (OK + "interval = 9.5", "node.interval", 9.5, "write a whole number without quotes"),
    (OK + 'tags = [1, "x"]', "node.tags[1]", "x", "write a whole number without quotes"),
    (OK + "intervall = 4", "node.intervall", None, "did you mean 'interval'?"),
    (OK + "colour = 4", "node.colour", None, "known here: id, interval, pair, since, tags, token"),
    (OK + "[mqtts]", "mqtts", None, "did you mean 'mqtt'?"),
    (OK + "[[sensor]]\nspeed = 1", "sensor[0].driver", None, "one of fast, slow"),
    (OK + '[[sensor]]\ndriver = "new"', "sensor[0].driver", "new", "write one of fast, slow"),
    (
        OK + '[[sensor]]\ndriver = "fast"\nspeed = "warp"',
        "sensor[0].speed",
        "warp",
        "max, a number",
    ),
    (OK + '[[sensor]]\ndriver = "fast"\nspeed = 0', "sensor[0].speed", 0, "choose one > 0"),
    (OK + '[[sensor]]\ndriver = "slow"\npaths = []', "sensor[0].paths", None, "of length >= 1"),
    (OK + '[[sensor]]\ndriver = "slow"\npath = ["a"]', "sensor[0].path", None, "mean 'paths'?"),
    (
        OK + '[[sensor]]\ndriver = "slow"\npaths = "a"',
        "sensor[0].paths",
        "a",
        "write a list, [...]",
    ),
    (OK + '[sensor]\ndriver = "slow"', "sensor", None, "write it as [[sensor]]"),
    (OK + 'since = "May"', "node.since", "May", "such as 2026-05-01T12:00:00Z"),
    (OK + "since = 2026-05-01T12:00:00", "node.since", None, "such as 2026-05-01T12:00:00Z"),
    (OK + "since = 5", "node.since", 5, "such as 2026-05-01T12:00:00Z"),
    (OK + "pair = [1, 2, 3]", "node.pair", None, "choose one of length 2"),
    (OK + '[named.b]\nid = "b"\n[named.c]\nid = "C"', "named.c.id", "C", "choose one matching"),
    (OK + '[named.b]\nid = "b"\n[named.c]\nidd = "c"', "named.c.idd", None, "did you mean 'id'?"),
    (OK + '[named.b]\nid = "b"\n[named.C]\nid = "c"', "named.C", None, "choose one matching"),
    ('mode = "xml"\n' + OK, "mode", "xml", "write one of json, msgpack"),
    ('quiet = "yes"\n' + OK, "quiet", "yes", "write true or false"),
]


@pytest.mark.parametrize(("text", "key", "value", "fix"), MISTAKES)
def test_each_mistake_is_told_with_file_key_value_and_fix(
    text: str, key: str, value: object, fix: str
) -> None:
    with pytest.raises(ConfigError) as caught:
        loads(text, File, file="node.toml")
    error = caught.value
    assert (error.file, error.key, error.value) == ("node.toml", key, value)
    assert fix in (error.fix or "")
    assert "got" not in (error.fix or "")
    assert str(error).startswith(f"node.toml: {key}: ")


@pytest.mark.parametrize(
    ("text", "told"), [("x =", "end of document"), ("[node\n", "line 1"), ('a="\x00"', "line 1")]
)
def test_text_that_is_no_toml_is_told_with_its_place(text: str, told: str) -> None:
    with pytest.raises(ConfigError, match="not valid TOML") as caught:
        loads(text, File, file="node.toml")
    assert told in str(caught.value)


def test_a_secret_is_never_shown() -> None:
    for text in (OK + "token = 123456", OK + "[mqtt]\npassword = 123456"):
        with pytest.raises(ConfigError) as caught:
            loads(text, File, file="node.toml")
        assert "123456" not in str(caught.value)


def test_a_missing_file_a_folder_and_bytes_that_are_no_text(tmp_path: Path) -> None:
    with pytest.raises(ConfigError, match="no such file") as caught:
        load(tmp_path / "no.toml", File)
    assert caught.value.file == str(tmp_path / "no.toml")
    assert caught.value.fix
    with pytest.raises(ConfigError, match="cannot be read: Is a directory\n  fix: name a file"):
        load(tmp_path, File)
    (tmp_path / "bytes.toml").write_bytes(b"# \xe9\n")
    with pytest.raises(ConfigError, match="is not UTF-8: byte 2 is no text\n  fix: save it as"):
        load(tmp_path / "bytes.toml", File)


def test_the_environment_overrides_the_file(monkeypatch: pytest.MonkeyPatch) -> None:
    text = OK + '[mqtt]\nurl = "mqtt://file"\nusername = "from-file"'
    monkeypatch.setenv("CITYNERVE_MQTT_URL", "mqtts://environment")
    monkeypatch.setenv("CITYNERVE_MQTT_USERNAME", "")
    monkeypatch.delenv("CITYNERVE_MQTT_PASSWORD", raising=False)
    config = loads(text, File, file="node.toml", env=ENV)
    assert config.mqtt.url == "mqtts://environment"
    assert config.mqtt.username == "from-file"
    assert loads(OK, File, file="node.toml", env=ENV).mqtt.url == "mqtts://environment"


def test_a_wrong_value_is_looked_for_where_it_stands(monkeypatch: pytest.MonkeyPatch) -> None:
    env = {"CITY_ID": "node.id"}
    monkeypatch.setenv("CITY_ID", "A 1")
    with pytest.raises(ConfigError) as caught:
        loads(OK, File, file="node.toml", env=env)
    assert str(caught.value).startswith("environment: CITY_ID: expected ")
    assert caught.value.value == "A 1"
    with pytest.raises(ConfigError) as caught:
        loads(OK, File, file="node.toml", env=env, overrides={"node.id": "B"})
    assert (caught.value.file, caught.value.key) == ("node.toml", "node.id")


@pytest.mark.parametrize(
    ("url", "shown"),
    [
        ("", ""),
        ("127.0.0.1:1883", "127.0.0.1:1883"),
        ("ws://host:9001", "ws://host:9001"),
        ("mqtt://host:99999", "mqtt://host:99999"),
        ("mqtt://", "mqtt://"),
        ("http://me:word@host:1883", "host:1883"),
    ],
)
def test_a_url_of_no_broker_is_refused_and_keeps_its_password(url: str, shown: str) -> None:
    with pytest.raises(ConfigError, match="not an MQTT URL") as caught:
        MqttConfig(url=url).check()
    assert (caught.value.key, caught.value.value) == ("mqtt.url", shown)


@pytest.mark.parametrize("root", ["", "#", "city/+", "/city", "city//v1", "city/", "a\0b"])
def test_a_root_that_no_topic_can_begin_with_is_refused(root: str) -> None:
    with pytest.raises(ConfigError, match="not a topic") as caught:
        MqttConfig(root=root).check()
    assert (caught.value.key, caught.value.value) == ("mqtt.root", root)


def test_a_wrong_table_under_an_override_is_a_config_error(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("CITYNERVE_MQTT_URL", "mqtt://environment")
    with pytest.raises(ConfigError) as caught:
        loads("mqtt = 5\n" + OK, File, file="node.toml", env=ENV)
    assert caught.value.key == "mqtt"


@given(text=st.text(alphabet='[]="\n.ab1{}', max_size=40))
def test_no_text_raises_anything_but_a_config_error(text: str) -> None:
    with contextlib.suppress(ConfigError):
        assert isinstance(loads(text, File, file="node.toml"), File)


@pytest.mark.parametrize(
    ("url", "address"),
    [
        ("mqtt://broker", ("broker", 1883)),
        ("mqtts://broker", ("broker", 8883)),
        ("mqtt://user:word@[::1]:99", ("::1", 99)),
    ],
)
def test_an_mqtt_url_gives_host_and_port(url: str, address: tuple[str, int]) -> None:
    assert MqttConfig(url=url).address() == address


@pytest.mark.parametrize(
    "url",
    ["broker", "broker:1883", "http://broker", "mqtt://", "mqtt://broker:x", "mqtt://b:99999"],
)
def test_a_wrong_mqtt_url_is_a_config_error(url: str) -> None:
    with pytest.raises(ConfigError) as caught:
        MqttConfig(url=url).address()
    assert caught.value.key == "mqtt.url"
    assert caught.value.fix


def test_credentials_stand_in_the_url_or_beside_it_and_are_not_shown() -> None:
    config = MqttConfig(url="mqtt://us%40er:wo%3Ard@broker:1")
    assert config.credentials() == ("us@er", "wo:rd")
    assert config.safe_url() == "mqtt://broker:1"
    beside = MqttConfig(url="mqtt://a:b@broker", username="c", password="d")
    assert beside.credentials() == ("c", "d")
    assert MqttConfig().credentials() == (None, None)

import pytest

from citynerve import config
from citynerve.errors import ConfigError
from citynerve.influx import ENV, InfluxConfig
from citynerve.influx.retention import Retention

DAY = 86_400


class File(config.Config):
    influx: InfluxConfig


def test_the_environment_overrides_the_file(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("CITYNERVE_INFLUX_TOKEN", "from the environment")
    text = '[influx]\nurl = "http://db:8086"\ntoken = "from the file"\n'
    loaded = config.loads(text, File, file="stream.toml", env=ENV)
    assert loaded.influx == InfluxConfig(url="http://db:8086", token="from the environment")


@pytest.mark.parametrize(
    ("url", "base"),
    [
        ("http://127.0.0.1:8086", "http://127.0.0.1:8086"),
        ("https://db.example:443/influx/", "https://db.example:443/influx"),
        ("http://name:word@db:8086/", "http://db:8086"),
    ],
)
def test_the_base_has_neither_credentials_nor_a_closing_slash(url: str, base: str) -> None:
    assert InfluxConfig(url=url).base() == base


@pytest.mark.parametrize("url", ["db:8086", "mqtt://db", "http://", "http://db:port", ""])
def test_what_is_no_url_names_the_key_and_the_fix(url: str) -> None:
    with pytest.raises(ConfigError) as caught:
        InfluxConfig(url=url).base()
    assert caught.value.key == "influx.url"
    assert caught.value.fix


@pytest.mark.parametrize("url", ["name:hidden@db:8086", "http://name:hid/den@db", "x://a:hidden@"])
def test_what_is_no_url_is_shown_without_its_password(url: str) -> None:
    with pytest.raises(ConfigError) as caught:
        InfluxConfig(url=url).base()
    assert "hid" not in str(caught.value)


@pytest.mark.parametrize(
    ("given", "user"),
    [
        (InfluxConfig(), None),
        (InfluxConfig(token="opaque"), None),
        (InfluxConfig(token="name:wo:rd"), ("name", "wo:rd")),
        (InfluxConfig(username="name", password="word"), ("name", "word")),
        (InfluxConfig(username="name"), ("name", "")),
    ],
)
def test_who_a_1_x_server_is_told(given: InfluxConfig, user: tuple[str, str] | None) -> None:
    assert given.user() == user


@pytest.mark.parametrize("name", ["", "9lives", 'a"b', "a b", "a/b", "x" * 64])
def test_a_database_is_named_so_that_every_generation_takes_it(name: str) -> None:
    with pytest.raises(ConfigError) as caught:
        config.convert({"influx": {"raw": name}}, File, file="stream.toml")
    assert caught.value.key == "influx.raw"


@pytest.mark.parametrize(
    ("days", "shard"),
    [(0, 7 * DAY), (1, 3600), (2, DAY), (30, DAY), (180, DAY), (181, 7 * DAY)],
)
def test_a_shard_never_outlasts_its_retention(days: int, shard: int) -> None:
    retention = Retention(days)
    assert retention.seconds == days * DAY
    assert retention.shard_seconds == shard
    assert days == 0 or shard <= retention.seconds

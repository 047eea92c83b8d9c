import pytest

from citynerve.errors import (
    CityNerveError,
    ConfigError,
    ProtocolError,
    RefusedError,
    UnavailableError,
)


@pytest.mark.parametrize(
    ("error", "text"),
    [
        (ConfigError("bad"), "bad"),
        (
            ConfigError("bad", file="a.toml", key="x.y", value=0, fix="do z"),
            "a.toml: x.y: bad (got 0)\n  fix: do z",
        ),
        (ConfigError("bad", key="x", value=""), "x: bad (got '')"),
        (UnavailableError("video", where="a.avi", problem="gone"), "video at a.avi: gone"),
        (
            UnavailableError("video", where="a.avi", problem="gone", fix="find it"),
            "video at a.avi: gone\n  fix: find it",
        ),
        (
            RefusedError("store", holder="pid 7", fix="end it"),
            "store is held by pid 7\n  fix: end it",
        ),
        (ProtocolError("json", "empty payload"), "json: empty payload"),
    ],
)
def test_the_message_tells_everything_once(error: CityNerveError, text: str) -> None:
    assert str(error) == text
    assert isinstance(error, CityNerveError)


def test_errors_carry_their_parts() -> None:
    error = ConfigError("bad", file="a.toml", key="x", value=[1], fix="do z")
    assert (error.problem, error.file, error.key, error.value, error.fix) == (
        "bad",
        "a.toml",
        "x",
        [1],
        "do z",
    )

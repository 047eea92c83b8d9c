"""What the commands of ``citynerve simulate`` share: the broker they talk to, and how they end."""

import signal
from collections.abc import Callable
from pathlib import Path
from types import FrameType
from typing import Any, TypeVar

import click
from msgspec import field

from citynerve.config import Config, loads
from citynerve.mqtt import ENV, MqttConfig
from citynerve.parameters import Parsed, speed

Command = TypeVar("Command", bound=Callable[..., Any])


class _Settings(Config):
    mqtt: MqttConfig = field(default_factory=MqttConfig)


def broker_options(command: Any) -> Any:  # noqa: ANN401 - as click types decorators
    """The options that :func:`broker` takes."""
    options = [
        click.option(
            "--mqtt-url", help="The broker. Default: CITYNERVE_MQTT_URL, or this machine's."
        ),
        click.option("--mqtt-root", help="Topics are below it. Default: city/v1."),
        click.option("--mqtt-ca", help="PEM file that vouches for the broker, for mqtts."),
        click.option("--mqtt-cert", help="PEM file that vouches for us, where the broker asks."),
        click.option("--mqtt-key", help="PEM file with the key of --mqtt-cert."),
    ]
    for option in reversed(options):
        command = option(command)
    return command


def speed_option(explained: str) -> Callable[[Command], Command]:
    """``--speed``, as ``pace``."""
    return click.option(
        "--speed",
        "pace",
        type=Parsed("N|max", speed),
        default="1",
        show_default=True,
        help=explained,
    )


def broker(
    *,
    mqtt_url: str | None,
    mqtt_root: str | None,
    mqtt_ca: str | None,
    mqtt_cert: str | None,
    mqtt_key: str | None,
) -> MqttConfig:
    """The broker that the options, and else the environment, name; files by absolute paths.

    Raises:
        ConfigError: It cannot be used.
    """
    files = {"mqtt.ca": mqtt_ca, "mqtt.cert": mqtt_cert, "mqtt.key": mqtt_key}
    chosen = {
        "mqtt.url": mqtt_url,
        "mqtt.root": mqtt_root,
        **{key: name and str(Path(name).resolve()) for key, name in files.items()},
    }
    given = {key: value for key, value in chosen.items() if value is not None}
    mqtt = loads("", _Settings, file="command line", env=ENV, overrides=given).mqtt
    mqtt.check()
    return mqtt


def stop_on_signals(stop: Callable[[], None]) -> None:
    """Have SIGTERM and Ctrl-C call ``stop``; the second time, nothing is waited for."""

    def end(_number: int, _frame: FrameType | None) -> None:
        for again in (signal.SIGTERM, signal.SIGINT):
            signal.signal(again, signal.SIG_DFL)
        stop()

    for number in (signal.SIGTERM, signal.SIGINT):
        signal.signal(number, end)


def milliseconds(seconds: float | None) -> int | None:
    """A span that may be left out, in ms."""
    return None if seconds is None else round(seconds * 1000)

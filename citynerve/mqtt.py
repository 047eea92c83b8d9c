"""The MQTT 5 link that nodes and the stream's sinks use: paho-mqtt behind a small, typed face.

A link promises nothing about delivery: end-to-end acknowledgement is the job of ``edge.link`` and
``stream``. So it starts clean at every connection, queues nothing while it is cut off, and says so.
It is connected when the broker has accepted it and has granted what it subscribes to.
"""

import socket
import ssl
import sys
import threading
from collections.abc import Callable, Sequence
from contextlib import suppress
from dataclasses import dataclass
from queue import SimpleQueue
from typing import Annotated, Final
from urllib.parse import unquote, urlsplit

import paho.mqtt.client as paho
from msgspec import Meta
from paho.mqtt.packettypes import PacketTypes
from paho.mqtt.properties import Properties
from paho.mqtt.reasoncodes import ReasonCode

from citynerve import log
from citynerve.config import Config
from citynerve.errors import ConfigError, UnavailableError
from citynerve.network import Network, Threaded
from citynerve.polled import Received
from citynerve.subscriptions import Subscriptions
from citynerve.topics import DEFAULT_ROOT

_PORTS: Final = {"mqtt": 1883, "mqtts": 8883}
_SESSION_TAKEN_OVER: Final = 0x8E
# Bad user name or password; not authorised; banned; bad authentication method.
_DENIALS: Final = frozenset({0x86, 0x87, 0x8A, 0x8C})
_log = log.get("mqtt")

ENV: Final = {
    "CITYNERVE_MQTT_URL": "mqtt.url",
    "CITYNERVE_MQTT_USERNAME": "mqtt.username",
    "CITYNERVE_MQTT_PASSWORD": "mqtt.password",
}
"""Environment variables that override a file's ``[mqtt]`` table."""


class MqttConfig(Config):
    """The ``[mqtt]`` table of every configuration."""

    url: str = "mqtt://127.0.0.1:1883"
    root: str = DEFAULT_ROOT
    username: str | None = None
    password: str | None = None
    ca: str | None = None
    cert: str | None = None
    key: str | None = None
    keepalive: Annotated[int, Meta(ge=5, le=3600)] = 30

    def address(self) -> tuple[str, int]:
        """Host and port.

        Raises:
            ConfigError: The URL is not ``mqtt://host[:port]`` or ``mqtts://host[:port]``.
        """
        parts = urlsplit(self.url)
        try:
            usual = _PORTS[parts.scheme]
            port = parts.port or usual
        except (KeyError, ValueError) as error:
            raise _bad_url(self.url) from error
        if not parts.hostname:
            raise _bad_url(self.url)
        return parts.hostname, port

    def check(self) -> None:
        """Refuse what no type can say.

        Raises:
            ConfigError: The URL or the root cannot be used.
        """
        self.address()
        if set(self.root) & set("#+\0") or "" in self.root.split("/"):
            raise ConfigError(
                "not a topic to build others on",
                key="mqtt.root",
                value=self.root,
                fix="write levels joined by /, without + and #, such as city/v1",
            )

    def safe_url(self) -> str:
        """The URL without credentials, for logs and messages."""
        parts = urlsplit(self.url)
        return f"{parts.scheme}://{parts.netloc.rpartition('@')[2]}"

    def credentials(self) -> tuple[str | None, str | None]:
        """User name and password, from the settings or else from the URL."""
        parts = urlsplit(self.url)
        name = self.username or (unquote(parts.username) if parts.username else None)
        word = self.password or (unquote(parts.password) if parts.password else None)
        return name, word


def _bad_url(url: str) -> ConfigError:
    return ConfigError(
        "not an MQTT URL",
        key="mqtt.url",
        # What stands before an @ may be a password.
        value=url.rpartition("@")[2],
        fix="write mqtt://host:1883, or mqtts://host:8883 for TLS",
    )


def prepare(client: paho.Client, config: MqttConfig) -> None:
    """Give a paho client the configuration's credentials and TLS.

    Raises:
        ConfigError: The URL or one of the certificate files cannot be used.
    """
    config.address()
    name, word = config.credentials()
    if name is not None:
        client.username_pw_set(name, word)
    if urlsplit(config.url).scheme == "mqtts":
        try:
            context = ssl.create_default_context(cafile=config.ca)
            if config.cert:
                context.load_cert_chain(config.cert, config.key)
        except (OSError, ssl.SSLError) as error:
            raise ConfigError(
                f"TLS cannot be set up: {error}",
                key="mqtt.ca, mqtt.cert, mqtt.key",
                value=[config.ca, config.cert, config.key],
                fix="name readable PEM files",
            ) from error
        client.tls_set_context(context)


def why_unreachable(config: MqttConfig, timeout: float = 3.0) -> str:
    """What the operating system or TLS says about connecting (within ``timeout`` seconds).

    Empty where both are content. paho keeps this to itself.
    """
    host, port = config.address()
    try:
        with socket.create_connection((host, port), timeout) as plain:
            if urlsplit(config.url).scheme == "mqtts":
                context = ssl.create_default_context(cafile=config.ca)
                if config.cert:
                    context.load_cert_chain(config.cert, config.key)
                with context.wrap_socket(plain, server_hostname=host):
                    pass
    except OSError as error:
        return str(error)
    return ""


@dataclass(frozen=True, slots=True)
class Message:
    """One message as it arrived."""

    topic: str
    payload: bytes
    retained: bool = False


@dataclass(frozen=True, slots=True)
class Will:
    """What the broker publishes, retained at QoS 1, when the link dies without a goodbye."""

    topic: str
    payload: bytes


@dataclass(slots=True)
class LinkCounters:
    """Since the link was made."""

    connects: int = 0
    failures: int = 0
    disconnects: int = 0
    published: int = 0
    refused: int = 0
    received: int = 0


class Link:
    """One MQTT connection, kept up by paho's thread or by another network.

    Args:
        config: Where and how to connect.
        client_id: Fixed for what must be single; a second client of the same id ends the first.
        subscriptions: ``(filter, qos)``, made anew at every connection.
        will: The last will.
        on_connected: Called in the network's thread after each successful connection, when all
            subscriptions are granted.
        on_taken_over: Called in the network's thread when the broker says that another client uses
            this id. Mosquitto 2.0 says nothing, so do not rely on it.
        network: What moves its bytes; None: a thread of its own.
        largest: Bytes of a packet beyond which the broker is to keep it to itself.

    Messages arrive in ``messages``, in order. Reconnects by itself with a jittered, doubling pause
    (from 1 to 3 s up to 20 to 40 s).
    """

    def __init__(
        self,
        config: MqttConfig,
        *,
        client_id: str,
        subscriptions: Sequence[tuple[str, int]] = (),
        will: Will | None = None,
        on_connected: Callable[[], None] | None = None,
        on_taken_over: Callable[[], None] | None = None,
        network: Network | None = None,
        largest: int | None = None,
    ) -> None:
        self.config = config
        self.client_id = client_id
        self.messages: SimpleQueue[Message] = SimpleQueue()
        self.counters = LinkCounters()
        self.last_problem = "no answer such as an MQTT 5 broker gives"
        self._subscriptions = Subscriptions(subscriptions)
        self._on_connected = on_connected
        self._on_taken_over = on_taken_over
        self._up = threading.Event()
        self._answered = threading.Event()
        self._denied = False
        self._largest = largest
        self._network = network or Threaded()
        self._client = self._network.client(client_id, self._arrived)
        prepare(self._client, config)
        if will is not None:
            self._client.will_set(will.topic, will.payload, qos=1, retain=True)
        self._client.max_inflight_messages_set(0)
        self._client.on_connect = self._connected
        self._client.on_connect_fail = self._connect_failed
        self._client.on_subscribe = self._subscribed
        self._client.on_disconnect = self._disconnected

    @property
    def connected(self) -> bool:
        """Whether the broker has accepted us and our subscriptions, and the connection stands."""
        return self._up.is_set()

    def start(self) -> None:
        """Begin to connect; returns at once."""
        host, port = self.config.address()
        self._client.connect_async(
            host,
            port,
            keepalive=self.config.keepalive,
            clean_start=True,
            properties=self._limits(),
        )
        self._network.start(self._client)

    def wait_connected(self, timeout: float) -> None:
        """Wait until connected.

        Raises:
            ConfigError: The broker does not accept our credentials, or refuses a subscription.
            UnavailableError: Not within ``timeout`` seconds; carries the broker's last answer.
        """
        self._network.wait(self._answered, timeout)
        if self._denied:
            raise ConfigError(
                f"the broker at {self.config.safe_url()} refuses us: {self.last_problem}",
                key="mqtt.username, mqtt.password",
                fix="set credentials that it knows (CITYNERVE_MQTT_USERNAME, _PASSWORD) and that"
                " may read these topics",
            )
        if not self._up.is_set():
            raise UnavailableError(
                "MQTT broker",
                where=self.config.safe_url(),
                problem=self.last_problem,
                fix="start the broker, or set mqtt.url (CITYNERVE_MQTT_URL) and credentials",
            )

    def publish(
        self, topic: str, payload: bytes, *, qos: int = 1, retain: bool = False
    ) -> paho.MQTTMessageInfo | None:
        """Hand a message to the connection; None (counted) while there is none."""
        if not self._up.is_set():
            self.counters.refused += 1
            return None
        self.counters.published += 1
        info = self._client.publish(topic, payload, qos=qos, retain=retain)
        self._network.wrote(self._client)
        return info

    def subscribe(self, filters: Sequence[tuple[str, int]]) -> None:
        """Add subscriptions, now and at every later connection."""
        self._subscriptions.add(filters, self._client)
        self._network.wrote(self._client)

    def stop(self) -> None:
        """Say goodbye (the last will is not published) and let go of the network."""
        self._client.disconnect()
        self._network.stop(self._client)
        self._up.clear()

    def _limits(self) -> Properties | None:
        if self._largest is None:
            return None
        properties = Properties(PacketTypes.CONNECT)  # type: ignore[no-untyped-call]
        properties.MaximumPacketSize = self._largest
        return properties

    def _connected(
        self,
        client: paho.Client,
        _userdata: object,
        _flags: paho.ConnectFlags,
        reason: ReasonCode,
        _properties: Properties | None,
    ) -> None:
        if reason.is_failure:
            self.counters.failures += 1
            self.last_problem = str(reason)
            if reason.value in _DENIALS:
                self._denied = True
                self._answered.set()
            _log.warning("refused by broker", url=self.config.safe_url(), reason=str(reason))
            return
        if self._subscriptions:
            self._subscriptions.begin(client)
        else:
            self._ready()

    def _subscribed(
        self,
        client: paho.Client,
        _userdata: object,
        number: int,
        reasons: list[ReasonCode],
        _properties: Properties | None,
    ) -> None:
        refused = self._subscriptions.answered(number, reasons)
        if refused:
            self._refuse(client, f"no right to subscribe to {', '.join(refused)}")
        elif refused is not None and not self._up.is_set():
            self._ready()

    def _refuse(self, client: paho.Client, problem: str) -> None:
        """Half deaf, one would wait in vain for answers: be cut off, say so, and begin anew."""
        self.counters.failures += 1
        self.last_problem = problem
        self._denied = True
        self._up.clear()
        self._answered.set()
        _log.warning("refused by broker", url=self.config.safe_url(), reason=problem)
        self._subscriptions.forget()
        connection = client.socket()
        # A connection that is gone already needs no end.
        with suppress(OSError):
            if isinstance(connection, socket.socket):
                connection.shutdown(socket.SHUT_RDWR)

    def _ready(self) -> None:
        self._denied = False
        self._network.accepted(self._client)
        self._up.set()
        # Not before: who sees the count grow publishes again, which would be refused until then.
        self.counters.connects += 1
        self._answered.set()
        if self._on_connected is not None:
            self._on_connected()

    def _connect_failed(self, _client: paho.Client, _userdata: object) -> None:
        self.counters.failures += 1
        # paho calls this while it handles the error, which it does not pass on.
        self.last_problem = str(sys.exception() or "no connection")

    def _disconnected(
        self,
        _client: paho.Client,
        _userdata: object,
        _flags: paho.DisconnectFlags,
        reason: ReasonCode,
        _properties: Properties | None,
    ) -> None:
        was_up = self._up.is_set()
        self._up.clear()
        if not self._denied:
            self._answered.clear()
        if was_up:
            self.counters.disconnects += 1
            self.last_problem = f"disconnected: {reason}"
        if reason.value == _SESSION_TAKEN_OVER and self._on_taken_over is not None:
            self._on_taken_over()

    def _arrived(self, received: Sequence[Received]) -> None:
        self.counters.received += len(received)
        for topic, payload, retained in received:
            self.messages.put(Message(topic.decode("utf-8", "backslashreplace"), payload, retained))

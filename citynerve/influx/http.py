"""One keep-alive HTTP session with an InfluxDB server."""

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any
from urllib.parse import urlencode

import msgspec
import urllib3

from citynerve.errors import ConfigError, UnavailableError
from citynerve.influx.config import InfluxConfig


@dataclass(frozen=True, slots=True)
class Answer:
    """What came back; ``headers`` are case-insensitive."""

    status: int
    body: bytes
    headers: Mapping[str, str]

    def message(self) -> str:
        """The server's own words about a failure."""
        try:
            data = msgspec.json.decode(self.body)
        except msgspec.DecodeError:
            return self.body.decode(errors="replace").strip()[:1000] or f"HTTP {self.status}"
        if isinstance(data, dict):
            for key in ("error", "message"):
                if isinstance(data.get(key), str):
                    return str(data[key])
        return f"HTTP {self.status}"


class Session:
    """Requests to one server, with its credentials once they are set.

    Args:
        config: Where it is.
        timeout: Seconds for connecting, and for each pause in an answer.
        connections: How many are kept open; more threads than that open and close their own.
    """

    def __init__(self, config: InfluxConfig, timeout: float, connections: int = 1) -> None:
        self.config = config
        self.base = config.base()
        self.headers: dict[str, str] = {}
        limits = urllib3.Timeout(connect=timeout, read=timeout)
        try:
            self._pool = urllib3.PoolManager(
                timeout=limits, retries=False, maxsize=connections, ca_certs=config.ca
            )
        except OSError as error:
            raise ConfigError(
                f"cannot be read: {error}", key="influx.ca", value=config.ca
            ) from error

    def log_in(self, name: str, word: str) -> None:
        """Send these with every request (HTTP basic)."""
        self.headers = dict(urllib3.make_headers(basic_auth=f"{name}:{word}"))

    def send(
        self,
        method: str,
        path: str,
        *,
        params: Mapping[str, str] | None = None,
        body: bytes | None = None,
        form: Mapping[str, str] | None = None,
    ) -> Answer:
        """One request, one answer of any status.

        Raises:
            UnavailableError: No answer.
        """
        headers = dict(self.headers)
        if form is not None:
            body = urlencode(form).encode()
            headers["Content-Type"] = "application/x-www-form-urlencoded"
        url = f"{self.base}{path}?{urlencode(params)}" if params else f"{self.base}{path}"
        try:
            answer = self._pool.request(method, url, body=body, headers=headers)
        except (urllib3.exceptions.HTTPError, OSError) as error:
            raise unavailable(self.base, error) from error
        return Answer(answer.status, answer.data, answer.headers)

    def json(self, method: str, path: str, **more: Any) -> Any:  # noqa: ANN401 - JSON is anything
        """The decoded answer of a request that must succeed.

        Raises:
            UnavailableError: No answer, or the server is in trouble.
            ConfigError: Not allowed.
        """
        answer = self.send(method, path, **more)
        check(self.base, answer)
        return msgspec.json.decode(answer.body)

    def close(self) -> None:
        """Close its connections."""
        self._pool.clear()


_UNAUTHORISED, _FORBIDDEN = 401, 403
_FAILURE = 400


def check(base: str, answer: Answer) -> None:
    """Refuse an answer that is no success.

    Raises:
        ConfigError: The credentials are wrong, or do not suffice.
        UnavailableError: Anything else.
    """
    if answer.status in (_UNAUTHORISED, _FORBIDDEN):
        raise not_allowed(base, answer.message())
    if answer.status >= _FAILURE:
        raise UnavailableError("InfluxDB", where=base, problem=answer.message())


def unavailable(base: str, error: Exception) -> UnavailableError:
    """The error for a server that does not answer."""
    problem = str(error).rpartition(": ")[2] if "Errno" in str(error) else str(error)
    return UnavailableError(
        "InfluxDB",
        where=base,
        problem=problem or type(error).__name__,
        fix="start the server, or set influx.url (CITYNERVE_INFLUX_URL)",
    )


def not_allowed(base: str, message: str) -> ConfigError:
    """The error for credentials that the server does not take."""
    return ConfigError(
        f"InfluxDB at {base} refuses the credentials: {message}",
        key="influx.token, influx.username, influx.password",
        fix="set influx.token (CITYNERVE_INFLUX_TOKEN) of a 2.x server, or user name and password"
        " of a 1.x one, with the right to write both databases",
    )

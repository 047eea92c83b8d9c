"""Where InfluxDB is and what it may be called."""

from typing import Annotated, Final
from urllib.parse import urlsplit

from msgspec import Meta

from citynerve.config import Config
from citynerve.errors import ConfigError

ENV: Final = {
    "CITYNERVE_INFLUX_URL": "influx.url",
    "CITYNERVE_INFLUX_TOKEN": "influx.token",
    "CITYNERVE_INFLUX_ORG": "influx.org",
    "CITYNERVE_INFLUX_USERNAME": "influx.username",
    "CITYNERVE_INFLUX_PASSWORD": "influx.password",
}
"""Environment variables that override a file's ``[influx]`` table."""

# What is no trouble in InfluxQL, in a 2.x bucket's name and in 1.8's "db/rp" alike.
DatabaseName = Annotated[str, Meta(pattern=r"^[A-Za-z][A-Za-z0-9_.-]{0,62}$")]


class InfluxConfig(Config):
    """The ``[influx]`` table.

    ``raw`` and ``main`` name the two databases (2.x: buckets). 2.x needs ``token``, and ``org``
    where the token sees several. 1.x takes ``username`` and ``password``, or a token
    ``username:password``, where the server asks for them. ``ca`` is a PEM file that verifies an
    ``https`` server.
    """

    url: str = "http://127.0.0.1:8086"
    token: str | None = None
    org: str | None = None
    username: str | None = None
    password: str | None = None
    ca: str | None = None
    raw: DatabaseName = "citynerve_raw"
    main: DatabaseName = "citynerve"

    def base(self) -> str:
        """The URL without a closing slash and without credentials.

        Raises:
            ConfigError: It is not ``http(s)://host[:port][/prefix]``.
        """
        parts = urlsplit(self.url)
        try:
            usable = parts.scheme in {"http", "https"} and parts.hostname and (parts.port or 1)
        except ValueError:
            usable = False
        bare = f"{parts.scheme}://{parts.netloc.rpartition('@')[2]}{parts.path.rstrip('/')}"
        if not usable:
            raise ConfigError(
                "not the URL of an InfluxDB server",
                key="influx.url",
                # A password may stand before the @, whatever the rest is taken for.
                value=self.url.rpartition("@")[2],
                fix="write http://host:8086 or https://host:8086",
            )
        return bare

    def user(self) -> tuple[str, str] | None:
        """User name and password for a 1.x server; None where none are set."""
        if self.username:
            return self.username, self.password or ""
        if self.token and ":" in self.token:
            name, _, word = self.token.partition(":")
            return name, word
        return None

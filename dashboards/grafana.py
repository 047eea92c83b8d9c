"""A Grafana server: where it is, who we are to it, and its errors in our words."""

from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from pathlib import Path
from typing import Any, Final
from urllib.parse import urlsplit

import requests
from grafana_api.grafana_api import (
    GrafanaClientError,
    GrafanaException,
    GrafanaServerError,
    GrafanaUnauthorizedError,
)
from grafana_api.grafana_face import GrafanaFace

from citynerve.config import Config
from citynerve.errors import CityNerveError, ConfigError, UnavailableError

ENV: Final = {
    "CITYNERVE_GRAFANA_URL": "grafana.url",
    "CITYNERVE_GRAFANA_TOKEN": "grafana.token",
    "CITYNERVE_GRAFANA_USERNAME": "grafana.username",
    "CITYNERVE_GRAFANA_PASSWORD": "grafana.password",
}
"""Environment variables that say where Grafana is and who we are."""

OLDEST: Final = 11
"""The oldest major version whose dashboard schema the boards follow."""

_NOT_FOUND: Final = 404
_FORBIDDEN: Final = 403


class GrafanaConfig(Config):
    """Where Grafana is. A service account's token goes before user name and password."""

    url: str = "http://127.0.0.1:3000"
    token: str | None = None
    username: str | None = None
    password: str | None = None
    ca: str | None = None
    timeout: float = 10.0


class Grafana:
    """One connection to a Grafana server's HTTP API.

    Every method raises UnavailableError where the server can't be reached or fails, and ConfigError
    where it is no Grafana, or refuses us.

    Raises:
        ConfigError: The URL or the CA can't be used, or neither a token nor a user and password are
            set.
    """

    def __init__(self, config: GrafanaConfig) -> None:
        parts = urlsplit(config.url)
        try:
            port = parts.port
        except ValueError:
            port = -1
        if parts.scheme not in {"http", "https"} or not parts.hostname or port == -1:
            raise ConfigError(
                "not the URL of a Grafana server",
                key="grafana.url (CITYNERVE_GRAFANA_URL)",
                value=config.url,
                fix="write http://host:3000 or https://host/grafana",
            )
        if config.ca and not Path(config.ca).is_file():
            raise ConfigError(
                "no such file", key="grafana.ca (--ca)", value=config.ca, fix="name a PEM file"
            )
        host = f"[{parts.hostname}]" if ":" in parts.hostname else parts.hostname
        prefix = parts.path.strip("/")
        self.where = f"{parts.scheme}://{host}{f':{port}' if port else ''}{parts.path.rstrip('/')}"
        self._face = GrafanaFace(
            _identity(config),
            host=host,
            port=port,
            url_path_prefix=f"{prefix}/" if prefix else "",
            protocol=parts.scheme,
            verify=config.ca or True,
            timeout=config.timeout,
        )

    def require_version(self) -> str:
        """See that it is a Grafana of our time; returns its version (empty where it hides it)."""
        with self._explained():
            health = self._face.api.GET("/health")
        if not isinstance(health, dict) or "database" not in health:
            raise self._no_grafana("its answer to /api/health is not Grafana's")
        version = str(health.get("version", ""))
        major = version.partition(".")[0]
        if major.isdigit() and int(major) < OLDEST:
            raise ConfigError(
                f"this is Grafana {version}; the boards need {OLDEST} or newer",
                key=self.where,
                fix=f"upgrade Grafana to {OLDEST} or newer",
            )
        return version

    def find(self, path: str) -> dict[str, Any] | None:
        """What stands at an API path; None where nothing does."""
        try:
            with self._explained():
                found: dict[str, Any] = self._face.api.GET(path)
        except _NotFoundError:
            return None
        return found

    def create(self, path: str, body: Mapping[str, object]) -> None:
        """POST ``body``."""
        with self._explained():
            self._face.api.POST(path, json=body)

    def replace(self, path: str, body: Mapping[str, object]) -> None:
        """PUT ``body``."""
        with self._explained():
            self._face.api.PUT(path, json=body)

    def create_folder(self, uid: str, title: str) -> None:
        """Make a folder."""
        with self._explained():
            self._face.folder.create_folder(title, uid)

    def save_board(self, body: Mapping[str, object]) -> None:
        """Create a dashboard or write a new version of it."""
        with self._explained():
            self._face.dashboard.update_dashboard(body)

    @contextmanager
    def _explained(self) -> Iterator[None]:
        try:
            yield
        except GrafanaException as error:
            raise self._refusal(error) from error
        except requests.exceptions.JSONDecodeError as error:
            raise self._no_grafana("it answers, but not in JSON") from error
        except TypeError as error:
            # grafana-api takes a page of text that holds the word "message" for an object.
            raise self._no_grafana("its error is not in JSON") from error
        except requests.RequestException as error:
            raise UnavailableError(
                "Grafana",
                where=self.where,
                problem=_cause(error),
                fix="start it, or set --url (CITYNERVE_GRAFANA_URL)",
            ) from error

    def _refusal(self, error: GrafanaException) -> CityNerveError:
        if isinstance(error, GrafanaServerError):
            return UnavailableError("Grafana", where=self.where, problem=str(error))
        if isinstance(error, GrafanaUnauthorizedError):
            return ConfigError(
                "Grafana does not accept the credentials",
                key=self.where,
                fix="set CITYNERVE_GRAFANA_TOKEN to a service account's token that is not revoked, "
                "or CITYNERVE_GRAFANA_USERNAME and CITYNERVE_GRAFANA_PASSWORD",
            )
        if isinstance(error, GrafanaClientError) and error.status_code == _FORBIDDEN:
            return ConfigError(
                f"Grafana forbids it: {error}",
                key=self.where,
                fix="give the service account the role Admin (data sources need it)",
            )
        if isinstance(error, GrafanaClientError) and error.status_code == _NOT_FOUND:
            return _NotFoundError(
                "nothing there",
                key=self.where,
                fix="set --url to Grafana's own address, with its sub-path if it has one",
            )
        return ConfigError(f"Grafana refuses it: {error}", key=self.where)

    def _no_grafana(self, problem: str) -> ConfigError:
        return ConfigError(
            f"not a Grafana server: {problem}",
            key=self.where,
            fix="set --url to Grafana's own address, with its sub-path if it has one",
        )


class _NotFoundError(ConfigError):
    """The server has nothing at this path."""


def _identity(config: GrafanaConfig) -> str | tuple[str, str]:
    if config.token:
        return config.token
    if config.username and config.password:
        return config.username, config.password
    raise ConfigError(
        "no credentials for Grafana",
        key="CITYNERVE_GRAFANA_TOKEN",
        fix="set it to a service account's token, or set CITYNERVE_GRAFANA_USERNAME and "
        "CITYNERVE_GRAFANA_PASSWORD",
    )


def _cause(error: BaseException) -> str:
    """The innermost reason: requests and urllib3 wrap it several times."""
    while True:
        reason = getattr(error, "reason", None) or next(
            (arg for arg in error.args if isinstance(arg, BaseException)), None
        )
        if not isinstance(reason, BaseException):
            return str(error) or type(error).__name__
        error = reason

"""InfluxDB 2.x (and writing to 1.8) with its own client, synchronously and in whole strings."""

from collections.abc import Sequence
from typing import Any, Final

import msgspec
import urllib3
from influxdb_client.client.influxdb_client import InfluxDBClient
from influxdb_client.client.write_api import SYNCHRONOUS
from influxdb_client.rest import ApiException

from citynerve.errors import ConfigError
from citynerve.influx.config import InfluxConfig
from citynerve.influx.errors import refusal
from citynerve.influx.http import Answer, Session, check, unavailable
from citynerve.influx.retention import Retention

_PAGE: Final = "100"
_NOT_FOUND: Final = 404


class Organisation:
    """The one organisation that owns the buckets."""

    def __init__(self, session: Session, wanted: str | None) -> None:
        found = session.json("GET", "/api/v2/orgs", params={"limit": _PAGE})["orgs"]
        names = {str(org["name"]): str(org["id"]) for org in found}
        if wanted is None and len(names) != 1:
            raise ConfigError(
                f"the token sees {len(names)} organisations",
                key="influx.org",
                fix=f"set influx.org (CITYNERVE_INFLUX_ORG): {', '.join(sorted(names))}",
            )
        self.name = wanted or next(iter(names))
        if self.name not in names:
            raise ConfigError(
                "no such organisation, or the token may not see it",
                key="influx.org",
                value=self.name,
                fix=f"set influx.org (CITYNERVE_INFLUX_ORG): {', '.join(sorted(names)) or 'none'}",
            )
        self.id = names[self.name]


class Buckets:
    """Buckets and their retention, over ``/api/v2``."""

    def __init__(self, session: Session, org: Organisation) -> None:
        self._session = session
        self._org = org

    def ensure(self, bucket: str, retention: Retention) -> None:
        """Create the bucket where it is missing; set its retention."""
        found = self._find(bucket)
        rule = {
            "type": "expire",
            "everySeconds": retention.seconds,
            "shardGroupDurationSeconds": retention.shard_seconds,
        }
        if found is None:
            wanted = {"orgID": self._org.id, "name": bucket, "retentionRules": [rule]}
            self._send("POST", "/api/v2/buckets", wanted)
        elif _seconds(found) != retention.seconds:
            path = f"/api/v2/buckets/{found['id']}"
            self._send("PATCH", path, {"retentionRules": [rule]})

    def limits(self) -> list[str]:
        """2.x has none that a city may meet."""
        return []

    def _find(self, bucket: str) -> dict[str, Any] | None:
        params = {"orgID": self._org.id, "name": bucket}
        answer = self._session.send("GET", "/api/v2/buckets", params=params)
        if answer.status == _NOT_FOUND:
            return None
        check(self._session.base, answer)
        found: list[dict[str, Any]] = msgspec.json.decode(answer.body)["buckets"]
        return found[0] if found else None

    def _send(self, method: str, path: str, wanted: dict[str, Any]) -> None:
        self._session.json(method, path, body=msgspec.json.encode(wanted))


def _seconds(bucket: dict[str, Any]) -> int:
    rules = bucket.get("retentionRules") or [{"everySeconds": 0}]
    return int(rules[0]["everySeconds"])


class Writer:
    """Line protocol through ``/api/v2/write``.

    Args:
        config: Where the server is.
        token: A 2.x token, or ``user:password`` for 1.8.
        org: The organisation's name; 1.8 ignores it.
        timeout: Seconds.
    """

    def __init__(self, config: InfluxConfig, token: str, org: str, timeout: float) -> None:
        self._base = config.base()
        self._org = org
        self._client = InfluxDBClient(
            url=self._base,
            token=token,
            org=org,
            timeout=round(timeout * 1000),
            ssl_ca_cert=config.ca,
        )
        self._api = self._client.write_api(write_options=SYNCHRONOUS)

    def write(self, database: str, lines: Sequence[str]) -> None:
        """See :meth:`citynerve.influx.Influx.write`."""
        try:
            self._api.write(bucket=database, org=self._org, record="\n".join(lines))
        except ApiException as error:
            body = error.body if isinstance(error.body, bytes) else str(error.body or "").encode()
            answer = Answer(int(error.status or 0), body, {})
            raise refusal(self._base, database, lines, answer) from error
        except (urllib3.exceptions.HTTPError, OSError) as error:
            raise unavailable(self._base, error) from error

    def close(self) -> None:
        """Close its connections."""
        self._client.close()  # type: ignore[no-untyped-call]

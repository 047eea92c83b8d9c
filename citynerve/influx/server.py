"""Which server answers, by asking it."""

import re
from dataclasses import dataclass
from typing import Final, Literal

from citynerve.errors import UnavailableError
from citynerve.influx.http import Session

Api = Literal["1", "1.8", "2"]

_VERSION: Final = re.compile(r"v?(?P<major>\d+)\.(?P<minor>\d+)")
_FAILURE: Final = 400


@dataclass(frozen=True, slots=True)
class Server:
    """A server's own version, and the interface it is spoken to by (see the package's table)."""

    version: str
    api: Api


def ask(session: Session) -> Server:
    """Ask ``/ping`` for the version, and ``/health`` whether it knows the v2 API.

    Raises:
        UnavailableError: Nobody answers, or what answers is no InfluxDB 1.x or 2.x.
    """
    answer = session.send("GET", "/ping")
    version = answer.headers.get("X-Influxdb-Version", "")
    found = _VERSION.match(version)
    if answer.status >= _FAILURE or found is None:
        raise UnavailableError(
            "InfluxDB",
            where=session.base,
            problem=f"something else answers there (HTTP {answer.status})",
            fix="check influx.url (CITYNERVE_INFLUX_URL)",
        )
    major = int(found["major"])
    if major == 1:
        # Some builds of 1.8 hide their version; only the ones with the v2 API know /health.
        knows_v2 = session.send("GET", "/health").status < _FAILURE
        return Server(version, "1.8" if knows_v2 else "1")
    if major == 2:  # noqa: PLR2004 - the generation itself
        return Server(version, "2")
    raise UnavailableError(
        "InfluxDB",
        where=session.base,
        problem=f"its version {version} is not known here",
        fix="use an InfluxDB 1.6 to 1.8, or 2.x",
    )

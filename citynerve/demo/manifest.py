"""What a run is made of, kept in its folder: whoever looks at the run later starts from here."""

from collections.abc import Sequence
from pathlib import Path
from typing import Final

import msgspec

from citynerve.demo.scorecard import CameraTruth, CityTruth
from citynerve.errors import ConfigError, UnavailableError
from citynerve.influx import InfluxConfig

NAME: Final = "run.json"


class Database(msgspec.Struct, frozen=True):
    """Where a run's data are; secrets are the environment's."""

    url: str
    raw: str
    main: str
    org: str | None = None
    ca: str | None = None

    def config(self, secrets: InfluxConfig | None) -> InfluxConfig:
        """How to reach it, with the user's ``secrets`` where there are any."""
        return InfluxConfig(
            url=self.url,
            raw=self.raw,
            main=self.main,
            org=self.org,
            ca=self.ca,
            token=secrets.token if secrets else None,
            username=secrets.username if secrets else None,
            password=secrets.password if secrets else None,
        )


class Manifest(msgspec.Struct, frozen=True, kw_only=True):
    """One run: its database, its nodes' spools, and the ground truth of what it simulates.

    ``spools``: node id to its spool's path. ``view``: the local view's address while it runs.
    """

    started: str
    pid: int
    database: Database
    spools: dict[str, str]
    city: CityTruth | None
    cameras: list[CameraTruth]
    view: str | None = None

    def write(self, folder: Path) -> None:
        """Keep it in a run's folder."""
        fresh = folder / f".{NAME}"
        fresh.write_bytes(msgspec.json.format(msgspec.json.encode(self), indent=2) + b"\n")
        fresh.replace(folder / NAME)


def read(folder: Path) -> Manifest:
    """The run of a folder.

    Raises:
        ConfigError: It holds none.
        UnavailableError: It cannot be read.
    """
    path = folder / NAME
    try:
        return msgspec.json.decode(path.read_bytes(), type=Manifest)
    except FileNotFoundError:
        raise ConfigError(
            "the folder holds no run that has come so far",
            file="command line",
            key="DIR",
            value=str(folder),
            fix="name the folder that the demo said its logs and data are in",
        ) from None
    except (OSError, msgspec.DecodeError) as error:
        raise UnavailableError("run", where=str(path), problem=str(error)) from error


def latest(places: Sequence[Path]) -> Path:
    """The folder of the run that was begun last.

    Raises:
        ConfigError: There is none.
    """
    found = [path for place in places for path in place.glob(f"*/{NAME}")]
    if not found:
        raise ConfigError(
            "no run found",
            file="command line",
            key="DIR",
            fix=f"name its folder; looked into {', '.join(map(str, places))}",
        )
    return max(found, key=lambda path: path.stat().st_mtime).parent

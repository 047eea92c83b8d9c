"""Does InfluxDB hold what the city's files say? Computed from the files by nothing of CityNerve.

    python tests/e2e/aarhus.py FOLDER http://127.0.0.1:8086 [--database citynerve] [--token T]

FOLDER holds traffic/*.csv, parking/*.csv and weather.csv, or any of them. For every file, property
and ten minutes: the count must be equal, the mean within 1e-9 of its size, the maximum equal. Of
rows with the same time the first counts. Times are read as UTC.
"""

import argparse
import csv
import json
import math
import sys
import urllib.parse
import urllib.request
from collections.abc import Iterator
from datetime import UTC, datetime
from pathlib import Path
from typing import NamedTuple

TEN_MINUTES = 600

COLUMNS = {
    "TIMESTAMP,REPORT_ID": {
        "speed": "avgSpeed",
        "vehicles": "vehicleCount",
        "travel_time": "avgMeasuredTime",
    },
    "updatetime,garagecode": {"occupied": "vehiclecount", "spaces": "totalspaces"},
    "TIMESTAMP,": {"humidity": "hum", "temperature": "tempm", "wind_speed": "wspdm"},
}


class Window(NamedTuple):
    readings: int
    mean: float
    high: float


Windows = dict[int, Window]
"""Start, seconds since 1970 UTC -> what ten minutes hold."""


def from_file(path: Path) -> dict[tuple[str, str], Windows]:
    """(sensor, property) -> windows, as the file says."""
    with path.open(newline="", encoding="utf-8-sig") as lines:
        rows = list(csv.DictReader(lines))
    kind = next(k for k in COLUMNS if all(c in rows[0] for c in k.split(",") if c))
    time_column, sensor_column = kind.split(",")
    seen: dict[tuple[str, str], dict[float, float]] = {}
    for row in rows:
        time = datetime.fromisoformat(row[time_column]).replace(tzinfo=UTC).timestamp()
        sensor = (row[sensor_column] if sensor_column else path.stem).lower()
        for name, column in COLUMNS[kind].items():
            if row[column] != "":
                seen.setdefault((sensor, name), {}).setdefault(time, float(row[column]))
    return {key: windows(values) for key, values in seen.items()}


def windows(values: dict[float, float]) -> Windows:
    """Time -> value, by ten minutes."""
    grouped: dict[int, list[float]] = {}
    for time, value in values.items():
        grouped.setdefault(int(time // TEN_MINUTES) * TEN_MINUTES, []).append(value)
    return {
        start: Window(len(group), math.fsum(group) / len(group), max(group))
        for start, group in grouped.items()
    }


def from_influx(url: str, database: str, token: str | None) -> dict[tuple[str, str], Windows]:
    """(sensor, property) -> windows, as InfluxDB holds them."""
    query = (
        'SELECT "count", "mean", "max" FROM aggregate'
        " WHERE \"window\" = '10m' GROUP BY sensor, property"
    )
    form = urllib.parse.urlencode({"db": database, "q": query, "epoch": "s"})
    headers = {"Authorization": f"Token {token}"} if token else {}
    request = urllib.request.Request(  # noqa: S310 - the caller's own server
        f"{url.rstrip('/')}/query", form.encode(), headers
    )
    with urllib.request.urlopen(request) as answer:  # noqa: S310
        (result,) = json.load(answer)["results"]
    return {
        (series["tags"]["sensor"], series["tags"]["property"]): {
            time: Window(count, mean, high) for time, count, mean, high in series["values"]
        }
        for series in result.get("series", [])
    }


def differences(expected: Windows, found: Windows) -> Iterator[str]:
    """Every window that is missing, too many, or says something else."""
    for start in sorted(expected.keys() | found.keys()):
        want, have = expected.get(start), found.get(start)
        if want is None or have is None or not same(want, have):
            yield f"{start}: file {want}, InfluxDB {have}"


def same(want: Window, have: Window) -> bool:
    """Counts and maxima equal, means within 1e-9."""
    means = math.isclose(want.mean, have.mean, rel_tol=1e-9, abs_tol=1e-12)
    return means and (want.readings, want.high) == (have.readings, have.high)


def files(folder: Path) -> list[Path]:
    """The recordings in a folder; the tables of places beside them are none."""
    found = [*folder.glob("traffic/*.csv"), *folder.glob("parking/*.csv")]
    return sorted(found) + [path for path in [folder / "weather.csv"] if path.exists()]


def compare(
    paths: list[Path], url: str, database: str = "citynerve", token: str | None = None
) -> tuple[dict[str, int], list[str]]:
    """Windows compared for each file, and all that differs."""
    held = from_influx(url, database, token)
    compared: dict[str, int] = {}
    wrong: list[str] = []
    for path in paths:
        for (sensor, name), expected in from_file(path).items():
            found = held.get((sensor, name), {})
            wrong += [f"{path.name} {name} {text}" for text in differences(expected, found)]
            compared[path.name] = compared.get(path.name, 0) + len(expected)
    return compared, wrong


def main() -> int:
    """Print a line for each file, and what differs; 1 if anything does."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0] if __doc__ else None)
    parser.add_argument("folder", type=Path)
    parser.add_argument("url")
    parser.add_argument("--database", default="citynerve")
    parser.add_argument("--token")
    given = parser.parse_args()
    compared, wrong = compare(files(given.folder), given.url, given.database, given.token)
    for name, count in compared.items():
        differing = sum(text.startswith(name + " ") for text in wrong)
        sys.stdout.write(f"{name:20} {count:6} windows, {differing} differ\n")
    sys.stdout.writelines(text + "\n" for text in wrong[:20])
    sys.stdout.write(f"{sum(compared.values())} windows of {len(compared)} files, ")
    sys.stdout.write(f"{len(wrong)} differ\n")
    return 1 if wrong or not compared else 0


if __name__ == "__main__":
    sys.exit(main())

"""Two months of a real city through the whole chain, compared with the files window by window."""

import json
import os
import subprocess
import sys
from pathlib import Path

import pytest

from tests.e2e import aarhus
from tests.servers import InfluxDb1

pytestmark = [pytest.mark.e2e, pytest.mark.timeout(900)]


def replay(folder: Path, influx: InfluxDb1, *inputs: Path) -> dict[str, object]:
    """Run the demo until all inputs are committed; its report."""
    report = folder / "report.json"
    options = [
        "--speed",
        "max",
        "--until-done",
        "--report",
        str(report),
        "--dir",
        str(folder / "run"),
    ]
    done = subprocess.run(
        [sys.executable, "-m", "citynerve", "demo", "--replay", *map(str, inputs), *options],
        env={**os.environ, "CITYNERVE_INFLUX_URL": influx.config.url},
        capture_output=True,
        text=True,
        check=False,
        timeout=850,
    )
    assert done.returncode == 0, done.stdout[-2000:] + done.stderr[-2000:]
    told: dict[str, object] = json.loads(report.read_text())
    return told


def test_every_ten_minutes_are_in_influxdb_as_the_files_say(
    samples: Path, tmp_path: Path, influx_process: InfluxDb1
) -> None:
    # Of each kind some; all of them are compared by ``python tests/e2e/aarhus.py``.
    paths = aarhus.files(samples / "aarhus")[::4]
    assert {path.parent.name for path in paths} == {"traffic", "parking", "aarhus"}
    replay(tmp_path, influx_process, *paths)
    compared, wrong = aarhus.compare(paths, influx_process.config.url)
    assert wrong[:10] == []
    assert set(compared) == {path.name for path in paths}
    assert sum(compared.values()) > 100_000


def test_the_comparison_sees_each_kind_of_difference() -> None:
    """Nothing is shown by a comparison that finds no fault with anything."""
    right = aarhus.windows({0.0: 1.0, 300.0: 2.0, 600.0: 4.0})
    assert right == {0: aarhus.Window(2, 1.5, 2.0), 600: aarhus.Window(1, 4.0, 4.0)}
    assert list(aarhus.differences(right, right)) == []
    for changed in (
        {0: right[0]},
        {**right, 1200: right[600]},
        {**right, 0: right[0]._replace(readings=3)},
        {**right, 0: right[0]._replace(high=2.5)},
        {**right, 0: right[0]._replace(mean=1.5 * (1 + 3e-9))},
    ):
        assert len(list(aarhus.differences(right, changed))) == 1
    close = {**right, 0: right[0]._replace(mean=1.5 * (1 + 1e-10))}
    assert list(aarhus.differences(right, close)) == []

"""A short run of the harness for exactness: what faults do must not show in the database."""

from pathlib import Path

import pytest

from benchmarks.chaos.trial import trial


@pytest.mark.chaos
@pytest.mark.timeout(900)
def test_faults_do_not_show_in_the_database(tmp_path: Path) -> None:
    report = trial(tmp_path, seed=5, faults=8, nodes=3)
    assert report.good, report.as_text()
    assert report.chaos is not None
    assert sum(report.chaos.struck.values()) == 8
    assert report.differences is not None
    compared = {name: difference.expected for name, difference in report.differences.items()}
    assert compared.keys() == {"observation", "aggregate", "rollup", "anomaly", "crossing"}
    assert min(compared.values()) > 10
    assert compared["observation"] == report.calm_verdict.observations > 3_000

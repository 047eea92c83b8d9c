"""An agent with the machine's own sensors and no broker: what it costs, and what it says."""

from pathlib import Path

import pytest

from tests.integration.edge.agents import AgentProcess, configure
from tests.waiting import until

pytestmark = pytest.mark.integration

HEAVY = ("numpy", "cv2", "onnxruntime", "bytewax", "numba", "influxdb_client", "urllib3")
MOST_KB = 80 * 1024


def test_it_is_light_and_says_that_nothing_gets_through(tmp_path: Path) -> None:
    machine = {"driver": "machine", "interval_ms": 100}
    url = "mqtt://town:Sesame@127.0.0.1:1"
    # -v names each module on standard error as it is imported.
    agent = AgentProcess(configure(tmp_path, url, machine), python=("-v",))
    until(lambda: "broker not reached" in agent.log.read_text(), "the complaint")
    process = Path(f"/proc/{agent.process.pid}/status").read_text()
    peak = next(line for line in process.splitlines() if line.startswith("VmHWM"))
    assert int(peak.split()[1]) < MOST_KB
    log = agent.log.read_text()
    assert "import 'edge.sensor.machine'" in log
    assert [name for name in HEAVY if f"import '{name}'" in log] == []
    assert "import 'stream" not in log
    assert "Sesame" not in log
    agent.terminate()
    assert agent.process.returncode == 0

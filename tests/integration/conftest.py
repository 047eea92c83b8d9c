"""What tests of nodes share: a small centre, and no agent that outlives its test."""

from collections.abc import Iterator
from pathlib import Path

import pytest

from tests.integration.edge.agents import kill_all
from tests.integration.edge.centre import Centre
from tests.servers import Mosquitto


@pytest.fixture(autouse=True)
def _no_agent_left() -> Iterator[None]:
    yield
    kill_all()


@pytest.fixture
def centre(broker: Mosquitto, tmp_path: Path) -> Iterator[Centre]:
    """One that runs, beside the test's own broker."""
    one = Centre(broker.config.url, tmp_path)
    one.start()
    yield one
    one.kill()

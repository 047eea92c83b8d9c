"""``citynerve simulate``: a city, its cameras, and recordings of what they say."""

from typing import Final

import click

from citynerve.lazy import LazyGroup

_COMMANDS: Final = {
    "city": ("simulators.fleet.cli:city", "Run a simulated city of many nodes, with its truth."),
    "camera": ("simulators.scene.cli:camera", "Render a street scene as a video, with its truth."),
    "record": ("simulators.recording.cli:record", "Record what nodes and stream say over MQTT."),
    "replay": ("simulators.recording.cli:replay", "Play a recording to a broker again."),
    "info": ("simulators.recording.cli:info", "Tell what is in a recording."),
}


@click.group(cls=LazyGroup, table=_COMMANDS)
def simulate() -> None:
    """Simulate a city and its cameras; record and replay."""

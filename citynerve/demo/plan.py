"""What a demo consists of: which nodes there are, and where their ground truth will lie."""

from pathlib import Path
from typing import NamedTuple

from citynerve.demo import city, nodes
from citynerve.demo.city import SimulatedCity
from citynerve.demo.nodes import Tables
from citynerve.demo.options import Options
from citynerve.demo.scorecard import CameraTruth, CityTruth
from simulators.fleet.folder import TRUTH


class Plan(NamedTuple):
    """All nodes of a demo.

    Attributes:
        own: Those with a process of their own: id to tables.
        city: Those of the simulated city, which are one process.
        cameras: The ground truth of simulated cameras.
    """

    own: dict[str, Tables]
    city: SimulatedCity | None
    cameras: list[CameraTruth]

    @property
    def names(self) -> list[str]:
        """The ids of all nodes."""
        return [*(self.city.nodes if self.city else ()), *self.own]

    def city_truth(self, folder: Path) -> CityTruth | None:
        """The city's ground truth, in the city's ``folder``."""
        if self.city is None:
            return None
        return CityTruth(str(folder / TRUTH), list(self.city.nodes))


def make(options: Options, pictures: Path, suffix: str) -> Plan:
    """Plan what was asked for.

    Args:
        options: What was asked for.
        pictures: Where cameras leave their latest pictures.
        suffix: Ends every node's id, where ids of other runs are stored in the same database.

    Raises:
        ConfigError: A folder to replay holds no recorded files, or there is no such city.
    """
    town = city.plan(options, suffix)
    own = nodes.plan(options, pictures, town, suffix)
    truths = [
        CameraTruth(camera["options"]["truth"], node, camera["name"])
        for node, tables in own.items()
        for camera in tables.get("camera", ())
        if "options" in camera
    ]
    return Plan(own, town, truths)

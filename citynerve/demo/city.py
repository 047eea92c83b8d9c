"""The demo's simulated city: which nodes it has, and what is asked of ``simulate city``."""

from typing import Final, NamedTuple

from citynerve.demo.options import Options
from simulators import city

_INTERVAL: Final = "2s"
"""Between two readings: livelier than sensors are, so that the first minute has much to show."""
_HISTORY: Final = "2d"
"""Given at once at the start, so that detectors know what is usual."""


class SimulatedCity(NamedTuple):
    """The city, and the options of ``citynerve simulate city`` that make it."""

    plan: city.Plan
    wishes: tuple[str, ...]

    @property
    def nodes(self) -> tuple[str, ...]:
        """The ids of its nodes."""
        return tuple(node.id for node in self.plan.nodes)


def plan(options: Options, suffix: str = "") -> SimulatedCity | None:
    """The city that was asked for; None: none.

    Args:
        options: What was asked for.
        suffix: Ends every node's id, where ids of other runs are stored in the same database.

    Raises:
        ConfigError: There is no city of so many nodes.
    """
    if not options.simulated:
        return None
    wishes = {
        "--nodes": str(options.simulated),
        "--seed": str(options.seed),
        "--history": _HISTORY,
        "--interval": _INTERVAL,
    }
    if suffix:
        wishes["--suffix"] = suffix
    if options.until_done:
        wishes["--for"] = f"{options.simulated_seconds}s"
    return SimulatedCity(
        city.plan(options.simulated, options.seed, suffix),
        tuple(part for pair in wishes.items() for part in pair),
    )

"""What a fleet drives: an edge agent, or what behaves as one."""

from typing import Protocol

from citynerve.errors import CityNerveError


class Member(Protocol):
    """One node; see :class:`edge.agent.Agent`, which is one."""

    @property
    def ended(self) -> bool:
        """Whether nothing will follow."""
        ...

    @property
    def done(self) -> bool:
        """Whether nothing will follow, and all there was is committed."""
        ...

    @property
    def connected(self) -> bool:
        """Whether the broker can be reached just now."""
        ...

    @property
    def observations(self) -> int:
        """Those spooled since the process started."""
        ...

    @property
    def unsent(self) -> int:
        """Batches that wait for the stream."""
        ...

    @property
    def failure(self) -> CityNerveError | None:
        """What it failed of, if it has."""
        ...

    @property
    def left(self) -> bool:
        """Whether the last status has arrived, or nothing can be done for it."""
        ...

    def start(self) -> None:
        """Begin to connect."""
        ...

    def step(self, *, limit: int) -> bool:
        """One turn; whether there is more to do at once. ``limit``: items read at the most."""
        ...

    def due(self) -> int:
        """When (ms, as :func:`edge.link.monotonic_ms`) the next step is worth while."""
        ...

    def leave(self) -> None:
        """Keep what is collected and publish the last status."""
        ...

    def close(self) -> None:
        """Say goodbye and let go of everything; after :meth:`leave`."""
        ...

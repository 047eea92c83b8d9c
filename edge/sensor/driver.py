"""What a driver is: the one interface between an input and the agent.

A driver hands out readings, marks and events; it knows nothing of batches, spools or MQTT. The
agent polls it from one thread, sorts and de-duplicates what it gives (``edge.order``) and spools
it.
"""

from collections.abc import Sequence
from typing import NamedTuple, Protocol, runtime_checkable

from citynerve.messages import GOOD, CameraAbout, Event, Evidence, SensorAbout


class Reading(NamedTuple):
    """One observation as the sensor gave it; ``t`` in ms since 1970 UTC, ``value`` in its unit."""

    sensor: str
    property: str
    t: int
    value: float
    quality: int = GOOD


class Mark(NamedTuple):
    """A promise: this datastream gives nothing at or before ``t`` (ms) any more."""

    sensor: str
    property: str
    t: int


Item = Reading | Mark | Event | Evidence


@runtime_checkable
class Scheduled(Protocol):
    """What a driver may tell besides, so that many of them need not be asked again and again."""

    def next_due(self, now: int) -> int | None:
        """From when on (ms by the clock that :meth:`Driver.poll` is given) it may have items.

        ``now`` or less where it has some already; None where nothing will follow.
        """
        ...


class Driver(Protocol):
    """A source of items.

    Attributes:
        name: Unique in the node; part of the resume cursor, so it must stay the same.
        resumable: Whether two runs from the same origin give the same items in the same order. The
            agent then starts it anew after a crash and skips as many items as were durably taken,
            and holds it back, rather than losing anything, when the spool is full. A live input is
            not resumable: it is polled in any case.
        finished: The input has ended and all of it has been handed out.
    """

    name: str
    resumable: bool

    @property
    def finished(self) -> bool:
        """Whether nothing will ever follow."""
        ...

    def sensors(self) -> Sequence[SensorAbout]:
        """The datastreams it gives: names, units, ranges, lateness (ms).

        A live driver may find more while it runs, and is asked again when it gives one of them.
        """
        ...

    def cameras(self) -> Sequence[CameraAbout]:
        """The cameras it is; empty for a sensor."""
        ...

    def identity(self) -> str:
        """Of a resumable driver, what its items follow from, in a few words or a digest.

        As long as it stays the same, so do the items. A driver that says another thing than when
        it was begun is refused, since counting its items on would lose some or give some twice.
        Of a live one, empty.

        Raises:
            CityNerveError: The input cannot be read.
        """
        ...

    def open(self, origin: int) -> None:
        """Begin from the start of the input.

        Args:
            origin: When the node first started this driver, ms since 1970 UTC; the same after every
                restart. What has no times of its own counts them from here.

        Raises:
            CityNerveError: The input cannot be opened.
        """
        ...

    def poll(self, now: int, limit: int) -> Sequence[Item]:
        """At most about ``limit`` items that are due at ``now`` (ms); never blocks.

        Empty means: nothing yet (or for ever, if ``finished``).

        Raises:
            CityNerveError: The input has failed. A live one is closed, and opened again after a
                while; a resumable one has ended, and is run again by the next process.
        """
        ...

    def problems(self) -> Sequence[str]:
        """What is wrong just now, for people; empty when all is well."""
        ...

    def close(self) -> None:
        """Release what was opened. Called once after each :meth:`open`."""
        ...

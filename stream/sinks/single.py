"""A sink of one partition: what all of the stream's sinks are to Bytewax."""

from collections.abc import Callable
from typing import TypeVar

from bytewax.outputs import FixedPartitionedSink, StatefulSinkPartition

X = TypeVar("X")
S = TypeVar("S")


class SingleSink(FixedPartitionedSink[X, S]):
    """One partition, in whichever worker Bytewax puts it.

    Args:
        part: Its name, a key of the stored state: frozen (see ``stream.flow``).
        build: Makes the partition from its stored state, None at its first start.
    """

    def __init__(self, part: str, build: Callable[[S | None], StatefulSinkPartition[X, S]]) -> None:
        self._part = part
        self._build = build

    def list_parts(self) -> list[str]:
        """The one."""
        return [self._part]

    def build_part(
        self, step_id: str, for_part: str, resume_state: S | None
    ) -> StatefulSinkPartition[X, S]:
        """Build it."""
        del step_id, for_part
        return self._build(resume_state)

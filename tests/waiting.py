"""Waiting for what must come about, however slow the machine: a condition, never a while."""

import time
from collections.abc import Callable
from typing import Final, TypeVar

PATIENCE_S: Final = 120.0
"""Seconds for one step of one process. No test shows that something is quick by this: whoever runs
out of it waits for what will not come."""

T = TypeVar("T")


def until(ask: Callable[[], T], what: str, patience: float = PATIENCE_S) -> T:
    """The first answer that is true."""
    deadline = time.monotonic() + patience
    while not (answer := ask()):
        assert time.monotonic() < deadline, f"not within {patience:.0f} s: {what}"
        time.sleep(0.02)
    return answer

"""The wall clock as the contract counts it: integer milliseconds since 1970 UTC."""

import time
from collections.abc import Callable

Clock = Callable[[], int]
"""Returns milliseconds since 1970-01-01T00:00:00Z. Passed in wherever a test must move it."""


def now_ms() -> int:
    """The system's clock."""
    return time.time_ns() // 1_000_000

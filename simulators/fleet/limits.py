"""How many files a process may have open: a thousand nodes need five thousand."""

import resource
from typing import Final

from citynerve.errors import ConfigError

PER_NODE: Final = 5
"""A socket, the spool, its log, its shared memory and its lock."""

_BESIDE: Final = 128


def allow(nodes: int) -> None:
    """Have the system allow this process as many open files as a fleet of ``nodes`` needs.

    Raises:
        ConfigError: The system's hard limit lies below.
    """
    needed = nodes * PER_NODE + _BESIDE
    soft, hard = resource.getrlimit(resource.RLIMIT_NOFILE)
    if _reaches(soft, needed):
        return
    if not _reaches(hard, needed):
        raise ConfigError(
            f"{nodes} nodes need {needed} open files, and this user may have {hard}",
            key="--nodes",
            value=nodes,
            fix=f"raise the limit (ulimit -Hn, or LimitNOFILE={needed} of a systemd unit),"
            f" or write at most {max(1, (hard - _BESIDE) // PER_NODE)}",
        )
    resource.setrlimit(resource.RLIMIT_NOFILE, (needed, hard))


def _reaches(limit: int, needed: int) -> bool:
    return limit == resource.RLIM_INFINITY or limit >= needed

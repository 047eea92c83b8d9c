"""Where messages travel: MQTT topics under one root, and the shard of a node.

A node's shard is the first hex digit of ``blake2b(node, digest_size=1)``. It never changes, so a
partition of the stream owns the same nodes for ever.
"""

import re
from dataclasses import dataclass
from functools import lru_cache
from hashlib import blake2b
from typing import Final

DEFAULT_ROOT: Final = "city/v1"
SHARDS: Final = tuple("0123456789abcdef")

NODE_PATTERN: Final = r"^[a-z0-9][a-z0-9-]{0,62}$"
NAME_PATTERN: Final = r"^[a-z0-9][a-z0-9_-]{0,62}$"
AREA_PATTERN: Final = r"^[a-z0-9][a-z0-9_-]{0,62}(/[a-z0-9][a-z0-9_-]{0,62})*$"

_NODE: Final = re.compile(NODE_PATTERN)
_NAME: Final = re.compile(NAME_PATTERN)
_AREA: Final = re.compile(AREA_PATTERN)


def is_node(text: str) -> bool:
    """Whether ``text`` may name a node."""
    return _NODE.match(text) is not None and not text.endswith("\n")


def is_name(text: str) -> bool:
    """Whether ``text`` may name a sensor, property, camera, line, zone or level of an area."""
    return _NAME.match(text) is not None and not text.endswith("\n")


def is_area(text: str) -> bool:
    """Whether ``text`` is a path of names, such as ``aarhus/centrum/spanien``."""
    return _AREA.match(text) is not None and not text.endswith("\n")


def district(area: str) -> str:
    """The second level of an area's path; an area of one level is its own district."""
    levels = area.split("/", 2)
    return levels[1] if len(levels) > 1 else levels[0]


@lru_cache(maxsize=65536)
def shard(node: str) -> str:
    """The node's shard, one of ``SHARDS``.

    >>> shard("node-0"), shard("cam-nw-01"), shard("a")
    ('4', '7', 'd')
    """
    return blake2b(node.encode(), digest_size=1).hexdigest()[0]


@dataclass(frozen=True, slots=True)
class Topics:
    """All topics under one root (default ``city/v1``)."""

    root: str = DEFAULT_ROOT

    def obs(self, node: str) -> str:
        """Hellos and batches of one node."""
        return f"{self.root}/obs/{shard(node)}/{node}"

    def obs_filter(self, shard_digit: str) -> str:
        """Hellos and batches of all nodes of one shard."""
        return f"{self.root}/obs/{shard_digit}/+"

    def ack(self, node: str) -> str:
        """The stream's acknowledgements to one node."""
        return f"{self.root}/ack/{shard(node)}/{node}"

    def status(self, node: str) -> str:
        """A node's retained status, also its last will."""
        return f"{self.root}/status/{node}"

    def status_filter(self) -> str:
        """The status of every node."""
        return f"{self.root}/status/+"

    def last(self, node: str, sensor: str, prop: str) -> str:
        """The retained mirror of a datastream's last value, for other tools."""
        return f"{self.root}/last/{node}/{sensor}/{prop}"

    def owner(self) -> str:
        """The retained claim of the stream that runs."""
        return f"{self.root}/stream/owner"

    def anomaly(self, district_name: str, prop: str) -> str:
        """Anomaly events of one property in one district."""
        return f"{self.root}/event/anomaly/{district_name}/{prop}"

    def rejected(self) -> str:
        """What could not be taken in, and why."""
        return f"{self.root}/rejected"

    def everything(self) -> str:
        """The filter that matches all of this root."""
        return f"{self.root}/#"

    def split(self, topic: str) -> list[str]:
        """The levels below the root; empty when the topic is not below it."""
        prefix = self.root + "/"
        return topic[len(prefix) :].split("/") if topic.startswith(prefix) else []

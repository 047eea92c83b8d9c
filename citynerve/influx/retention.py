"""How long a database keeps its points, and how it cuts them into shards."""

from dataclasses import dataclass

_DAY = 86_400


@dataclass(frozen=True, slots=True)
class Retention:
    """A span in whole days; 0 is without end."""

    days: int

    @property
    def seconds(self) -> int:
        """The span in seconds; 0 is without end."""
        return self.days * _DAY

    @property
    def shard_seconds(self) -> int:
        """The span of one shard, as InfluxDB chooses it for this retention.

        It must be stated with every change, since a shard may not outlast the retention.
        """
        if self.days == 0 or self.days > 180:  # noqa: PLR2004 - InfluxDB's own steps
            return 7 * _DAY
        return _DAY if self.days >= 2 else 3600  # noqa: PLR2004


ENDLESS = Retention(0)

"""What the stream counts about itself, for the ``stream`` measurement. Not part of its state."""

import threading
from collections import defaultdict
from collections.abc import Mapping


class Meters:
    """Figures by part and name, of one process; safe to use from any thread."""

    def __init__(self) -> None:
        self._lock = threading.Lock()
        self._figures: defaultdict[str, dict[str, float]] = defaultdict(dict)

    def add(self, part: str, name: str, amount: float = 1) -> None:
        """Count up; a counter's value is the total since the process started."""
        with self._lock:
            figures = self._figures[part]
            figures[name] = figures.get(name, 0) + amount

    def set(self, part: str, name: str, value: float) -> None:
        """Say how something stands now."""
        with self._lock:
            self._figures[part][name] = value

    def get(self, part: str, name: str) -> float:
        """One figure; 0 where nothing was said of it."""
        with self._lock:
            return self._figures[part].get(name, 0)

    def read(self) -> Mapping[str, Mapping[str, float]]:
        """A copy of all figures."""
        with self._lock:
            return {part: dict(figures) for part, figures in self._figures.items()}

"""A board's address: which board, what is chosen, which range, how often it is drawn anew.

The parameters are Grafana's: ``var-NAME`` (as often as there are values), ``from``, ``to`` and
``refresh``.
"""

from collections.abc import Iterable, Mapping, Sequence
from typing import Any, Final
from urllib.parse import quote, urlencode

import msgspec

from citynerve.errors import ConfigError
from dashboards.queries import ALL, Choice
from dashboards.view.spans import Window
from dashboards.view.variables import Variable

_CHOICE: Final = "var-"


class Address(msgspec.Struct):
    """What an address says of a board; what it does not say is None."""

    uid: str
    chosen: dict[str, Choice] = msgspec.field(default_factory=dict)
    window: Window | None = None
    refresh: str | None = None

    def text(self) -> str:
        """The address, from the slash on."""
        pairs = [
            (f"{_CHOICE}{name}", value)
            for name, choice in self.chosen.items()
            for value in ((choice,) if isinstance(choice, str) else choice)
        ]
        if self.window is not None:
            pairs += [("from", self.window.start), ("to", self.window.end)]
        if self.refresh is not None:
            pairs.append(("refresh", self.refresh))
        query = urlencode(pairs, safe="/:$")
        return f"/d/{quote(self.uid)}{'?' if query else ''}{query}"


def read(uid: str, pairs: Iterable[tuple[str, str]]) -> Address:
    """An address from its parameters; a range that is none is left out.

    Args:
        uid: The board's.
        pairs: The query's names and values, in their order.
    """
    several: dict[str, list[str]] = {}
    for name, value in pairs:
        several.setdefault(name, []).append(value)
    chosen: dict[str, Choice] = {}
    for name, values in several.items():
        if name.startswith(_CHOICE):
            choice = values[0] if len(values) == 1 else tuple(values)
            chosen[name.removeprefix(_CHOICE)] = ALL if choice == "All" else choice
    window = None
    if "from" in several or "to" in several:
        found = Window(several.get("from", ["now-1h"])[0], several.get("to", ["now"])[0])
        window = found if is_window(found) else None
    return Address(uid, chosen, window, several.get("refresh", [None])[0])


def is_window(window: Window) -> bool:
    """Whether both ends are moments, in their order."""
    try:
        window.resolve(0 if window.start.startswith("now") else 1)
    except ConfigError:
        return False
    return True


def to_board(
    uid: str, known: Sequence[Variable], chosen: Mapping[str, Choice], window: Window | None
) -> str:
    """Another board with the same range, and what is chosen here as far as it has a place there.

    Args:
        uid: The other board's.
        known: The other board's variables.
        chosen: What is chosen here; "All" is not carried.
        window: None: the other board's own.
    """
    names = {variable.name for variable in known}
    carried = {name: choice for name, choice in chosen.items() if name in names and choice != ALL}
    return Address(uid, carried, window).text()


def default_window(board: Mapping[str, Any]) -> Window:
    """The range that a board opens with."""
    time = board.get("time") or {}
    return Window(time.get("from") or "now-1h", time.get("to") or "now")

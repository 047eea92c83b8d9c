"""Which texts of a board people read: what a catalogue has to hold."""

import re
from collections.abc import Iterator, Mapping
from typing import Any, Final

_READ: Final = frozenset({"title", "description", "label", "noValue", "displayName", "axisLabel"})
"""Keys whose value is read wherever they stand in a board's JSON."""

_NAMED: Final = frozenset({"layers", "annotations"})
"""Lists of things whose ``name`` is read."""

_UNREAD: Final = frozenset({"-", "0", "_", "lat", "lon"})

_COLUMN: Final = re.compile(r'\bAS "([^"]+)"')
"""A column's name in InfluxQL, which is a series' name where a panel gives it no other."""


def of_board(board: Mapping[str, Any]) -> set[str]:
    """Every English text of a board's JSON; what comes out of the data is not among them."""
    return {text for text in _texts(board, "") if text.strip() and text not in _UNREAD}


def _texts(node: object, key: str) -> Iterator[str]:
    if isinstance(node, list):
        for one in node:
            if key in _NAMED and isinstance(one, Mapping) and isinstance(one.get("name"), str):
                yield one["name"]
            yield from _texts(one, key)
    elif isinstance(node, Mapping):
        yield from _special(node)
        for name, value in node.items():
            if name in _READ and isinstance(value, str):
                yield value
            else:
                yield from _texts(value, "annotations" if key == "annotations" else name)


def _special(node: Mapping[str, Any]) -> Iterator[str]:
    """Texts under keys that mean something else in other places."""
    if node.get("id") in {"displayName", "noValue", "custom.axisLabel"}:
        yield str(node.get("value") or "")
    if isinstance(node.get("text"), str) and "color" in node:  # what a value is shown as
        yield node["text"]
    renamed = node.get("renameByName")
    if isinstance(renamed, Mapping):
        yield from (str(name) for name in renamed.values() if name)
    alias = node.get("alias")
    if isinstance(alias, str) and "$" not in alias:
        yield alias
    query = node.get("query")
    if isinstance(query, str) and "rawQuery" in node:
        yield from (name for name in _COLUMN.findall(query) if "$" not in name)
    if node.get("type") == "text":
        yield str((node.get("options") or {}).get("content") or "")

"""Where a value leads: a field's links with the row, the variables and the range put in.

As in Grafana, what is put in is percent-encoded unless the address names a format of its own
(``${__value.raw:raw}``). A link to a scheme other than ``http(s)`` or a path is left out: a board
must not run scripts in the reader's page.
"""

import re
from collections.abc import Mapping, Sequence
from typing import Final
from urllib.parse import quote, urlsplit

from dashboards.queries import Choice
from dashboards.view import text, values
from dashboards.view.frames import Field, Frame, Link, Value
from dashboards.view.numbers import plain
from dashboards.view.spans import Window
from dashboards.view.variables import Variable

_SAFE_SCHEMES: Final = frozenset({"", "http", "https"})
_QUOTED: Final = re.compile(r"\[[\"']?([^\]\"']+)[\"']?\]")


def links(
    field: Field,
    frame: Frame,
    row: int,
    variables: Sequence[Variable],
    chosen: Mapping[str, Choice],
    window: Window,
) -> list[Link]:
    """The links of one value, in their order; an empty list where it has none.

    Args:
        field: Whose links they are.
        frame: Its table.
        row: The value's row in it.
        variables: The board's.
        chosen: What is chosen, by name.
        window: The range on show.
    """
    board = text.lookup(variables, chosen, window, "uriencode")

    def find(name: str, form: str | None, *, encode: bool) -> str | None:
        found = _own(name, field, frame, row)
        if found is None:
            return board(name, form)
        return found if form in {"raw", "text"} or not encode else quote(found, safe="")

    made = (
        Link(
            text.replaced(link.title, lambda name, form: find(name, form, encode=False)),
            text.replaced(link.url, lambda name, form: find(name, form, encode=True)).strip(),
            link.new_tab,
        )
        for link in field.config.links
    )
    return [link for link in made if is_safe(link.url)]


def is_safe(url: str) -> bool:
    """Whether an address leads to a page, not to a script."""
    try:
        return urlsplit(url).scheme.lower() in _SAFE_SCHEMES and not re.search(r"[\x00-\x1f]", url)
    except ValueError:
        return False


def _own(name: str, field: Field, frame: Frame, row: int) -> str | None:
    """``__data.fields.X``, ``__field.labels.x``, ``__value.raw`` and their kin."""
    name = _QUOTED.sub(r".\1", name)
    head, _, rest = name.partition(".")
    if head == "__value":
        return _of_value(field, frame, row, rest or "text")
    if head == "__field":
        kind, _, label = rest.partition(".")
        if kind == "name":
            return values.title(field)
        return field.labels.get(label, "") if kind == "labels" else None
    if head == "__series":
        return values.title(field) if rest == "name" else None
    if head == "__data" and rest.startswith("fields."):
        return _of_row(frame, row, rest.removeprefix("fields."))
    return None


def _of_value(field: Field, frame: Frame, row: int, form: str) -> str | None:
    if form == "time":
        times = next((other for other in frame.fields if other.kind == "time"), None)
        return _raw(times.values[row]) if times else ""
    if form in {"raw", "numeric"}:
        return _raw(field.values[row])
    return values.shown(field.values[row], field.config) if form == "text" else None


def _of_row(frame: Frame, row: int, name: str) -> str | None:
    for ending in ("", ".text", ".numeric"):
        if ending and not name.endswith(ending):
            continue
        bare = name.removesuffix(ending) if ending else name
        other = _named(frame, bare)
        if other is not None:
            value = other.values[row]
            shown = "" if value is None else values.shown(value, other.config)
            return _raw(value) if ending == ".numeric" else shown
    return None


def _named(frame: Frame, name: str) -> Field | None:
    if name.isdigit():
        place = int(name)
        return frame.fields[place] if place < len(frame.fields) else None
    found = (field for field in frame.fields if name in {field.name, values.title(field)})
    return next(found, None)


def _raw(value: Value) -> str:
    if value is None:
        return ""
    if isinstance(value, bool):
        return "true" if value else "false"
    return plain(value) if isinstance(value, int | float) else value

"""Variables in texts: titles, descriptions, addresses. Queries have :mod:`dashboards.queries`.

``$name``, ``${name}`` and ``${name:format}``, and of Grafana's own ``${__url_time_range}``,
``${__all_variables}``, ``${__from}`` and ``${__to}``. A name that nobody knows stays as it stands,
as in Grafana.
"""

import json
import re
from collections.abc import Callable, Mapping, Sequence
from typing import Final
from urllib.parse import quote

from dashboards.queries import ALL, Choice
from dashboards.view.spans import Window
from dashboards.view.variables import Variable

_NAME: Final = re.compile(
    r"\$(?:(?P<bare>\w+)|\{(?P<braced>[\w.\[\]\"' -]+)(?::(?P<format>\w+))?\})",
    re.ASCII,  # as JavaScript's: a Chinese letter ends a name
)
_REGEX_SPECIAL: Final = re.compile(r"[\\^$*+?.()|\[\]{}/]")

Lookup = Callable[[str, str | None], str | None]
"""(name, format) -> what stands for it; None: nothing."""


def interpolated(
    text: str,
    variables: Sequence[Variable],
    chosen: Mapping[str, Choice],
    window: Window | None = None,
    default: str = "text",
) -> str:
    """A text with the variables' values.

    Args:
        text: With ``$name`` and the like.
        variables: The board's.
        chosen: What is chosen, by name.
        window: The range on show, for ``${__url_time_range}`` and its kin.
        default: The format where the text names none: ``text``, ``uriencode`` ...
    """
    return replaced(text, lookup(variables, chosen, window, default))


def lookup(
    variables: Sequence[Variable],
    chosen: Mapping[str, Choice],
    window: Window | None = None,
    default: str = "text",
) -> Lookup:
    """What :func:`interpolated` puts in for a name, for who knows more names."""
    known = {variable.name for variable in variables}

    def find(name: str, form: str | None) -> str | None:
        if name in known and name in chosen:
            return formatted(name, chosen[name], form or default)
        if name == "__all_variables":
            return all_variables(variables, chosen)
        if window is not None:
            return {
                "__url_time_range": time_range(window),
                "__from": window.start,
                "__to": window.end,
            }.get(name)
        return None

    return find


def replaced(text: str, find: Lookup) -> str:
    """A text with what ``find`` has for each name; what it does not have stays."""

    def put(match: re.Match[str]) -> str:
        found = find(match["bare"] or match["braced"], match["format"])
        return match[0] if found is None else found

    return _NAME.sub(put, text)


def time_range(window: Window) -> str:
    """A range as a part of an address: ``from=now-1h&to=now``."""
    return f"from={quote(window.start, safe='')}&to={quote(window.end, safe='')}"


def all_variables(variables: Sequence[Variable], chosen: Mapping[str, Choice]) -> str:
    """Every choice as a part of an address: ``var-node=a&var-node=b``."""
    return "&".join(
        formatted(variable.name, chosen[variable.name], "queryparam")
        for variable in variables
        if variable.name in chosen and variable.kind != "constant"
    )


def formatted(name: str, choice: Choice, form: str) -> str:
    """A choice in one of Grafana's formats (``csv``, ``queryparam``, ``regex`` ...).

    >>> formatted("node", ("a b", "c"), "queryparam")
    'var-node=a%20b&var-node=c'
    """
    values = [choice] if isinstance(choice, str) else list(choice)
    if form == "queryparam":
        return "&".join(f"var-{quote(name, safe='')}={quote(value, safe='')}" for value in values)
    if form == "text":
        return " + ".join("All" if value == ALL else value for value in values)
    return _FORMATS.get(form, _glob)(values)


def _glob(values: Sequence[str]) -> str:
    return values[0] if len(values) == 1 else f"{{{','.join(values)}}}"


def _regex(values: Sequence[str]) -> str:
    escaped = [_REGEX_SPECIAL.sub(lambda special: "\\" + special[0], value) for value in values]
    return escaped[0] if len(escaped) == 1 else f"({'|'.join(escaped)})"


_FORMATS: Final[dict[str, Callable[[Sequence[str]], str]]] = {
    "glob": _glob,
    "raw": ",".join,
    "csv": ",".join,
    "pipe": "|".join,
    "regex": _regex,
    "json": lambda values: json.dumps(values[0] if len(values) == 1 else list(values)),
    "singlequote": lambda values: ",".join(f"'{value}'" for value in values),
    "doublequote": lambda values: ",".join(f'"{value}"' for value in values),
    "percentencode": lambda values: quote(_glob(values), safe=""),
    "uriencode": lambda values: quote(_glob(values), safe=""),
}

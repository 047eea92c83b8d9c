"""A board's variables: what they offer, and what is chosen for each.

The kinds that are understood are Grafana's ``query``, ``custom``, ``interval``, ``constant`` and
``textbox``; a variable's query may name the variables before it.
"""

import re
from collections.abc import Mapping, Sequence
from typing import Any, Final, Literal, get_args

import msgspec

from citynerve.errors import ConfigError
from dashboards import queries
from dashboards.queries import ALL, Choice

Kind = Literal["query", "custom", "interval", "constant", "textbox"]

_HIDDEN: Final = 2
"""Grafana's ``hide``: neither label nor choice is shown."""

_ALL_TEXT: Final = "All"
"""How addresses that people write say :data:`~dashboards.queries.ALL`; Grafana takes both."""

_DIGITS: Final = re.compile(r"(\d+)")


class Variable(msgspec.Struct, frozen=True, kw_only=True):
    """One variable of a board.

    Attributes:
        name: As queries and addresses name it.
        label: For people.
        description: For people; may be empty.
        kind: Grafana's type.
        query: What is asked, for the kind ``query``; the one value, for ``constant``.
        source: The data source's uid, for the kind ``query``.
        regex: Keeps the values that it matches (of them its first group, if any); may be empty.
        sort: Grafana's number of an order (0: as the database gives them).
        fixed: The values on offer, where no query gives them.
        multi: Whether several may be chosen.
        include_all: Whether "All" may be chosen.
        all_value: What "All" stands for in a query; None: every value on offer.
        hidden: Whether it is not shown above the board.
        default: What the board's author chose; None: the first on offer.
    """

    name: str
    label: str
    kind: Kind
    description: str = ""
    query: str = ""
    source: str = ""
    regex: str = ""
    sort: int = 0
    fixed: tuple[str, ...] = ()
    multi: bool = False
    include_all: bool = False
    all_value: str | None = None
    hidden: bool = False
    default: Choice | None = None

    @property
    def core(self) -> queries.Variable:
        """What substitution needs of it."""
        all_value = (self.all_value or None) if self.include_all else None
        return queries.Variable(
            self.name, self.source, self.query, self.multi, all_value, self.fixed
        )


def read(board: Mapping[str, Any]) -> list[Variable]:
    """The board's variables, in the order in which they are filled.

    Raises:
        ConfigError: One has a type that is not understood here.
    """
    return [_variable(entry) for entry in board.get("templating", {}).get("list", [])]


def arranged(variable: Variable, offered: Sequence[str]) -> list[str]:
    """What a query gave, filtered and ordered as the variable says, each value once.

    Raises:
        ConfigError: The variable's filter is no regular expression.
    """
    kept = dict.fromkeys(_filtered(variable, offered))
    return _sorted(list(kept), variable.sort)


def settled(variable: Variable, offered: Sequence[str], asked: Choice | None) -> Choice | None:
    """What is chosen: what is ``asked`` for as far as it is on offer, the default, or the first.

    Returns:
        The choice (a tuple of several only), or None where nothing is on offer.
    """
    if variable.kind == "textbox":
        return _single(asked) if asked else _single(variable.default or "")
    if variable.kind == "constant":
        return variable.query
    for wanted in (asked, variable.default):
        found = _available(variable, offered, wanted)
        if found is not None:
            return found
    return offered[0] if offered else None


def expanded(variable: Variable, offered: Sequence[str], choice: Choice) -> Choice:
    """What stands in queries: "All" without a value of its own is every value on offer."""
    if choice == ALL and not variable.all_value:
        return tuple(offered)
    return choice


def _variable(entry: Mapping[str, Any]) -> Variable:
    kind = entry["type"]
    if kind not in get_args(Kind):
        raise ConfigError(
            "a variable of a type that the local view does not know",
            key=entry["name"],
            value=kind,
            fix=f"use one of {', '.join(get_args(Kind))}",
        )
    query = entry.get("query") or ""
    if isinstance(query, dict):  # the form that the plugin's editor stores
        query = query.get("query") or ""
    return Variable(
        name=entry["name"],
        label=entry.get("label") or entry["name"],
        description=entry.get("description") or "",
        kind=kind,
        query=query if kind in {"query", "constant"} else "",
        source=entry["datasource"]["uid"] if kind == "query" else "",
        regex=entry.get("regex") or "",
        sort=int(entry.get("sort") or 0),
        fixed=_fixed(entry, query) if kind in {"custom", "interval"} else (),
        multi=bool(entry.get("multi")),
        include_all=bool(entry.get("includeAll")),
        all_value=entry.get("allValue") or None,
        hidden=entry.get("hide") == _HIDDEN or kind == "constant",
        default=_choice((entry.get("current") or {}).get("value", query or None)),
    )


def _fixed(entry: Mapping[str, Any], query: str) -> tuple[str, ...]:
    options = tuple(option["value"] for option in entry.get("options") or ())
    if not options:
        parts = (part.strip().replace("\\,", ",") for part in re.split(r"(?<!\\),", query))
        options = tuple(part.partition(" : ")[2] or part for part in parts)
    return tuple(value for value in options if value and value != ALL)


def _choice(value: object) -> Choice | None:
    if isinstance(value, list):
        several = tuple(str(one) for one in value)
        if ALL in several:
            return ALL
        return several or None
    return str(value) if value not in (None, "") else None


def _single(choice: Choice) -> str:
    return choice if isinstance(choice, str) else choice[0]


def _available(variable: Variable, offered: Sequence[str], wanted: Choice | None) -> Choice | None:
    if not wanted:
        return None
    several = (wanted,) if isinstance(wanted, str) else wanted
    if ALL in several or (_ALL_TEXT in several and _ALL_TEXT not in offered):
        return ALL if variable.include_all and offered else None
    found = tuple(value for value in several if value in offered)
    if not found:
        return None
    return found if variable.multi and len(found) > 1 else found[0]


def _filtered(variable: Variable, offered: Sequence[str]) -> list[str]:
    """The values that the filter matches; where it has a group, what that holds instead."""
    if not variable.regex:
        return list(offered)
    wanted = _pattern(variable)
    if not wanted.groups:
        return [value for value in offered if wanted.search(value)]
    group = "value" if "value" in wanted.groupindex else 1
    matches = [wanted.search(value) for value in offered]
    return [match[group] for match in matches if match and match[group] is not None]


def _pattern(variable: Variable) -> re.Pattern[str]:
    written = re.fullmatch(r"/(.*)/[a-z]*", variable.regex)
    body = written[1] if written else variable.regex
    try:
        return re.compile(re.sub(r"\(\?<(\w+)>", r"(?P<\1>", body))
    except re.error as error:
        raise ConfigError(
            f"not a regular expression: {error}", key=f"{variable.name}.regex", value=variable.regex
        ) from error


def _sorted(values: list[str], order: int) -> list[str]:
    """Grafana's orders: 1, 2 by alphabet; 3, 4 by number; 5, 6 without case; 7, 8 natural."""
    keys = (str, _number, str.lower, _natural)
    if not 1 <= order <= 2 * len(keys):
        return values
    key = keys[(order - 1) // 2]
    return sorted(values, key=key, reverse=order % 2 == 0)


def _number(value: str) -> float:
    found = re.search(r"\d+(\.\d+)?", value)
    return float(found[0]) if found else -1.0


def _natural(value: str) -> list[tuple[int, int | str]]:
    parts = _DIGITS.split(value.lower())
    return [(0, int(part)) if part.isdigit() else (1, part) for part in parts if part]

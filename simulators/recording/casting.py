"""Which nodes of a recording are played, and as whom."""

from collections import Counter
from collections.abc import Callable, Mapping, Sequence
from fnmatch import fnmatchcase
from typing import NamedTuple

from msgspec import structs

from citynerve.errors import ConfigError
from citynerve.messages import About
from citynerve.topics import is_node
from simulators.recording.about import abouts
from simulators.recording.selection import Missing, Selection
from simulators.recording.survey import Survey


class Names:
    """The names that recorded nodes are played under.

    Args:
        rules: A prefix for all, or ``OLD=NEW`` for one node each; empty: their own names.

    Raises:
        ConfigError: A rule cannot be followed.

    >>> names = Names(["lab-"])
    >>> names.of("cam-1"), names.prefix("cam-1")
    ('lab-cam-1', 'lab-')
    """

    def __init__(self, rules: Sequence[str] = ()) -> None:
        self._prefix = ""
        self._each: dict[str, str] = {}
        for rule in rules:
            old, equals, new = rule.partition("=")
            if equals:
                self._each[old] = new
            elif self._prefix:
                raise _no_name("two prefixes are given", rule)
            else:
                self._prefix = rule

    def of(self, node: str) -> str:
        """The name a recorded node is played under.

        Raises:
            ConfigError: It would be no name of a node.
        """
        name = self._each.get(node, self._prefix + node)
        if not is_node(name):
            raise _no_name(f"node {node!r} would have a name that is not allowed", name)
        return name

    def prefix(self, node: str) -> str:
        """What stands before the ids of its events and pictures, so that they are its own."""
        new = self._each.get(node)
        return self._prefix if new is None else f"{new}-"

    def check(self, nodes: Sequence[str]) -> None:
        """See that no two nodes get one name, and that all that are named exist.

        Raises:
            ConfigError: They do, or one does not.
        """
        strangers = sorted(self._each.keys() - set(nodes))
        if strangers:
            raise _no_name("no such node is played", strangers[0])
        taken: dict[str, str] = {}
        for node in nodes:
            other = taken.setdefault(self.of(node), node)
            if other != node:
                raise _no_name(f"{other!r} and {node!r} would both have this name", self.of(node))


def _no_name(problem: str, value: str) -> ConfigError:
    return ConfigError(
        problem,
        file="command line",
        key="--rename",
        value=value,
        fix="write a prefix such as lab-, or OLD=NEW for one node;"
        " a name has a-z, 0-9 and -, at most 63 characters",
    )


class Globs:
    """Names that match any of some patterns (``*``, ``?``, ``[...]``); without any, all do."""

    def __init__(self, patterns: Sequence[str]) -> None:
        self._patterns = tuple(patterns)
        self._known: dict[str, bool] = {}

    def __call__(self, name: str) -> bool:
        """Whether it matches."""
        known = self._known.get(name)
        if known is None:
            known = not self._patterns or any(fnmatchcase(name, one) for one in self._patterns)
            self._known[name] = known
        return known


class Part(NamedTuple):
    """One node to be played.

    ``abouts``: by recorded term. ``name``: it is played under. ``prefix``: of its ids.
    """

    node: str
    name: str
    prefix: str
    abouts: Mapping[int, About]
    form: str
    batches: int
    missing: Sequence[Missing]


class Cast(NamedTuple):
    """Who is played; ``built``: terms whose hello is not in the recording, by node."""

    parts: Sequence[Part]
    built: Counter[str]


def cast(
    survey: Survey,
    *,
    nodes: Globs,
    properties: Callable[[str], bool],
    names: Names,
    area: str | None = None,
) -> Cast:
    """Choose the nodes of a recording that have something to play.

    Args:
        survey: Of the recording.
        nodes: Which of them.
        properties: Which properties, and types of events.
        names: What they are called.
        area: For nodes of which nothing says where they stand.

    Raises:
        ConfigError: None is left, or a name cannot be given.
    """
    chosen = [
        name
        for name, node in sorted(survey.nodes.items())
        if node.played and nodes(name) and _observes(survey, name, properties)
    ]
    if not chosen:
        raise _nothing(survey)
    names.check(chosen)
    parts, built = [], Counter[str]()
    for name in chosen:
        known, missing = abouts(survey, name, area=area)
        built[name] = missing
        node = survey.nodes[name]
        selection = Selection(node)
        parts.append(
            Part(
                name,
                names.of(name),
                names.prefix(name),
                {term: _only(about, properties) for term, about in known.items()},
                node.terms[node.played[-1]].form,
                selection.batches,
                selection.missing(),
            )
        )
    return Cast(parts, +built)


def _observes(survey: Survey, name: str, wanted: Callable[[str], bool]) -> bool:
    node = survey.nodes[name]
    return bool(
        any(wanted(prop) for _, prop in node.series)
        or any(wanted(kind) for kind in node.events)
        or node.pictures
    )


def _only(about: About, wanted: Callable[[str], bool]) -> About:
    """The description without the properties that are left out."""
    sensors = tuple(
        structs.replace(
            sensor, properties=tuple(one for one in sensor.properties if wanted(one.name))
        )
        for sensor in about.sensors
    )
    return structs.replace(about, sensors=sensors)


def _nothing(survey: Survey) -> ConfigError:
    batches = sum(len(term.seqs) for node in survey.nodes.values() for term in node.terms.values())
    if batches:
        nodes = ", ".join(sorted(survey.nodes)[:8])
        return ConfigError(
            "none of the recorded nodes is chosen",
            file="command line",
            key="--node, --property",
            fix=f"leave them out, or choose among {nodes}, ...",
        )
    if survey.outside:
        return ConfigError(
            f"{survey.outside} batches stand in the recording, none of them in this span",
            file="command line",
            key="--from, --until",
            fix="see `citynerve simulate info` for the recording's span",
        )
    return ConfigError(
        "holds no observations: nothing of obs/#",
        key="PATH",
        fix="record with --topics '#', or at least 'obs/#' and 'ack/#'",
    )

"""A board's JSON and InfluxDB in, what is drawn out.

Everything here is synchronous and may be called from any number of threads: a panel's queries run
side by side in the engine's own threads, and equal queries of several panels run once.
"""

import time
from collections.abc import Mapping, Sequence
from datetime import tzinfo
from typing import Any, Final, Self

from citynerve.errors import CityNerveError, ConfigError
from dashboards import queries
from dashboards.queries import Choice, Query, Range
from dashboards.sources import SOURCES
from dashboards.view import answers, marks, spans, variables
from dashboards.view.asking import Answer, Asking
from dashboards.view.frames import Frame, PanelData
from dashboards.view.looks import dressed
from dashboards.view.tables import Table
from dashboards.view.text import interpolated
from dashboards.view.transform import transformed
from dashboards.view.truth import Truth
from dashboards.view.variables import Variable

OFFERS_S: Final = 5.0
"""How long a variable's choices are good for."""

ANSWERS_S: Final = 2.0
"""How long a panel's answers are good for: all panels of one drawing share them, the next has
another range anyway."""

_NEWEST: Final = 'SELECT last("count") FROM "aggregate"'

_TIMED: Final = frozenset(
    {"timeseries", "state-timeline", "status-history", "candlestick", "heatmap", "trend"}
)
"""Types of panels that annotations are drawn on."""


class Engine:
    """Runs boards' queries.

    Args:
        asking: Who asks InfluxDB.
        truth: A simulated city's incidents, marked on every time axis.
    """

    def __init__(self, asking: Asking, truth: Truth | None = None) -> None:
        self._asking = asking
        self._truth = truth

    def variables(self, board: Mapping[str, Any]) -> list[Variable]:
        """The board's variables, in the order in which they are filled.

        Raises:
            ConfigError: One is of a kind that is not known here.
        """
        return variables.read(board)

    def options(
        self, board: Mapping[str, Any], name: str, chosen: Mapping[str, Choice]
    ) -> list[str]:
        """What a variable offers, given what is chosen for the ones before it; without "All".

        Raises:
            ConfigError: There is no such variable, or its query is wrong.
            UnavailableError: InfluxDB does not answer.
        """
        known = self.variables(board)
        variable = next((one for one in known if one.name == name), None)
        if variable is None:
            raise ConfigError("the board has no such variable", key=name)
        return self._offered(variable, known, chosen)

    def settle(self, board: Mapping[str, Any], asked: Mapping[str, Choice]) -> dict[str, Choice]:
        """What is chosen for every variable, one after the other.

        What is asked for, as far as it is on offer; else the board's default; else the first on
        offer. A variable that has nothing on offer is missing from the result.

        Raises:
            ConfigError: A variable is wrong.
            UnavailableError: InfluxDB does not answer.
        """
        known = self.variables(board)
        chosen: dict[str, Choice] = {}
        for variable in known:
            offered = self._offered(variable, known, chosen)
            choice = variables.settled(variable, offered, asked.get(variable.name))
            if choice is not None:
                chosen[variable.name] = choice
        return chosen

    def newest(self) -> int | None:
        """When the newest window began, in ms since 1970 UTC; None while there is none.

        Raises:
            ConfigError: A database is missing.
            UnavailableError: InfluxDB does not answer.
        """
        asked = [self._asking.ask(source.uid, _NEWEST, OFFERS_S) for source in SOURCES]
        rows = [row for answer in asked for series in answer.get() for row in series.values]
        return max((int(row[0]) for row in rows), default=None)

    def panel(
        self,
        board: Mapping[str, Any],
        panel: Mapping[str, Any],
        chosen: Mapping[str, Choice],
        span: Range,
        zone: tzinfo | None = None,
    ) -> PanelData:
        """What a panel shows; whatever is wrong with it stands in ``error``.

        Args:
            board: Its board's JSON.
            panel: Its JSON.
            chosen: The variables' values, see :meth:`settle`.
            span: The board's range; of one drawing the same for all panels.
            zone: The board's time zone; None: this machine's.
        """
        begun = time.monotonic()
        try:
            known = self.variables(board)
            values = self._expanded(known, chosen)
            tables = self._tables(panel, known, values, spans.of_panel(panel, span))
            data = PanelData(
                frames=dressed(panel, transformed(tables, panel, zone)),
                annotations=self._annotations(board, panel, known, values, span),
            )
        except CityNerveError as error:
            data = PanelData(error=str(error))
        data.seconds = time.monotonic() - begun
        return data

    def close(self) -> None:
        """End the threads and connections."""
        self._asking.close()

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *_: object) -> None:
        self.close()

    def _offered(
        self, variable: Variable, known: Sequence[Variable], chosen: Mapping[str, Choice]
    ) -> list[str]:
        if variable.kind in {"constant", "textbox"}:
            return [variable.query] if variable.query else []
        if variable.kind != "query":
            return list(variable.fixed)
        try:
            cores = [one.core for one in known]
            values = self._expanded(known[: known.index(variable)], chosen)
            text = queries.interpolate(variable.query, cores, values)
        except KeyError:
            return []  # one that it needs has nothing on offer
        series = self._asking.ask(variable.source, text, OFFERS_S).get()
        tables = answers.as_series("", series)
        found = [str(v) for t in tables for v in t.columns[-1].values if v is not None]
        return variables.arranged(variable, found)

    def _expanded(
        self, known: Sequence[Variable], chosen: Mapping[str, Choice]
    ) -> dict[str, Choice]:
        """The choices as queries need them: "All" without a pattern is every value on offer."""
        values: dict[str, Choice] = {}
        for place, variable in enumerate(known):
            choice = chosen.get(variable.name)
            if choice is None:
                continue
            if choice == queries.ALL and not variable.all_value:
                offered = self._offered(variable, known[: place + 1], chosen)
                choice = variables.expanded(variable, offered, choice)
            values[variable.name] = choice
        return values

    def _tables(
        self,
        panel: Mapping[str, Any],
        known: Sequence[Variable],
        values: Mapping[str, Choice],
        span: Range,
    ) -> list[Table]:
        least = spans.milliseconds(panel["interval"]) if panel.get("interval") else 0
        shown = [target for target in panel.get("targets") or () if not target.get("hide")]
        asked = [self._asked(panel, target, known, values, span, least) for target in shown]
        tables: list[Table] = []
        for target, answer in zip(shown, asked, strict=True):
            ref, series = target["refId"], answer.get()
            if target.get("resultFormat", "time_series") == "table":
                tables.extend(answers.as_table(ref, series))
            else:
                alias = interpolated(target.get("alias") or "", known, values)
                tables.extend(answers.as_series(ref, series, alias))
        return tables

    def _asked(
        self,
        panel: Mapping[str, Any],
        target: Mapping[str, Any],
        known: Sequence[Variable],
        values: Mapping[str, Choice],
        span: Range,
        least: int,
    ) -> Answer:
        source = (target.get("datasource") or panel.get("datasource") or {}).get("uid", "")
        if not target.get("rawQuery") or "query" not in target:
            raise ConfigError(
                "the local view runs raw InfluxQL only",
                key=f"query {target.get('refId')}",
                fix="switch the query to raw mode",
            )
        query = Query(f"query {target['refId']}", source, target["query"], least)
        text = filled(query, known, values, span)
        return self._asking.ask(source, text, ANSWERS_S)

    def _annotations(
        self,
        board: Mapping[str, Any],
        panel: Mapping[str, Any],
        known: Sequence[Variable],
        values: Mapping[str, Choice],
        span: Range,
    ) -> list[Frame]:
        if panel.get("type") not in _TIMED:
            return []
        found = []
        for mark in marks.of_panel(board, panel):
            query = Query(f"annotation {mark.name}", mark.source, mark.query)
            text = filled(query, known, values, span)
            found.append((mark, self._asking.ask(mark.source, text, ANSWERS_S)))
        frames = [marks.frame(mark, answer.get()) for mark, answer in found]
        return [*frames, *([self._truth.frame(values, span)] if self._truth else [])]


def filled(
    query: Query, known: Sequence[Variable], values: Mapping[str, Choice], span: Range
) -> str:
    """The InfluxQL that Grafana would send.

    Raises:
        ConfigError: The query names a variable that the board does not have, or one without a
            value.
    """
    try:
        return queries.substitute(query, [one.core for one in known], values, span)
    except KeyError as error:
        name = str(error.args[0])
        there = any(one.name == name for one in known)
        raise ConfigError(
            f"{query.place}: the variable ${name} has no value: nothing is on offer in this"
            " database"
            if there
            else f"{query.place} names ${name}, a variable that the board does not have",
            fix="start nodes or the stream, so that there is data" if there else None,
        ) from error

"""What the Grafana SDK lacks: InfluxQL targets, variables and annotations.

The SDK has no builder for the InfluxDB plugin, so the payloads here follow the plugin's own query
model (Grafana 11: ``rawQuery``, ``query``, ``resultFormat``, ``alias``).
"""

from typing import Final, Literal

from grafana_foundation_sdk.builders.dashboard import AnnotationQuery, CustomVariable, QueryVariable
from grafana_foundation_sdk.cog.builder import Builder
from grafana_foundation_sdk.cog.variants import Dataquery
from grafana_foundation_sdk.models import dashboard

from dashboards.sources import Source

ALL: Final = ".*"
"""What the choice "All" of a variable stands for: Grafana puts it into the query as it is."""

ResultFormat = Literal["time_series", "table"]


class Target(Dataquery):
    """One InfluxQL query of a panel, as the plugin stores it."""

    def __init__(
        self,
        ref: str,
        source: Source,
        query: str,
        form: ResultFormat = "table",
        alias: str | None = None,
    ) -> None:
        self.ref = ref
        self.source = source
        self.query = query
        self.form = form
        self.alias = alias

    def to_json(self) -> dict[str, object]:
        """The target's JSON; the SDK's encoder calls this."""
        shown = {"alias": self.alias} if self.alias else {}
        return {
            "refId": self.ref,
            "datasource": self.source.ref,
            "rawQuery": True,
            "query": self.query,
            "resultFormat": self.form,
            **shown,
        }


class InfluxQL(Builder[Dataquery]):
    """Builds a :class:`Target`; several lines of ``query`` are joined by spaces."""

    def __init__(self, ref: str, source: Source, query: str) -> None:
        self._target = Target(ref, source, " ".join(query.split()))

    def series(self, alias: str) -> "InfluxQL":
        """One series a group, named ``alias`` (``$col``, ``$tag_x``), instead of one table."""
        self._target.form = "time_series"
        self._target.alias = alias
        return self

    def build(self) -> Dataquery:
        """The target."""
        return self._target


def tag_values(
    name: str, label: str, source: Source, query: str, *, default: str | None = None
) -> QueryVariable:
    """A variable whose choices are the values of a tag; ``default`` where it is among them."""
    variable = (
        QueryVariable(name)
        .label(label)
        .datasource(source.ref)
        .query(" ".join(query.split()))
        .refresh(dashboard.VariableRefresh.ON_TIME_RANGE_CHANGED)
        .sort(dashboard.VariableSort.NATURAL_ASC)
        .include_all(include_all=False)
        .multi(multi=False)
    )
    if default is not None:
        variable.current(dashboard.VariableOption(selected=True, text=default, value=default))
    _leave_interval_keys_out(variable)
    return variable


def with_all(variable: QueryVariable) -> QueryVariable:
    """Let a variable take several values, or all of them (the default)."""
    return (
        variable.include_all(include_all=True)
        .multi(multi=True)
        .all_value(ALL)
        .current(dashboard.VariableOption(selected=True, text=["All"], value=["$__all"]))
    )


def choice(name: str, label: str, values: tuple[str, ...], default: str) -> CustomVariable:
    """A variable with fixed choices."""
    variable = (
        CustomVariable(name)
        .label(label)
        .values(",".join(values))
        .options(
            [
                dashboard.VariableOption(selected=value == default, text=value, value=value)
                for value in values
            ]
        )
        .current(dashboard.VariableOption(selected=True, text=default, value=default))
    )
    _leave_interval_keys_out(variable)
    return variable


def _leave_interval_keys_out(variable: Builder[dashboard.VariableModel]) -> None:
    # The SDK writes the keys of an interval variable for every kind; Grafana's schema has them not.
    model = variable.build()
    model.auto = model.auto_min = model.auto_count = None


class _AnnotationTarget(dashboard.AnnotationTarget):
    """The plugin's annotation query; the SDK's own target is for Grafana's built-in source."""

    def __init__(self, query: str, text: str, tags: str, end: str) -> None:
        super().__init__(type_val="tags")
        self._query = query
        self._text = text
        self._tags = tags
        self._end = end

    def to_json(self) -> dict[str, object]:
        return {
            "refId": "Anno",
            "rawQuery": True,
            "textEditor": True,
            "fromAnnotations": True,
            "query": self._query,
            "textColumn": self._text,
            "tagsColumn": self._tags,
            "timeEndColumn": self._end,
        }


class _AnnotationTargetBuilder(Builder[dashboard.AnnotationTarget]):
    def __init__(self, target: _AnnotationTarget) -> None:
        self._target = target

    def build(self) -> dashboard.AnnotationTarget:
        return self._target


def annotation(
    name: str, source: Source, query: str, *, text: str, tags: str, end: str, color: str
) -> AnnotationQuery:
    """Marks on every time series of a board, from the columns ``text``, ``tags`` and ``end``."""
    target = _AnnotationTarget(" ".join(query.split()), text, tags, end)
    return (
        AnnotationQuery()
        .name(name)
        .datasource(source.ref)
        .enable(enable=True)
        .icon_color(color)
        .target(_AnnotationTargetBuilder(target))
    )

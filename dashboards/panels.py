"""The kinds of panels that the boards share, each with one look: figures, lines, bars, tables."""

from collections.abc import Mapping, Sequence
from typing import Final

from grafana_foundation_sdk.builders import (
    barchart,
    bargauge,
    geomap,
    stat,
    statetimeline,
    table,
    timeseries,
)
from grafana_foundation_sdk.builders.common import (
    ReduceDataOptions,
    StackingConfig,
    TableSortByFieldState,
)
from grafana_foundation_sdk.builders.dashboard import Dashboard
from grafana_foundation_sdk.models import common, dashboard

from dashboards.influxql import InfluxQL
from dashboards.links import others
from dashboards.looks import (
    BLUE,
    VERMILION,
    Properties,
    by_threshold,
    fixed,
    legend,
    steps,
    tooltip,
)

Panel = (
    barchart.Panel
    | bargauge.Panel
    | geomap.Panel
    | stat.Panel
    | statetimeline.Panel
    | table.Panel
    | timeseries.Panel
)
Place = tuple[int, int, int, int]
"""x, y, width, height on Grafana's grid, which is 24 columns wide."""

NOTHING: Final = "-"
"""What a figure shows where there is no data."""


def board(
    uid: str, title: str, description: str, *, span: str = "1h", refresh: str = "10s"
) -> Dashboard:
    """An empty board of CityNerve's that shows the last ``span``, and leads to the others."""
    made = (
        Dashboard(title)
        .uid(uid)
        .description(description)
        .tags(["citynerve"])
        .timezone("browser")
        .time(f"now-{span}", "now")
        .refresh(refresh)
        .tooltip(dashboard.DashboardCursorSync.CROSSHAIR)
    )
    for link in others(uid):
        made.link(link)
    return made


def place(on: Dashboard, panels: Sequence[tuple[Panel, Place]]) -> Dashboard:
    """Put panels on a board, numbered from 1 in their order."""
    for number, (panel, (x, y, width, height)) in enumerate(panels, start=1):
        on.with_panel(panel.id(number).grid_pos(dashboard.GridPos(height, width, x, y)))
    return on


def key_figure(
    title: str,
    description: str,
    target: InfluxQL,
    calc: str = "lastNotNull",
    decimals: int | None = 0,
) -> stat.Panel:
    """One big number, reduced from a series by ``calc`` (``lastNotNull``, ``mean``, ``sum``).

    Without ``decimals`` it has three significant digits, as a shortened number needs them.
    """
    panel = (
        stat.Panel()
        .title(title)
        .description(description)
        .with_target(target)
        .reduce_options(ReduceDataOptions().calcs([calc]).values(values=False).fields(""))
        .color_mode(common.BigValueColorMode.VALUE)
        .graph_mode(common.BigValueGraphMode.AREA)
        .text_mode(common.BigValueTextMode.VALUE)
        .color_scheme(fixed(BLUE))
        .no_value(NOTHING)
        .height(4)
    )
    return panel if decimals is None else panel.decimals(decimals)


def count(title: str, description: str, target: InfluxQL) -> stat.Panel:
    """A number of things; none of them is zero, not nothing."""
    return key_figure(title, description, target).no_value("0")


def alarm_above_zero(panel: stat.Panel) -> stat.Panel:
    """Show a key figure in another colour as soon as it isn't zero."""
    return panel.color_scheme(by_threshold()).thresholds(steps((None, BLUE), (1, VERMILION)))


def lines(title: str, description: str) -> timeseries.Panel:
    """Curves over time."""
    return (
        timeseries.Panel()
        .title(title)
        .description(description)
        .draw_style(common.GraphDrawStyle.LINE)
        .line_width(1)
        .show_points(common.VisibilityMode.AUTO)
        .legend(legend())
        .tooltip(tooltip())
    )


def bars(title: str, description: str) -> timeseries.Panel:
    """Counts over time, those of several series on top of each other."""
    return (
        lines(title, description)
        .draw_style(common.GraphDrawStyle.BARS)
        .line_width(0)
        .fill_opacity(80)
        .show_points(common.VisibilityMode.NEVER)
        .min(0)
        .stacking(StackingConfig().mode(common.StackingMode.NORMAL).group("A"))
    )


def ranking(title: str, description: str, target: InfluxQL) -> bargauge.Panel:
    """The last value of each series as a bar, one below the other."""
    return (
        bargauge.Panel()
        .title(title)
        .description(description)
        .with_target(target)
        .orientation(common.VizOrientation.HORIZONTAL)
        .display_mode(common.BarGaugeDisplayMode.BASIC)
        .value_mode(common.BarGaugeValueMode.TEXT)
        .show_unfilled(show_unfilled=True)
        .reduce_options(ReduceDataOptions().calcs(["lastNotNull"]).values(values=False).fields(""))
        .no_value(NOTHING)
    )


def columns(title: str, description: str, over: str) -> barchart.Panel:
    """Bars side by side for each value of the field ``over``."""
    return (
        barchart.Panel()
        .title(title)
        .description(description)
        .x_field(over)
        .orientation(common.VizOrientation.VERTICAL)
        .stacking(common.StackingMode.NONE)
        .show_value(common.VisibilityMode.NEVER)
        .group_width(0.7)
        .bar_width(0.95)
        .line_width(0)
        .fill_opacity(85)
        .legend(legend())
        .tooltip(tooltip())
        .min(0)
    )


def listing(title: str, description: str, target: InfluxQL) -> table.Panel:
    """A table with narrow rows and a header."""
    return (
        table.Panel()
        .title(title)
        .description(description)
        .with_target(target)
        .show_header(show_header=True)
        .cell_height(common.TableCellHeight.SM)
    )


def with_columns(panel: table.Panel, overrides: Mapping[str, Properties]) -> table.Panel:
    """Say how each column of a table reads; they stand in this order.

    Without that, InfluxDB's data source puts the time first, then tags by their names.
    """
    order = {column: number for number, column in enumerate(overrides)}
    panel.with_transformation(
        transformed("organize", excludeByName={}, indexByName=order, renameByName={})
    )
    for column, properties in overrides.items():
        panel.override_by_name(column, properties)
    return panel


def sorted_by(panel: table.Panel, title: str, *, descending: bool = False) -> table.Panel:
    """Order a table by the column that reads ``title``."""
    return panel.sort_by([TableSortByFieldState().display_name(title).desc(descending)])


def states(title: str, description: str) -> statetimeline.Panel:
    """How something stood over time, as coloured spans with words."""
    return (
        statetimeline.Panel()
        .title(title)
        .description(description)
        .merge_values(merge_values=True)
        .show_value(common.VisibilityMode.AUTO)
        .align_value(common.TimelineValueAlignment.LEFT)
        .row_height(0.8)
        .fill_opacity(80)
        .line_width(0)
        .legend(legend())
        .tooltip(tooltip())
    )


def colored_cell() -> common.TableCellOptions:
    """Cells on the colour of their value."""
    return common.TableColoredBackgroundCellOptions(
        mode=common.TableCellBackgroundDisplayMode.BASIC
    )


def transformed(kind: str, **options: object) -> dashboard.DataTransformerConfig:
    """One of Grafana's transformations."""
    return dashboard.DataTransformerConfig(id_val=kind, options=options)


def matrix(row: str, column: str, value: str) -> list[dashboard.DataTransformerConfig]:
    """A row for each value of one column and a column for each of another.

    Grouped first, since Grafana otherwise heads every column with the name of ``value``: InfluxDB's
    data source gives that a title, which outlasts the matrix (grafana/grafana#87332).
    """
    by = {"operation": "groupby", "aggregations": []}
    last = {"operation": "aggregate", "aggregations": ["lastNotNull"]}
    return [
        transformed("groupBy", fields={row: by, column: by, value: last}),
        transformed(
            "groupingToMatrix",
            rowField=row,
            columnField=column,
            valueField=f"{value} (lastNotNull)",
            emptyValue="null",
        ),
    ]

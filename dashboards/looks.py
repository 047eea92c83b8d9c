"""How values look on the boards: colours, thresholds, overrides, words for states."""

from collections.abc import Mapping
from typing import Final

from grafana_foundation_sdk.builders.common import VizLegendOptions, VizTooltipOptions
from grafana_foundation_sdk.builders.dashboard import FieldColor, ThresholdsConfig
from grafana_foundation_sdk.models import common, dashboard

Properties = list[dashboard.DynamicConfigValue]
"""The properties of one override."""

# Okabe and Ito's palette: told apart by colour-blind people too.
BLUE: Final = "#0072B2"
SKY: Final = "#56B4E9"
VERMILION: Final = "#D55E00"
GREEN: Final = "#009E73"
ORANGE: Final = "#E69F00"
PURPLE: Final = "#CC79A7"
GREY: Final = "#999999"


def fixed(color: str) -> FieldColor:
    """One colour whatever the value."""
    return FieldColor().mode(dashboard.FieldColorModeId.FIXED).fixed_color(color)


def by_threshold() -> FieldColor:
    """The colour of the highest threshold that a value reaches."""
    return FieldColor().mode(dashboard.FieldColorModeId.THRESHOLDS)


def scale() -> FieldColor:
    """From yellow for the least to blue for the greatest."""
    return FieldColor().mode(dashboard.FieldColorModeId.CONTINUOUS_YL_BL)


def steps(*pairs: tuple[float | None, str]) -> ThresholdsConfig:
    """Absolute thresholds: each colour holds from its value on, the first from minus infinity."""
    return (
        ThresholdsConfig()
        .mode(dashboard.ThresholdsMode.ABSOLUTE)
        .steps([dashboard.Threshold(value=value, color=color) for value, color in pairs])
    )


def words(names: Mapping[str, tuple[str, str]]) -> dashboard.ValueMapping:
    """Value -> text and colour that stand for it."""
    return dashboard.ValueMap(
        options={
            value: dashboard.ValueMappingResult(text=text, color=color, index=index)
            for index, (value, (text, color)) in enumerate(names.items())
        }
    )


def missing(text: str, color: str) -> dashboard.ValueMapping:
    """What stands where there is no value."""
    return dashboard.SpecialValueMap(
        options=dashboard.DashboardSpecialValueMapOptions(
            match=dashboard.SpecialValueMatch.NULL,
            result=dashboard.ValueMappingResult(text=text, color=color, index=0),
        )
    )


def running() -> dashboard.ValueMapping:
    """Any count of at least one as the word for it."""
    return dashboard.RangeMap(
        options=dashboard.DashboardRangeMapOptions(
            from_val=1,
            to=1e9,
            result=dashboard.ValueMappingResult(text="running", color=GREEN, index=0),
        )
    )


ONLINE: Final = {"1": ("online", GREEN), "0": ("offline", VERMILION)}
STATES: Final = {
    "ok": ("ok", GREEN),
    "degraded": ("degraded", ORANGE),
    "failing": ("failing", VERMILION),
}


def prop(name: str, value: object) -> dashboard.DynamicConfigValue:
    """One property of an override."""
    return dashboard.DynamicConfigValue(id_val=name, value=value)


def hidden() -> Properties:
    """Leave a column out of a table."""
    return [prop("custom.hidden", value=True)]


def titled(title: str, unit: str | None = None) -> Properties:
    """Name a column for people, with its unit where it has one."""
    named = [prop("displayName", title)]
    return [*named, prop("unit", unit)] if unit else named


def colored(color: str) -> dashboard.DynamicConfigValue:
    """One colour for a series or column."""
    return prop("color", {"mode": "fixed", "fixedColor": color})


def worded(names: Mapping[str, tuple[str, str]]) -> Properties:
    """Show a column's values as words on their colours."""
    return [
        prop("mappings", [words(names)]),
        prop("custom.cellOptions", {"type": "color-text"}),
    ]


def bar(color: str) -> Properties:
    """Draw a number as a bar in its cell."""
    return [
        prop("custom.cellOptions", {"type": "gauge", "mode": "basic", "valueDisplayMode": "text"}),
        colored(color),
        prop("min", 0),
        prop("decimals", 0),
    ]


def nowhere() -> dashboard.DynamicConfigValue:
    """Keep a field out of legend, tooltip and drawing."""
    return prop("custom.hideFrom", {"legend": True, "tooltip": True, "viz": True})


def legend(*calcs: str) -> VizLegendOptions:
    """Below the drawing: names, or a table with figures of each series where ``calcs`` are."""
    mode = common.LegendDisplayMode.TABLE if calcs else common.LegendDisplayMode.LIST
    return (
        VizLegendOptions()
        .show_legend(show_legend=True)
        .display_mode(mode)
        .placement(common.LegendPlacement.BOTTOM)
        .calcs(list(calcs))
    )


def tooltip() -> VizTooltipOptions:
    """All series at the pointer's time, the greatest first."""
    return (
        VizTooltipOptions().mode(common.TooltipDisplayMode.MULTI).sort(common.SortOrder.DESCENDING)
    )

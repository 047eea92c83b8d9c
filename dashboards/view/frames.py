"""What a panel is drawn from: frames of fields, as Grafana names them.

A frame is a table by columns; a field is one column with how its values are to be shown. What is
here is complete: whoever draws a frame needs no look at the panel's queries, transformations,
field defaults or overrides any more.
"""

from collections.abc import Mapping, Sequence
from typing import Any, Literal

import msgspec

Kind = Literal["time", "number", "string", "boolean"]
"""Of a field's values: ``time`` is ms since 1970 UTC; every kind may hold None."""

Value = float | int | str | bool | None


class Threshold(msgspec.Struct, frozen=True):
    """From ``value`` on (None: from minus infinity), values have this colour."""

    value: float | None
    color: str


class ValueMapping(msgspec.Struct, frozen=True, rename={"low": "from", "high": "to"}):
    """Shows a value, or those from ``low`` to ``high``, as a text, in a colour."""

    text: str | None = None
    color: str | None = None
    value: str | None = None
    low: float | None = None
    high: float | None = None
    special: str | None = None
    """``null``, ``nan``, ``null+nan``, ``true``, ``false`` or ``empty``."""


class Link(msgspec.Struct, frozen=True):
    """Leads from a value to a page; ``url`` holds ``${__data.fields.X}`` and the like."""

    title: str
    url: str
    new_tab: bool = False


class FieldConfig(msgspec.Struct, kw_only=True):
    """How a field's values are shown, defaults and overrides already brought together.

    Attributes:
        display_name: Replaces the field's name.
        unit: Grafana's id of a unit (``velocitykmh``, ``percent``, ``short`` ...), or
            ``suffix:x``; None: bare numbers.
        decimals: After the point; None: as many as tell values apart.
        low: Least value of an axis or bar; None: from the data.
        high: Greatest value, likewise.
        no_value: What stands where there is nothing.
        color_mode: Grafana's id: ``fixed``, ``thresholds``, ``palette-classic``,
            ``continuous-YlBl`` ...
        fixed_color: Of the mode ``fixed``.
        thresholds: By rising value.
        thresholds_mode: Whether thresholds are values or percents between ``low`` and ``high``.
        mappings: The first that fits a value counts.
        links: Of each value.
        hidden: Left out of the drawing (``custom.hidden``, ``hideFrom.viz``).
        custom: What only one type of panel knows (``lineWidth``, ``fillOpacity``,
            ``cellOptions``, ``fillBelowTo`` ...), as in Grafana's JSON.
    """

    display_name: str | None = None
    unit: str | None = None
    decimals: int | None = None
    low: float | None = None
    high: float | None = None
    no_value: str | None = None
    color_mode: str = "palette-classic"
    fixed_color: str | None = None
    thresholds: Sequence[Threshold] = ()
    thresholds_mode: Literal["absolute", "percentage"] = "absolute"
    mappings: Sequence[ValueMapping] = ()
    links: Sequence[Link] = ()
    hidden: bool = False
    custom: Mapping[str, Any] = msgspec.field(default_factory=dict)


class Field(msgspec.Struct, kw_only=True):
    """One column. ``labels`` are the tags of the series that it comes from."""

    name: str
    kind: Kind
    values: Sequence[Value]
    labels: Mapping[str, str] = msgspec.field(default_factory=dict)
    config: FieldConfig = msgspec.field(default_factory=FieldConfig)


class Frame(msgspec.Struct, kw_only=True):
    """A table by columns, all of one length; ``ref`` is the query that it answers."""

    ref: str
    fields: Sequence[Field]


class PanelData(msgspec.Struct, kw_only=True):
    """What one panel shows, or the ``error`` that it shows instead.

    ``annotations`` are the marks that the board's annotation queries put on every time axis: frames
    with the fields ``time``, ``timeEnd`` (may be None), ``title`` and ``text``.
    """

    frames: Sequence[Frame] = ()
    annotations: Sequence[Frame] = ()
    error: str | None = None
    seconds: float = 0.0

"""What a drawing is, and what those who draw need to know besides the data."""

from collections.abc import Callable, Iterator, Mapping, Sequence
from datetime import UTC, tzinfo
from typing import Any, Final, Literal

import msgspec

from dashboards.queries import Range
from dashboards.view import colors, values
from dashboards.view.colors import Theme
from dashboards.view.draw import tokens
from dashboards.view.frames import Field, Frame, Link, Value
from dashboards.view.values import Bounds

Kind = Literal["chart", "figures", "bars", "table", "map", "text", "note"]
"""Which element of the page shows a drawing."""

Follow = Callable[[Field, Frame, int], Sequence[Link]]
"""The links of one value: (field, its frame, its row)."""


class Drawing(msgspec.Struct, kw_only=True):
    """A panel, ready for the page.

    Attributes:
        kind: The element that shows it.
        props: What that element takes; JSON.
        summary: In a sentence or two, for who cannot see it.
    """

    kind: Kind
    props: dict[str, Any]
    summary: str = ""


def _untranslated(text: str) -> str:
    return text


def _nowhere(_field: Field, _frame: Frame, _row: int) -> Sequence[Link]:
    return ()


class Look(msgspec.Struct, frozen=True, kw_only=True):
    """For whom a panel is drawn.

    Attributes:
        theme: Light or dark.
        tr: A text in the reader's language.
        zone: The reader's clock.
        span: What the time axes cover.
        follow: Where values lead.
    """

    theme: Theme = "light"
    tr: Callable[[str], str] = _untranslated
    zone: tzinfo = UTC
    span: Range = Range(0, 3_600_000)
    follow: Follow = _nowhere

    def say(self, template: str, **put: object) -> str:
        """A sentence of the view's own, in the reader's language."""
        return self.tr(template).format(**put)

    def title(self, field: Field) -> str:
        """What people read as a field's name."""
        return self.tr(values.title(field))

    def shown(self, value: Value, field: Field) -> str:
        """What people read of a value."""
        return self.tr(values.shown(value, field.config, self.zone))

    def token(self, name: str) -> str:
        """One of the theme's own colours."""
        return tokens.TOKENS[self.theme][name]

    def color(
        self, value: Value, field: Field, index: int = 0, bounds: Bounds | None = None
    ) -> str:
        """The colour of a value, or of the series number ``index``.

        Where the board leaves the choice of a series' colour, it is one of a palette that
        colour-blind people can tell apart, and not Grafana's.
        """
        config = field.config
        mapping = values.mapped(value, config)
        if config.color_mode.startswith("palette-") and not (mapping and mapping.color):
            return tokens.series(index, self.theme)
        found = values.color(value, config, self.theme, index, bounds)
        return self.token("text") if found == colors.named("text", self.theme) else found

    def line(self, field: Field, index: int) -> str:
        """The colour of a series, made to stand out from the panel."""
        return tokens.legible(self.color(None, field, index), self.theme)


NOTHING: Final = "No data in this time range"

BLANK: Final = "—"
"""What stands where a value is missing."""


def note(text: str, *, error: bool = False) -> Drawing:
    """A text in place of a drawing."""
    return Drawing(kind="note", props={"text": text, "error": error}, summary=text)


def visible(frame: Frame) -> Iterator[Field]:
    """The fields of a frame that are drawn."""
    return (field for field in frame.fields if not field.config.hidden)


def time_of(frame: Frame) -> Field | None:
    """The first time column of a frame, hidden or not."""
    return next((field for field in frame.fields if field.kind == "time"), None)


def hidden_from(field: Field, place: str) -> bool:
    """Whether a series is kept out of a ``place``: ``legend`` or ``tooltip``."""
    hide: Mapping[str, Any] = field.config.custom.get("hideFrom") or {}
    return bool(hide.get(place))


def has_values(frames: Sequence[Frame]) -> bool:
    """Whether there is any row to draw."""
    return any(len(field.values) > 0 for frame in frames for field in frame.fields)


def number(value: Value) -> float | None:
    """A value as a number that can be placed on an axis, or None."""
    if isinstance(value, bool):
        return float(value)
    if isinstance(value, int | float) and value == value and abs(value) != float("inf"):  # noqa: PLR0124 - NaN
        return value
    return None

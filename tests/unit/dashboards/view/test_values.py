import math

import pytest

from dashboards.view import colors, values
from dashboards.view.frames import Field, FieldConfig, Frame, Threshold, Value, ValueMapping
from dashboards.view.values import bounds, color, reduced, shown

STEPS = (Threshold(None, "green"), Threshold(50, "#E69F00"), Threshold(80, "red"))


def numbers(*found: Value) -> Field:
    return Field(name="x", kind="number", values=found)


@pytest.mark.parametrize(
    ("value", "hex_color"),
    [(-5, "#73bf69"), (49.9, "#73bf69"), (50, "#e69f00"), (80, "#f2495c"), (None, "#73bf69")],
)
def test_a_threshold_holds_from_its_value_on(value: float | None, hex_color: str) -> None:
    config = FieldConfig(color_mode="thresholds", thresholds=STEPS)
    assert color(value, config, "dark") == hex_color


def test_thresholds_may_be_percents_of_what_is_covered() -> None:
    config = FieldConfig(
        color_mode="thresholds", thresholds=STEPS, thresholds_mode="percentage", low=0, high=10
    )
    assert [color(value, config, "dark") for value in (4, 5, 8)] == [
        "#73bf69",
        "#e69f00",
        "#f2495c",
    ]
    free = FieldConfig(color_mode="thresholds", thresholds=STEPS, thresholds_mode="percentage")
    assert color(8, free, "dark", bounds=(7, 9)) == "#e69f00"


def test_colours_by_series_and_fixed_ones() -> None:
    classic = FieldConfig()
    assert [color(1, classic, "light", index) for index in (0, 1)] == ["#56a64b", "#f2cc0c"]
    assert color(1, FieldConfig(color_mode="fixed", fixed_color="#0072B2"), "dark") == "#0072b2"
    assert color(1, FieldConfig(color_mode="fixed", fixed_color="text"), "light") == "#24292e"


def test_a_scale_begins_and_ends_with_its_colours() -> None:
    config = FieldConfig(color_mode="continuous-YlBl")
    assert color(3, config, "dark", bounds=(3, 9)) == "#fff899"
    assert color(9, config, "dark", bounds=(3, 9)) == "#1f60c4"
    assert color(99, config, "dark", bounds=(3, 9)) == "#1f60c4"
    wider = FieldConfig(color_mode="continuous-YlBl", high=15)
    assert color(9, wider, "dark", bounds=(3, 9)) == colors.at("continuous-YlBl", 0.5, "dark")


def test_mappings_come_first_in_their_order() -> None:
    config = FieldConfig(
        unit="velocitykmh",
        no_value="none",
        color_mode="fixed",
        fixed_color="blue",
        mappings=(
            ValueMapping(value="1", text="online", color="green"),
            ValueMapping(low=2, high=5, text="some"),
            ValueMapping(low=10, text="many"),
            ValueMapping(value="ok", text="fine"),
            ValueMapping(special="null", text="silent", color="red"),
            ValueMapping(special="nan", text="no number"),
            ValueMapping(special="true", text="yes"),
            ValueMapping(special="empty", text="nothing"),
        ),
    )
    found: list[Value] = [1, 1.0, 2, 5.0, 6, 11, "ok", "no", None, math.nan, True, False, ""]
    assert [shown(value, config) for value in found] == [
        *("online", "online", "some", "some", "6 km/h", "many", "fine", "no"),
        *("silent", "no number", "yes", "False", "nothing"),
    ]
    assert color(1, config, "dark") == "#73bf69"
    assert color(2, config, "dark") == "#5794f2"
    assert color(None, config, "dark") == "#f2495c"


def test_nothing_is_what_the_board_says_of_nothing() -> None:
    assert shown(None, FieldConfig()) == ""
    assert shown(None, FieldConfig(no_value="no anomaly")) == "no anomaly"
    assert shown(math.nan, FieldConfig(no_value="-")) == "-"


def test_truths_and_texts() -> None:
    yes, no = True, False
    assert shown(yes, FieldConfig()) == "True"
    assert shown(no, FieldConfig(unit="bool_on_off")) == "Off"
    assert shown("1.500", FieldConfig(unit="ms")) == "1.500"


def test_bounds_are_of_all_numbers_that_are_shown() -> None:
    hidden = Field(name="h", kind="number", values=[99], config=FieldConfig(hidden=True))
    text = Field(name="t", kind="string", values=["7"])
    frames = [Frame(ref="A", fields=[numbers(3, None, 5), hidden]), Frame(ref="B", fields=[text])]
    assert bounds(frames) == (3.0, 5.0)
    assert bounds([]) is None


def test_a_field_reduces_to_one_value() -> None:
    assert reduced(numbers(1, 2, None), "lastNotNull") == 2
    assert values.title(numbers()) == "x"


@pytest.mark.parametrize(
    ("name", "dark", "light"),
    # Grafana 11's themes.
    [
        ("red", "#f2495c", "#e02f44"),
        ("semi-dark-red", "#e02f44", "#c4162a"),
        ("super-light-yellow", "#fff899", "#ffee52"),
        ("dark-purple", "#8f3bb8", "#7c2ea3"),
        ("transparent", "#181b1f", "#ffffff"),
        ("#ABC", "#aabbcc", "#aabbcc"),
        ("#0072B2ff", "#0072b2", "#0072b2"),
        ("rgba(1, 2, 255, 0.5)", "#0102ff", "#0102ff"),
        ("navy", "#000080", "#000080"),
        ("no such colour", "#808080", "#808080"),
    ],
)
def test_names_of_colours(name: str, dark: str, light: str) -> None:
    assert colors.named(name, "dark") == dark
    assert colors.named(name, "light") == light


@pytest.mark.parametrize("mode", ["continuous-GrYlRd", "continuous-blues", "continuous-cividis"])
def test_a_scale_of_colours(mode: str) -> None:
    assert colors.is_continuous(mode)
    scale = colors.scale(mode, "dark")
    assert len(scale) == len(set(scale)) == 9
    assert (scale[0], scale[-1]) == (colors.at(mode, -1, "dark"), colors.at(mode, 2, "dark"))


def test_a_spline_passes_its_inner_colour_at_two_thirds() -> None:
    # A uniform cubic B-spline weighs its knot 4/6 and the neighbours 1/6 each.
    green, yellow, red = (0x73, 0xBF, 0x69), (0xFA, 0xDE, 0x2A), (0xF2, 0x49, 0x5C)
    middle = [round((g + 4 * y + r) / 6) for g, y, r in zip(green, yellow, red, strict=True)]
    assert colors.at("continuous-GrYlRd", 0.5, "dark") == "#{:02x}{:02x}{:02x}".format(*middle)


def test_the_palette_begins_anew() -> None:
    palette = colors.palette("dark")
    assert colors.classic(len(palette), "dark") == palette[0] == "#73bf69"

import random
from collections import deque

import numpy as np
import pytest

from citynerve.errors import ConfigError
from simulators.city.incidents import KINDS, Wanted
from simulators.city.properties import PROPERTIES
from simulators.city.schedule import Schedule
from simulators.city.world import World
from tests.unit.simulators.city.worlds import (
    HOUR,
    MINUTE,
    MONDAY,
    absent,
    at,
    equal,
    of_property,
    read,
    span,
    world,
)

MANY = (
    at(10, "accident", "road-01", lasts=10),
    at(15, "stuck", "noise-04", sensor="microphone", property="noise", lasts=12),
    at(12, "fire", "air-02", lasts=10),
    at(20, "noisy", "road-01", sensor="loop-in", property="speed", lasts=10),
)


@pytest.mark.parametrize(("steps", "seed"), [(3, 1), (64, 3), (500, 1)])
def test_no_figure_depends_on_how_it_is_computed(steps: int, seed: int) -> None:
    high = MONDAY + 75 * MINUTE
    one = world(6, seed, wanted=MANY)
    other = world(6, seed, wanted=MANY, block_steps=steps)
    assert equal(read(one, MONDAY, high), read(other, MONDAY, high))
    # By then nothing is touched any more, so it does not matter how far each has looked ahead.
    assert one.truth(high) == other.truth(high)


def test_no_figure_depends_on_the_order_of_asking() -> None:
    hours = list(range(5))
    in_order, jumbled = (world(8, wanted=MANY) for _ in range(2))
    expected = {hour: read(in_order, *bounds(hour)) for hour in hours}
    random.Random(1).shuffle(hours)
    for hour in hours + hours[:5]:
        assert equal(read(jumbled, *bounds(hour)), expected[hour])
    end = MONDAY + 5 * HOUR
    assert in_order.truth(end) == jumbled.truth(end)


def bounds(hour: int) -> tuple[int, int]:
    return MONDAY + hour * HOUR, MONDAY + (hour + 1) * HOUR


def test_a_coarser_history_holds_the_same_values() -> None:
    fine = read(world(6, history=2 * HOUR), MONDAY - 2 * HOUR, MONDAY)
    coarse = read(world(6, history=2 * HOUR, history_interval=120_000), MONDAY - 2 * HOUR, MONDAY)
    for key, (times, values) in coarse.items():
        assert np.all(np.diff(times) == 120_000)
        about = PROPERTIES[key[2]]
        if 120_000 % about.interval == 0:
            where = np.isin(fine[key][0], times)
            assert np.array_equal(fine[key][1][where], values)


def test_every_property_is_read_at_its_own_interval() -> None:
    for (_, _, name), (times, _) in span(MONDAY, MONDAY + HOUR).items():
        assert np.all(np.diff(times) == PROPERTIES[name].interval)
        assert len(times) == HOUR // PROPERTIES[name].interval


def test_values_lie_in_the_sensors_range_and_steps() -> None:
    for (_, _, name), (_, values) in span(MONDAY + 7 * HOUR, MONDAY + 9 * HOUR, MANY).items():
        about = PROPERTIES[name]
        assert values.min() >= about.low
        assert values.max() <= about.high
        steps = values / about.quantum
        assert np.allclose(steps, np.round(steps), atol=1e-6), name


def test_cities_of_other_seeds_have_other_weather_and_traffic() -> None:
    one, other = (read(world(3, seed), MONDAY, MONDAY + HOUR) for seed in (1, 2))
    assert one.keys() == other.keys()
    for key, (_, values) in one.items():
        # The rain may spare both, and at night car parks hardly change.
        alike = key[2] in {"rain", "occupied", "occupancy", "people", "queue"}
        assert alike or not np.array_equal(values, other[key][1]), key


def test_the_rush_hour_is_busier_slower_louder_and_dirtier_than_the_night() -> None:
    night = span(MONDAY + 2 * HOUR, MONDAY + 4 * HOUR)
    rush = span(MONDAY + 7 * HOUR, MONDAY + 8 * HOUR + 30 * MINUTE)
    assert of_property(rush, "flow").mean() > 8 * of_property(night, "flow").mean()
    assert of_property(rush, "speed").mean() < of_property(night, "speed").mean() - 2
    assert of_property(rush, "noise").mean() > of_property(night, "noise").mean() + 6
    assert of_property(rush, "no2").mean() > 1.5 * of_property(night, "no2").mean()
    assert of_property(rush, "people").mean() > of_property(night, "people").mean() + 3


def test_a_sunday_morning_is_quiet() -> None:
    sunday = MONDAY + 6 * 24 * HOUR
    rest = span(sunday + 7 * HOUR, sunday + 8 * HOUR)
    work = span(MONDAY + 7 * HOUR, MONDAY + 8 * HOUR)
    assert of_property(rest, "flow").mean() < 0.4 * of_property(work, "flow").mean()


def test_cars_park_by_day_and_leave_at_night() -> None:
    noon = of_property(span(MONDAY + 12 * HOUR, MONDAY + 13 * HOUR), "occupancy")
    night = of_property(span(MONDAY + 3 * HOUR, MONDAY + 4 * HOUR), "occupancy")
    assert noon.min() > 40
    assert night.max() < 25


RUSH = MONDAY + 7 * HOUR + 30 * MINUTE


def links(of: World, name: str) -> dict[tuple[str, str], int]:
    rows = of.sites[name]
    return dict(zip(rows.names, rows.link.tolist(), strict=True))


def test_an_accident_queues_upstream_and_thins_the_traffic_downstream() -> None:
    """On the links themselves, which every street has, instrumented or not."""
    of = world(60)
    model = of._model  # noqa: SLF001 - the streets without sensors show it best
    traffic = model._traffic  # noqa: SLF001
    upstream = {
        other: [link for link in range(traffic.links) if other in traffic.following[link]]
        for other in range(traffic.links)
    }
    street, side = next(
        (link // 2, link % 2)
        for link in np.argsort(-traffic.capacity)
        if upstream[link] and traffic.following[link]
    )
    link = 2 * street + side
    ones = np.ones((1, 1, 1))
    demand = [np.full(180, value) for value in (0.95, 0.3, 0.85)]
    vehicles = traffic.steady(0.95, 0.3, 0.85)
    blocked = np.ones((1, 1, traffic.links))
    blocked[..., link] = 0.15
    nothing = np.zeros((1, 1, 1))
    _, usual = traffic.run(vehicles, *demand, capacity=ones, pace=ones, more=nothing)
    _, jam = traffic.run(vehicles, *demand, capacity=blocked, pace=ones, more=nothing)
    late = slice(120, 180)
    slower = usual.speed[0, late].mean(0) - jam.speed[0, late].mean(0)
    thinner = usual.flow[0, late].mean(0) - jam.flow[0, late].mean(0)
    assert slower[link] > 20
    assert max(slower[other] for other in upstream[link]) > 10
    assert max(thinner[other] for other in traffic.following[link]) > 100
    # The queue grows as time goes on.
    queued = jam.queue[0].sum(axis=1) - usual.queue[0].sum(axis=1)
    assert queued[30] < queued[90] < queued[170]
    # Far away, as vehicles drive, nobody notices.
    away = steps_from(link, traffic.following)
    far = [other for other in range(traffic.links) if away.get(other, 99) > 6]
    assert len(far) > 10
    assert np.abs(slower[far]).max() < 3


def steps_from(link: int, following: list[list[int]]) -> dict[int, int]:
    """Streets between a link and each other, with or against the traffic."""
    beside: dict[int, set[int]] = {}
    for one, turns in enumerate(following):
        for other in (*turns, one ^ 1):
            beside.setdefault(one, set()).add(other)
            beside.setdefault(other, set()).add(one)
    found, todo = {link: 0}, deque([link])
    while todo:
        one = todo.popleft()
        for other in beside[one] - found.keys():
            found[other] = found[one] + 1
            todo.append(other)
    return found


def test_an_accident_is_seen_by_the_node_beside_it() -> None:
    wanted = (at(20, "accident", "road-01", size=0.9),)
    usual, struck = (span(RUSH, RUSH + HOUR, one) for one in ((), wanted))
    key = "road-01", "loop-in", "speed"
    after = usual[key][0] > RUSH + 22 * MINUTE
    assert struck[key][1][after].mean() < usual[key][1][after].mean() - 15
    assert np.array_equal(struck[key][1][:55], usual[key][1][:55])


def test_a_fire_is_smelt_down_the_wind_and_seldom_up_it() -> None:
    wanted = (at(10, "fire", "air-02", size=1.5),)
    usual, burnt = (span(RUSH, RUSH + HOUR, one) for one in ((), wanted))
    more = {
        key[0]: float((burnt[key][1] - values).max())
        for key, (_, values) in usual.items()
        if key[2] == "pm25"
    }
    assert more["air-02"] > 60
    assert min(more.values()) < 5


def test_the_river_rises_after_the_rain_and_falls_again() -> None:
    wanted = (at(60, "cloudburst", size=45.0, lasts=50),)
    usual, wet = (span(MONDAY, MONDAY + 10 * HOUR, one, 3) for one in ((), wanted))
    gauge = "water-03", "gauge", "water_level"
    rise = wet[gauge][1] - usual[gauge][1]
    assert np.abs(rise[:60]).max() == 0
    pouring = (wet["water-03", "mast", "rain"][1] > 20).nonzero()[0]
    assert 58 <= pouring[0] <= 66
    # It comes later than the rain, and goes slowly.
    assert rise.max() > 0.15
    assert rise.argmax() > pouring[-1] + 15
    assert 0.01 < rise[-1] < 0.6 * rise.max()


def test_wind_thins_the_air() -> None:
    """Over a fortnight of noons: the more wind, the less of what the traffic emits."""
    wind, air = [], []
    for day in range(14):
        noon = MONDAY + day * 24 * HOUR + 12 * HOUR
        found = span(noon, noon + HOUR // 2, (), 7)
        wind.append(float(of_property(found, "wind_speed").mean()))
        air.append(float(of_property(found, "no2").mean()))
    assert np.corrcoef(wind, air)[0, 1] < -0.4


def test_a_power_cut_silences_what_has_no_battery_in_its_district_alone() -> None:
    of = world(60, wanted=[at(10, "power_cut", "road-01", lasts=30)])
    struck = of.plan.district(of.plan.nodes[0])
    gone = absent(of, MONDAY, MONDAY + HOUR)
    dark = {node.id for node in of.plan.nodes if node.mains and of.plan.district(node) == struck}
    assert {node for node, _, _ in gone} == dark
    for times in gone.values():
        assert min(times) >= MONDAY + 10 * MINUTE
        assert max(times) < MONDAY + 40 * MINUTE


def test_each_kind_can_be_asked_for_and_is_in_the_truth() -> None:
    wanted = [
        Wanted(kind=kind, at_ms=number * 2 * MINUTE, duration_ms=20 * MINUTE)
        for number, kind in enumerate(KINDS)
    ]
    truth = world(40, wanted=wanted, start=RUSH).truth(RUSH + HOUR)
    assert [one.kind for one in truth] == list(KINDS)
    assert [one.id for one in truth] == [f"{kind}-w{i}" for i, kind in enumerate(KINDS)]


def test_incidents_are_drawn_at_the_rate_that_is_asked_for_and_not_in_the_quiet() -> None:
    of = world(40)
    schedule = Schedule(of.plan, start=MONDAY, quiet_until=MONDAY + 48 * HOUR, rate=12.0)
    assert schedule.between(MONDAY, MONDAY + 48 * HOUR) == []
    days = 30
    drawn = schedule.between(MONDAY + 48 * HOUR, MONDAY + (days + 2) * 24 * HOUR)
    drawn = [event for event in drawn if event.kind != "event"]
    assert 10 * days < len(drawn) < 14 * days
    assert len({event.id for event in drawn}) == len(drawn)
    assert {event.kind for event in drawn} == set(KINDS) - {"event"}


@pytest.mark.parametrize(
    ("wanted", "value"),
    [
        ({"node": "road-99"}, "road-99"),
        ({"kind": "power_cut", "district": "atlantis"}, "atlantis"),
        ({"street": "elm-street"}, "elm-street"),
        ({"kind": "spike", "node": "road-01", "property": "pm25"}, "loop-in/pm25"),
        ({"duration_ms": 0}, 0),
    ],
)
def test_what_the_city_does_not_have_cannot_be_asked_for(
    wanted: dict[str, object], value: object
) -> None:
    table = Wanted(**{"kind": "accident", "at_ms": 0, **wanted})  # type: ignore[arg-type]
    with pytest.raises(ConfigError) as caught:
        world(20, wanted=[table])
    assert caught.value.key == "sensor.options.incidents"
    assert str(value).split("/")[-1] in str(caught.value.value)
    assert caught.value.fix

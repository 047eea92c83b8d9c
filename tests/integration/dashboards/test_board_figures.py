"""What boards and alert rules make of a day whose figures are known, on real InfluxDB servers."""

from collections.abc import Sequence
from statistics import fmean

import pytest

from dashboards import alerts, queries
from dashboards.queries import ALL
from tests.integration.dashboards import sample_city as city
from tests.integration.dashboards.stored_city import BOARDS, TEN_MINUTES, Row, Store, rows

pytestmark = pytest.mark.integration


def test_map_has_the_last_closed_mean_at_the_sensors_place(store: Store) -> None:
    title = "Latest $property; orange rings: open anomalies"
    speeds = [stream for stream in city.STREAMS if stream.prop == "speed"]
    for ref, width in (("values", 10_000), ("tens", 600_000)):
        found = {row["node"]: row for row in store.ask("city-now", title, ref, property="speed")}
        assert set(found) == {stream.node for stream in speeds}
        for stream in speeds:
            row, closed = found[stream.node], city.windows(stream, store.start, width)
            assert (row["lat"], row["lon"]) == (stream.lat, stream.lon)
            assert row["mean"] == pytest.approx(fmean(closed[max(closed)]), rel=1e-12)
    rings = store.ask("city-now", title, "anomalies", property="speed")
    assert {(row["node"], row["severity"]) for row in rings} == {("west-1", 0.25), ("cam-1", 0.75)}
    names = {row["district"]: row for row in store.ask("city-now", title, "names", property="x")}
    assert set(names) == set(city.DISTRICTS)
    assert names["centrum"]["lat"] == pytest.approx((city.EAST[0] + city.CAMERA[0]) / 2)


def test_figures_of_the_machinery_count_right(store: Store) -> None:
    def figure(board: str, title: str, **chosen: str) -> list[float]:
        found = store.ask(board, title, property="speed", **chosen)
        return [value for row in found for key, value in row.items() if key != "time"]

    assert figure("city-now", "Nodes online") == [2]
    assert figure("city-now", "Anomalies open") == [2]
    assert figure("city-now", "Severe anomalies") == [1]
    assert figure("city-now", "Refused") == [6]
    assert figure("district", "Anomalies open", district="havn") == [1]
    assert all(4.5 * 60 <= rate <= 5.5 * 60 for rate in figure("city-now", "Observations a minute"))
    nodes = {"district": ALL, "node": "east-1"}
    assert figure("nodes", "Nodes offline", **nodes) == [1]
    assert figure("nodes", "Nodes with problems", **nodes) == [1]
    assert figure("nodes", "Waiting at nodes", **nodes) == [123]
    assert figure("nodes", "Batches given up", **nodes) == [8]
    store.beat()
    (told,) = figure("stream", "Stream")
    assert told >= 1


def test_figures_of_domains_are_those_of_the_newest_minute(store: Store) -> None:
    end = store.start + city.SPAN_MS
    hour = store._replace(shown=queries.Range(end - city.HOUR_MS, end))
    for prop, title, district in (
        ("speed", "Traffic speed", "_city"),
        ("flow", "Traffic flow", "centrum"),
    ):
        board = "city-now" if district == "_city" else "district"
        drawn = hour.ask(board, title, property=prop, district=district)
        minutes = city.rolled(prop, district, store.start, 60_000)
        last = [value for part in minutes[max(minutes)] for value in part]
        assert drawn[-1][prop] == pytest.approx(fmean(last), rel=1e-12)
    highest = hour.ask("city-now", "Highest water", property="speed")
    gauge = city.windows(city.STREAMS[5], store.start, 60_000)
    assert [row["water_level"] for row in highest] == [
        max(values) for t, values in gauge.items() if t >= hour.span.start
    ]


def test_open_anomalies_are_those_without_an_end(store: Store) -> None:
    opened = store.ask("city-now", "Open anomalies", property="speed")
    assert {row["reason"] for row in opened} == {"no change", "a crowd"}
    every = store.ask("city-now", "Latest anomalies", property="speed")
    assert [(row["reason"], row["open"]) for row in every][-1] == ("far above", 0)
    assert len(every) == 3


def test_nodes_table_has_the_last_of_each_figure(store: Store) -> None:
    found = {row["node"]: row for row in store.ask("nodes", "Nodes", district=ALL, node="east-1")}
    for node, (online, ago, state, spool) in city.ONLINE.items():
        row = found[node]
        assert (row["online"], row["state"], row["spool_bytes"]) == (online, state, spool)
        assert row["seen"] == store.now - ago * 1_000
        assert row["problems"] == ("" if state == "ok" else "a problem")
        assert row["clock_offset"] is None
    assert len(found) == len(city.ONLINE)


def test_cameras_add_up_by_class_line_and_direction(store: Store) -> None:
    every = city.SPAN_MS // 60_000 // len(city.CROSSINGS)
    for chosen in (ALL, "cam-1", ("cam-1", "east-1")):
        lines = store.ask("cameras", "Lines", node=chosen, camera=ALL)
        assert {
            (row["line"], row["class"], row["direction"]): row["crossings"] for row in lines
        } == dict.fromkeys(city.CROSSINGS, every)
    speeds = {row["class"]: row["speed"] for row in lines}
    assert speeds == {"car": pytest.approx(30.5), "bus": pytest.approx(30.5), "person": None}
    (people,) = store.ask("cameras", "People counted", node=ALL, camera=ALL)
    (vehicles,) = store.ask("cameras", "Vehicles counted", node=ALL, camera=ALL)
    assert (people["crossings"], vehicles["crossings"]) == (every, 2 * every)
    seen = store.ask("cameras", "In the picture, by class", node=ALL, camera=ALL)
    for stream in city.STREAMS[6:8]:
        drawn = {row["time"]: row["seen"] for row in seen if row["property"] == stream.prop}
        minutes = city.windows(stream, store.start, 60_000)
        for t, mean in drawn.items():
            within = [fmean(v) for at, v in minutes.items() if t <= at < t + 300_000]
            assert mean == pytest.approx(fmean(within), rel=1e-12)
        assert len(drawn) == city.SPAN_MS // 300_000


def test_datastream_shows_its_own_values_windows_and_anomalies(store: Store) -> None:
    stream = city.STREAMS[0]
    chosen = {"node": stream.node, "sensor": stream.sensor, "property": stream.prop}

    def points(panel: str, ref: str, window: str) -> list[Row]:
        return store.ask("datastream", panel, ref, **chosen, window=window, district="centrum")

    good: dict[int, list[float]] = {}
    for t, v, quality in city.readings(stream, store.start):
        if quality != 2:
            good.setdefault(t - t % 60_000, []).append(v)
    drawn = points("Value", "A", "1m")
    assert [row["time"] for row in drawn] == list(good)
    assert [row["value"] for row in drawn] == pytest.approx([fmean(v) for v in good.values()])
    (bad,) = points("Value", "B", "1m")
    at = store.start + stream.bad * city.READING_MS
    assert bad["time"] == at - at % 60_000
    band = points("Value", "C", "1m")
    assert {(row["expected"], row["lowest expected"]) for row in band} == {(53.0, 48.0)}

    title = "Mean, minimum and maximum of $window windows"
    for window, query, other in (("1m", "A", "B"), ("10m", "B", "A")):
        windows = city.windows(stream, store.start, city.WINDOWS[window])
        drawn = points(title, query, window)
        assert {row["time"]: (row["min"], row["max"]) for row in drawn} == {
            t: (min(values), max(values)) for t, values in windows.items()
        }
        assert [row["mean"] for row in drawn] == pytest.approx(
            [fmean(values) for values in windows.values()], rel=1e-12
        )
        assert points(title, other, window) == []

    (anomaly,) = points("Latest anomalies", "A", "1m")
    assert (anomaly["kind"], anomaly["ended"]) == ("spike", store.start + 4 * city.HOUR_MS + 60_000)
    (mark,) = points("annotation Anomalies", "A", "1m")
    assert (mark["reason"], mark["kind"]) == ("far above", "spike")


def test_rates_of_counters_survive_a_restart_of_the_stream(store: Store) -> None:
    near = queries.Range(store.now - 660_000, store.now - 60_000, 60)
    board = BOARDS["stream"]
    for title, ref, name, rate in (
        ("Commits", "A", "commits", 1.0),
        ("Throughput", "B", "messages", 2.4),
        ("Processor and memory", "A", "processor", 0.1),
    ):
        (query,) = [
            query
            for query in queries.queries(board)
            if query.place == f"panel {title!r}, query {ref}"
        ]
        found = rows(store.run(query.source, queries.substitute(query, [], {}, near)))
        rates = [row[name] for row in found]
        assert len(rates) > 50
        # In the step of the restart a counter's growth is unknown, and smaller.
        assert sorted(rates)[2:] == pytest.approx([rate] * (len(rates) - 2))
        assert min(rates) >= 0


def test_trends_compare_with_the_same_hours_a_week_before(store: Store) -> None:
    hours = city.rolled("speed", "_city", store.start, city.HOUR_MS)
    for title in ("$property by day, this week and the week before",):
        chosen: dict[str, queries.Choice] = {"property": "speed", "district": "_city"}
        this = store.ask("trends", title, "A", **chosen)
        before = store.ask("trends", title, "B", **chosen)
        # The first and the last hour may be cut.
        assert [row["time"] - city.WEEK_MS for row in this][1:-1] == [
            row["time"] for row in before
        ][1:-1]
        assert [row["before"] - row["this"] for row in zip_rows(this, before)] == pytest.approx(
            [1.0] * len(this)
        )
    assert len(hours) in {24, 25}
    (mean,) = store.ask("trends", "Mean", property="speed", district="havn")
    west = city.windows(city.STREAMS[4], store.start, TEN_MINUTES)
    assert mean["mean"] == pytest.approx(fmean(fmean(values) for values in west.values()))
    compared = {
        row["district"]: row
        for row in store.ask("trends", "$property, district by district", "B", property="speed")
    }
    assert compared["havn"]["before"] == pytest.approx(mean["mean"] + 1)


def test_alert_rules_raise_what_is_wrong_and_nothing_else(store: Store) -> None:
    raised = set()
    for rule in alerts.RULES:
        query = queries.Query(rule.uid, rule.source.uid, " ".join(rule.query.split()))
        span = queries.Range(store.now - rule.span * 1_000, store.now)
        answer = store.run(rule.source.uid, queries.substitute(query, [], {}, span))
        assert answer, rule.uid
        for series in answer:
            newest = series.values[-1][1]
            too_high = rule.above is not None and newest > rule.above
            too_low = rule.below is not None and newest < rule.below
            if too_high or too_low:
                raised.add((rule.uid, *series.tags.values()))
    assert raised == {
        ("citynerve-node-offline", "centrum", "cam-1"),
        ("citynerve-anomaly-severe", "centrum", "count_person"),
        ("citynerve-water-high", "havn", "west-1", "gauge"),
    }


def zip_rows(one: Sequence[Row], other: Sequence[Row]) -> list[Row]:
    return [{**a, **b} for a, b in zip(one, other, strict=True)]

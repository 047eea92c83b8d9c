import subprocess

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from citynerve import topics
from citynerve.topics import SHARDS, Topics


@given(node=st.from_regex(topics.NODE_PATTERN, fullmatch=True).filter(topics.is_node))
def test_a_node_topic_matches_its_shards_filter_alone(node: str) -> None:
    city = Topics("town/v1")
    own = [digit for digit in SHARDS if mqtt_matches(city.obs_filter(digit), city.obs(node))]
    assert own == [topics.shard(node)]


@settings(max_examples=20)
@given(node=st.from_regex(r"[a-z0-9][a-z0-9-]{0,62}", fullmatch=True))
def test_the_shard_is_what_coreutils_compute(node: str) -> None:
    digest = subprocess.run(
        ["b2sum", "-l", "8"], input=node.encode(), capture_output=True, check=True
    ).stdout.decode()
    assert topics.shard(node) == digest[0]


def test_shards_spread_evenly() -> None:
    counts = dict.fromkeys(SHARDS, 0)
    for number in range(16_000):
        counts[topics.shard(f"node-{number}")] += 1
    # Mean 1000, spread of a fair draw 30.6: five spreads either way.
    assert 847 < min(counts.values()) <= max(counts.values()) < 1153


@pytest.mark.parametrize(
    ("area", "district"),
    [("aarhus", "aarhus"), ("aarhus/viby", "viby"), ("aarhus/viby/skanderborgvej/7", "viby")],
)
def test_the_district_is_the_second_level(area: str, district: str) -> None:
    assert topics.district(area) == district


def test_every_topic_lies_below_the_root() -> None:
    city = Topics("a/b")
    made = [
        city.obs("n"),
        city.ack("n"),
        city.status("n"),
        city.last("n", "s", "p"),
        city.owner(),
        city.anomaly("d", "p"),
        city.rejected(),
    ]
    assert all(mqtt_matches(city.everything(), topic) for topic in made)
    assert len(set(made)) == len(made)


def test_split_undoes_the_root_only_for_whole_levels() -> None:
    city = Topics("a/b")
    assert city.split("a/b/obs/4/node-0") == ["obs", "4", "node-0"]
    assert city.split("a/bc/obs/4/node-0") == []
    assert city.split("other") == []


def mqtt_matches(pattern: str, topic: str) -> bool:
    """A filter as section 4.7 of MQTT 5 defines it, without the rule for ``$``."""
    wanted, given_levels = pattern.split("/"), topic.split("/")
    for index, level in enumerate(wanted):
        if level == "#":
            return True
        if index >= len(given_levels) or level not in ("+", given_levels[index]):
            return False
    return len(wanted) == len(given_levels)

"""The vectors of columns, brought into a real lane of the stream."""

import json
from collections import Counter
from typing import Any

import jsonschema
import pytest

from citynerve import schema
from citynerve.topics import Topics, shard
from stream.lane.lane import Lane
from stream.lane.settings import LaneSettings
from stream.scenario import load_scenarios

VECTORS: dict[str, Any] = json.loads((schema.FOLDER / "vectors" / "columns.json").read_text())
HELLO: dict[str, Any] = VECTORS["hello"]["hello"]
BATCH_SCHEMA = json.loads((schema.FOLDER / "batch.json").read_text())


@pytest.mark.parametrize("case", VECTORS["cases"], ids=lambda case: str(case["name"]))
def test_a_lane_stores_and_refuses_what_the_vector_says(case: dict[str, Any]) -> None:
    topic = Topics().obs(HELLO["node"])
    settings = LaneSettings(scenarios=load_scenarios(), raw="all")
    lane = Lane(shard(HELLO["node"]), settings, lambda: int(VECTORS["clock"]))
    own = {"node": HELLO["node"], "term": HELLO["term"], "seq": 1, "oldest": 1}
    batch = {**own, "sent": VECTORS["clock"], "obs": case["columns"]}
    jsonschema.Draft202012Validator(BATCH_SCHEMA).validate(batch)
    lane.take([(topic, json.dumps(VECTORS["hello"]).encode())])
    out = lane.take([(topic, json.dumps(batch).encode())])
    assert out.acks[HELLO["node"]].committed == 1
    assert len([line for line in out.raw if line.startswith("observation,")]) == case["stored"]
    refused: Counter[str] = Counter()
    for report in out.rejected:
        refused[report.reason] += report.count
    assert refused == case["refused"]


def test_a_value_that_is_no_number_is_refused_alone() -> None:
    """JSON cannot say it, MessagePack can."""
    topic = Topics().obs(HELLO["node"])
    settings = LaneSettings(scenarios=load_scenarios(), raw="all")
    lane = Lane(shard(HELLO["node"]), settings, lambda: int(VECTORS["clock"]))
    lane.take([(topic, json.dumps(VECTORS["hello"]).encode())])
    # {"node", "term", "seq": 1, "oldest": 1, "sent": 0, "obs": [{s, p, t: [5, 6], v: [nan, 1]}]}
    nan = b"\xcb\x7f\xf8\x00\x00\x00\x00\x00\x00"
    column = b"\x84\xa1s\xa6loop-1\xa1p\xa5speed\xa1t\x92\x05\x06\xa1v\x92" + nan + b"\x01"
    term = b"\xcf" + int(HELLO["term"]).to_bytes(8, "big")
    head = b"\x86\xa4node\xa6node-0\xa4term" + term + b"\xa3seq\x01\xa6oldest\x01\xa4sent\x00"
    out = lane.take([(topic, head + b"\xa3obs\x91" + column)])
    assert [(report.reason, report.count) for report in out.rejected] == [("nan", 1)]
    assert len(out.raw) == 1

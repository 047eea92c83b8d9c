"""What is written is read back, by us and by others, whole or cut off."""

import json
import struct
from pathlib import Path

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from jsonschema import Draft202012Validator
from mcap.exceptions import McapError
from mcap.reader import make_reader
from mcap.records import Message
from mcap.stream_reader import StreamReader
from mcap.writer import Writer

from citynerve.codec import encode
from citynerve.errors import ConfigError, UnavailableError
from citynerve.messages import Status
from simulators.recording.info import look
from simulators.recording.reader import File, Files
from simulators.recording.repair import repair
from simulators.recording.shape import CARRIED, NS, PROFILE, RECORDING, RETAINED, Gap
from simulators.recording.writer import Heard, Recording
from tests.unit.recording.samples import BEGUN, NODE, T0, TOPICS, batch, hello, read, record, stored

STATUS = encode(Status(node=NODE, online=True, sent=T0 - 5))


def test_channels_tell_encoding_schema_and_mark(tmp_path: Path) -> None:
    path = tmp_path / "run.mcap"
    recording = Recording(path, BEGUN)
    at = T0 * NS
    recording.write(Heard(TOPICS.status(NODE), STATUS, at, RETAINED))
    recording.write(Heard(TOPICS.obs(NODE), hello(), at + 1))
    recording.write(Heard(TOPICS.obs(NODE), encode(batch(1), "msgpack"), at + 2))
    recording.write(Heard(f"{TOPICS.root}/lamp", b"on", at + 3))
    recording.write(Heard(TOPICS.status("gone"), b"", at + 4))
    recording.write(Heard(TOPICS.obs(NODE), b'{"node": ', at + 5))
    recording.close("told to end", at + 6)
    assert recording.tally.retained == 1
    assert recording.tally.unreadable_topics == {f"{TOPICS.root}/lamp": 1, TOPICS.obs(NODE): 1}

    with path.open("rb") as stream:
        reader = make_reader(stream)
        summary = reader.get_summary()
        assert summary is not None
        schemas = {one.id: one for one in summary.schemas.values()}
        told = {
            (channel.topic, channel.message_encoding, channel.metadata.get("citynerve.mark")): (
                schemas[channel.schema_id].name if channel.schema_id else None
            )
            for channel in summary.channels.values()
        }
        assert told == {
            (TOPICS.status(NODE), "json", "retained"): "citynerve.status",
            (TOPICS.obs(NODE), "json", None): "citynerve.obs",
            (TOPICS.obs(NODE), "msgpack", None): "citynerve.obs",
            (f"{TOPICS.root}/lamp", "", None): None,
            (TOPICS.status("gone"), "", None): None,
        }
        obs = next(one for one in schemas.values() if one.name == "citynerve.obs")
        assert obs.encoding == "jsonschema"
        validator = Draft202012Validator(json.loads(obs.data))
        for payload in (hello(), encode(batch(1))):
            validator.validate(json.loads(payload))
        assert not validator.is_valid({"node": NODE})
        times = [(m.log_time - at, m.publish_time) for _, _, m in reader.iter_messages()]
        assert times == [
            (0, (T0 - 5) * NS),
            (1, T0 * NS),
            (2, (T0 + 1) * NS),
            (3, at + 3),
            (4, at + 4),
            (5, at + 5),
        ]


payloads = st.one_of(
    st.binary(max_size=40),
    st.integers(1, 99).map(lambda seq: encode(batch(seq))),
    st.integers(1, 99).map(lambda seq: encode(batch(seq), "msgpack")),
)
topics = st.sampled_from([TOPICS.obs(NODE), TOPICS.ack("cam-nw-01"), f"{TOPICS.root}/ø/lamp"])


@settings(
    suppress_health_check=[HealthCheck.function_scoped_fixture], deadline=None, max_examples=50
)
@given(st.lists(st.tuples(topics, payloads, st.booleans()), max_size=30), st.data())
def test_a_file_cut_anywhere_keeps_all_that_was_flushed_before(
    tmp_path: Path, sent: list[tuple[str, bytes, bool]], data: st.DataObject
) -> None:
    path = tmp_path / "run.mcap"
    path.unlink(missing_ok=True)
    recording = Recording(path, BEGUN)
    flushed = [(path.stat().st_size, 0)]
    for number, (topic, payload, flush) in enumerate(sent, 1):
        recording.write(Heard(topic, payload, (T0 + number) * NS))
        if flush:
            recording.flush((T0 + number) * NS)
            flushed.append((path.stat().st_size, number))
    recording.close("told to end", (T0 + 100) * NS)
    everything = [(topic, T0 + n, payload) for n, (topic, payload, _) in enumerate(sent, 1)]

    file, found = read(path)
    assert [(s.topic, at, payload) for s, at, payload in found] == everything
    assert (file.closed, file.lost_bytes, file.damaged) == (True, 0, 0)
    assert file.begun == BEGUN
    assert file.end is not None
    assert file.end.messages == len(sent)

    whole = path.read_bytes()
    cut = data.draw(st.integers(flushed[0][0], len(whole) - 1))
    path.write_bytes(whole[:cut])
    file, found = read(path)
    assert not file.closed
    safe = max(number for size, number in flushed if size <= cut)
    assert [(s.topic, at, payload) for s, at, payload in found] == everything[: len(found)]
    assert len(found) >= safe


def read_with_mcap(path: Path, seen: list[bytes]) -> None:
    with path.open("rb") as stream:
        seen.extend(one.data for one in StreamReader(stream).records if isinstance(one, Message))


def test_a_file_that_is_cut_off_gives_another_reader_the_same_messages(tmp_path: Path) -> None:
    path = record(tmp_path / "a.mcap", [stored(batch(n), n) for n in range(1, 9)], close=False)
    path.write_bytes(path.read_bytes()[:-7])
    seen: list[bytes] = []
    with pytest.raises((McapError, struct.error)):
        read_with_mcap(path, seen)
    file, found = read(path)
    # The cut took the last chunk's index only, or the last chunk with it.
    assert seen == [payload for _, _, payload in found]
    assert len(seen) >= 7
    assert file.lost_bytes > 0


def test_a_damaged_chunk_is_left_out_and_counted(tmp_path: Path) -> None:
    path = record(tmp_path / "a.mcap", [stored(batch(n), n) for n in range(1, 5)])
    with path.open("rb") as stream:
        summary = make_reader(stream).get_summary()
    assert summary is not None
    second = summary.chunk_indexes[1]
    spoilt = bytearray(path.read_bytes())
    spoilt[second.chunk_start_offset + second.chunk_length - 9] ^= 0xFF
    path.write_bytes(spoilt)
    file, found = read(path)
    assert [at - T0 for _, at, _ in found] == [1, 3, 4]
    assert file.damaged == 1
    assert file.closed


def test_a_file_that_is_cut_off_is_mended_for_others(tmp_path: Path) -> None:
    path = record(tmp_path / "a.mcap", [stored(batch(n), n) for n in range(1, 9)], close=False)
    path.write_bytes(path.read_bytes()[:-300])
    _, found = read(path)
    assert 0 < len(found) < 8
    out = tmp_path / "mended.mcap"
    assert repair([path], out) == len(found)
    with out.open("rb") as stream:
        seen = [
            (channel.topic, schema.name if schema else "", message.log_time, message.data)
            for schema, channel, message in make_reader(stream, validate_crcs=True).iter_messages()
        ]
    assert seen == [(s.topic, "citynerve.obs", at * NS, data) for s, at, data in found]
    mended, again = read(out)
    assert mended.closed
    assert mended.begun == BEGUN
    assert [m.payload for m in again] == [m.payload for m in found]
    with pytest.raises(ConfigError, match="such a file already"):
        repair([path], out)
    with pytest.raises(UnavailableError, match="No such file"):
        repair([path], tmp_path / "no folder" / "x.mcap")


def test_parts_follow_by_size_and_time_and_each_holds_the_hellos(tmp_path: Path) -> None:
    recording = Recording(tmp_path / "run", BEGUN, rotate_bytes=6_000, rotate_ms=50_000)
    recording.write(Heard(TOPICS.obs(NODE), hello(), T0 * NS))
    noise = [encode(batch(n, evidence=[])) + b" " * (n % 7) for n in range(1, 60)]
    for number, payload in enumerate(noise, 1):
        recording.write(Heard(TOPICS.obs(NODE), payload, (T0 + 1_000 * number) * NS))
        recording.flush((T0 + 1_000 * number) * NS)
    recording.gap(Gap(T0 + 60_000, T0 + 61_000, "cut off"))
    recording.close("told to end", (T0 + 62_000) * NS)
    assert len(recording.parts) > 2
    assert [part.name for part in recording.parts] == sorted(p.name for p in recording.parts)

    files = Files.open([tmp_path / "run"])
    found = list(files.messages())
    assert [m.payload for m in found if m.source.mark != CARRIED] == [hello(), *noise]
    carried = [m for m in found if m.source.mark == CARRIED]
    assert [(m.at, m.payload) for m in carried] == [(T0, hello())] * (len(recording.parts) - 1)
    assert [gap.why for file in files.files for gap in file.gaps] == ["cut off"]
    assert [file.begun.part for file in files.files if file.begun] == [
        *range(1, len(recording.parts) + 1)
    ]
    told = look([tmp_path / "run"])
    assert told.observations == 59
    assert told.messages == 60
    assert all(file.closed for file in told.files)
    assert "cut off" in told.as_text()
    assert json.loads(told.as_json())["observations"] == 59


def test_one_file_is_followed_by_numbered_ones(tmp_path: Path) -> None:
    recording = Recording(tmp_path / "run.mcap", BEGUN, rotate_ms=1_000)
    for number in range(3):
        recording.write(Heard(TOPICS.obs(NODE), hello(), (T0 + number * 2_000) * NS))
        recording.flush((T0 + number * 2_000) * NS)
    recording.close("told to end", T0 * NS)
    assert [p.name for p in recording.parts] == ["run.mcap", "run-0002.mcap", "run-0003.mcap"]


def test_a_recording_writes_over_nothing(tmp_path: Path) -> None:
    path = record(tmp_path / "a.mcap", [])
    with pytest.raises(ConfigError, match="writes over none") as error:
        Recording(path, BEGUN)
    assert error.value.value == str(path)


def test_what_cannot_be_written_is_told(tmp_path: Path) -> None:
    with pytest.raises(UnavailableError, match="File exists"):
        Recording(record(tmp_path / "a.mcap", []) / "b.mcap", BEGUN)


@pytest.mark.parametrize(
    ("content", "problem"),
    [
        (b"", "is empty"),
        (b"PK\x03\x04 no recording", "is no MCAP file"),
        (b"\x89MC", "holds nothing"),
    ],
)
def test_what_is_no_recording_is_refused(tmp_path: Path, content: bytes, problem: str) -> None:
    path = tmp_path / "a.mcap"
    path.write_bytes(content)
    with pytest.raises(ConfigError, match=problem) as error:
        File.open(path)
    assert error.value.file == str(path)


def test_a_file_or_folder_that_is_not_there_is_told(tmp_path: Path) -> None:
    with pytest.raises(UnavailableError, match="No such file"):
        Files.open([tmp_path / "a.mcap"])
    with pytest.raises(ConfigError, match="holds no recording"):
        Files.open([tmp_path])


def test_a_recording_of_a_later_version_is_refused(tmp_path: Path) -> None:
    path = tmp_path / "a.mcap"
    with path.open("wb") as stream:
        writer = Writer(stream)
        writer.start(PROFILE)
        writer.add_metadata(RECORDING, {"format": "2"})
        writer.finish()  # type: ignore[no-untyped-call]
    with pytest.raises(ConfigError, match="of version 2, this software knows up to 1"):
        list(File.open(path).messages())


def test_an_mcap_file_of_others_is_read_as_far_as_it_has_our_topics(tmp_path: Path) -> None:
    path = tmp_path / "a.mcap"
    with path.open("wb") as stream:
        writer = Writer(stream, use_chunking=False)
        writer.start()
        channel = writer.register_channel(TOPICS.obs(NODE), "json", 0)
        writer.add_message(channel, T0 * NS, encode(batch(1)), T0 * NS)
        writer.finish()  # type: ignore[no-untyped-call]
    told = look([path])
    assert told.version is None
    assert told.observations == 1
    assert told.nodes[0].terms[0].hello is False

import json
import struct
import subprocess
from pathlib import Path
from typing import Any

import jsonschema
import msgspec
import pytest

from citynerve import codec, messages, schema, topics
from citynerve.errors import ProtocolError

VECTORS = schema.FOLDER / "vectors"
KINDS: dict[str, type[msgspec.Struct]] = {
    "hello": messages.HelloMessage,
    "batch": messages.Batch,
    "ack": messages.Ack,
    "status": messages.Status,
    "owner": messages.Owner,
    "anomaly": messages.AnomalyEvent,
    "rejected": messages.Rejected,
}


def read(name: str) -> Any:  # noqa: ANN401 - vectors differ in shape
    return json.loads((VECTORS / f"{name}.json").read_text(encoding="utf-8"))


def ids(vector: dict[str, Any]) -> str:
    return str(vector["name"])


@pytest.mark.parametrize("path", list(schema.files()), ids=lambda path: path.name)
def test_the_committed_file_is_current(path: Path) -> None:
    assert path.read_text(encoding="utf-8") == schema.files()[path]


def test_nothing_stale_lies_beside_the_generated_files() -> None:
    assert set(schema.FOLDER.rglob("*.json")) == set(schema.files())


@pytest.mark.parametrize("kind", KINDS)
def test_each_schema_is_a_schema(kind: str) -> None:
    jsonschema.Draft202012Validator.check_schema(schema.schema(kind))


@pytest.mark.parametrize("vector", read("valid"), ids=ids)
def test_valid_vectors_fit_the_schema_and_decode_alike_in_both_formats(
    vector: dict[str, Any],
) -> None:
    committed = json.loads((schema.FOLDER / f"{vector['schema']}.json").read_text())
    jsonschema.Draft202012Validator(committed).validate(vector["message"])
    assert json.loads(vector["json"]) == vector["message"]
    kind = KINDS[vector["schema"]]
    from_json = codec.decode(vector["json"].encode(), kind)
    assert codec.decode(bytes.fromhex(vector["msgpack"]), kind) == from_json
    assert codec.decode(codec.encode(from_json), kind) == from_json


@pytest.mark.parametrize("vector", read("valid"), ids=ids)
def test_the_messagepack_of_a_vector_says_what_its_json_says(vector: dict[str, Any]) -> None:
    value, rest = unpack(bytes.fromhex(vector["msgpack"]))
    assert (value, rest) == (vector["message"], b"")


@pytest.mark.parametrize("vector", read("invalid"), ids=ids)
def test_invalid_vectors_are_refused_for_their_reason(vector: dict[str, Any]) -> None:
    payload = vector["text"].encode() if "text" in vector else bytes.fromhex(vector["hex"])
    with pytest.raises(ProtocolError) as caught:
        codec.decode_observation(payload)
    assert caught.value.reason == vector["reason"]


@pytest.mark.parametrize(
    "vector", [v for v in read("invalid") if v["reason"] == "schema" and "text" in v], ids=ids
)
def test_what_the_decoder_refuses_the_schemas_refuse(vector: dict[str, Any]) -> None:
    message = json.loads(vector["text"])
    for kind in ("hello", "batch"):
        validator = jsonschema.Draft202012Validator(schema.schema(kind))
        assert not validator.is_valid(message)


@pytest.mark.parametrize("kind", ["node", "name", "area"])
def test_name_vectors(kind: str) -> None:
    check = {"node": topics.is_node, "name": topics.is_name, "area": topics.is_area}[kind]
    given = read("names")[kind]
    assert [name for name in given["valid"] if not check(name)] == []
    assert [name for name in given["invalid"] if check(name)] == []


@pytest.mark.parametrize("vector", read("shards"), ids=lambda vector: str(vector["node"])[:9])
def test_shards_are_what_coreutils_compute(vector: dict[str, str]) -> None:
    node = vector["node"]
    digest = subprocess.run(
        ["b2sum", "-l", "8"], input=node.encode(), capture_output=True, check=True
    ).stdout.decode()
    assert vector["shard"] == digest[0]
    assert vector["obs"] == f"city/v1/obs/{digest[0]}/{node}"
    assert vector["ack"] == f"city/v1/ack/{digest[0]}/{node}"
    assert vector["status"] == f"city/v1/status/{node}"


def unpack(data: bytes) -> tuple[Any, bytes]:  # noqa: PLR0911 - one return for each kind
    """As much of MessagePack as the vectors use, written from its specification."""
    head, data = data[0], data[1:]
    if head < 0x80:
        return head, data
    if head >= 0xE0:
        return head - 256, data
    if head < 0x90:
        return unpack_map(head & 0x0F, data)
    if head < 0xA0:
        return unpack_list(head & 0x0F, data)
    if head < 0xC0:
        return data[: head & 0x1F].decode(), data[head & 0x1F :]
    if head in (0xC0, 0xC2, 0xC3):
        return {0xC0: None, 0xC2: False, 0xC3: True}[head], data
    if head == 0xD9:
        return data[1 : 1 + data[0]].decode(), data[1 + data[0] :]
    if head == 0xDE:
        return unpack_map(int.from_bytes(data[:2], "big"), data[2:])
    form = {0xCB: ">d", 0xCC: ">B", 0xCD: ">H", 0xCE: ">I", 0xCF: ">Q", 0xD1: ">h"}[head]
    size = struct.calcsize(form)
    return struct.unpack(form, data[:size])[0], data[size:]


def unpack_list(length: int, data: bytes) -> tuple[list[Any], bytes]:
    values = []
    for _ in range(length):
        value, data = unpack(data)
        values.append(value)
    return values, data


def unpack_map(length: int, data: bytes) -> tuple[dict[str, Any], bytes]:
    values = {}
    for _ in range(length):
        key, data = unpack(data)
        values[key], data = unpack(data)
    return values, data

"""JSON Schemas of the wire contract, and test vectors, for implementers in any language.

``python -m citynerve.schema`` writes both to ``citynerve/schema/`` again. The schemas follow from
``citynerve.messages``, the vectors from ``citynerve.vectors``; a test keeps the files current.
"""

import inspect
import json
from pathlib import Path
from typing import Any, Final

import msgspec

from citynerve import messages, vectors

FOLDER: Final = Path(__file__).parent / "schema"
"""Where the committed files lie."""

_DIALECT: Final = "https://json-schema.org/draft/2020-12/schema"
_KINDS: Final[dict[str, type[msgspec.Struct]]] = {
    "hello": messages.HelloMessage,
    "batch": messages.Batch,
    "ack": messages.Ack,
    "status": messages.Status,
    "owner": messages.Owner,
    "anomaly": messages.AnomalyEvent,
    "rejected": messages.Rejected,
}


def schema(kind: str) -> dict[str, Any]:
    """The JSON Schema of one kind of message: hello, batch, ack, status, owner, anomaly, rejected.

    What a schema cannot say (columns of one length, times that increase) stands in
    ``docs/protocol.md``.
    """
    (root,), parts = msgspec.json.schema_components([_KINDS[kind]], ref_template="#/$defs/{name}")
    whole: dict[str, Any] = {"$schema": _DIALECT, "$id": f"urn:citynerve:v1:{kind}", **root}
    whole["$defs"] = {name: _tidy(part) for name, part in sorted(parts.items())}
    return whole


def files() -> dict[Path, str]:
    """Every generated file and its text."""
    texts = {FOLDER / f"{kind}.json": schema(kind) for kind in _KINDS}
    found: dict[Path, Any] = texts | {
        FOLDER / "vectors" / f"{name}.json": content for name, content in vectors.ALL.items()
    }
    return {
        path: json.dumps(content, indent=2, ensure_ascii=False) + "\n"
        for path, content in found.items()
    }


def write() -> None:
    """Write all of them."""
    for path, text in files().items():
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_text(text, encoding="utf-8")


def _tidy(part: dict[str, Any]) -> dict[str, Any]:
    # Docstrings keep the indentation of the source.
    if "description" in part:
        part["description"] = inspect.cleandoc(part["description"]).replace("``", "`")
    return part


if __name__ == "__main__":
    write()

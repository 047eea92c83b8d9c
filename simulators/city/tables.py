"""Tables of a configuration as TOML text."""

import json
from typing import Any


def toml(config: dict[str, Any]) -> str:
    """Tables, lists, strings, numbers and booleans as TOML text."""
    lines: list[str] = []
    for key, value in config.items():
        if isinstance(value, list) and value and isinstance(value[0], dict):
            for table in value:
                lines += [f"[[{key}]]", *_pairs(table), ""]
        elif isinstance(value, dict):
            lines += [f"[{key}]", *_pairs(value), ""]
        else:
            lines.insert(0, f"{key} = {_inline(value)}")
    return "\n".join(lines)


def _pairs(table: dict[str, Any]) -> list[str]:
    return [f"{_key(key)} = {_inline(value)}" for key, value in table.items()]


def _inline(value: object) -> str:
    match value:
        case bool():
            return "true" if value else "false"
        case int() | float():
            return repr(value)
        case str():
            return _quoted(value)
        case list() | tuple():
            return f"[{', '.join(map(_inline, value))}]"
        case dict():
            inside = ", ".join(f"{_key(key)} = {_inline(entry)}" for key, entry in value.items())
            return f"{{ {inside} }}" if inside else "{}"
    raise TypeError(f"no TOML for {type(value).__name__}")


def _key(key: str) -> str:
    bare = key.replace("-", "").replace("_", "")
    return key if bare.isascii() and bare.isalnum() else _quoted(key)


def _quoted(text: str) -> str:
    # JSON's escapes are a subset of TOML's basic strings, but for the delete character.
    return json.dumps(text, ensure_ascii=False).replace("\x7f", "\\u007f")

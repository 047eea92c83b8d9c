"""What is wrong with a configuration, in words that a person can act on."""

import copy
import difflib
import re
from collections.abc import Iterator
from types import UnionType
from typing import Annotated, Any, Final, Literal, Union, get_args, get_origin

import msgspec

from citynerve.errors import ConfigError

_PATH: Final = re.compile(r" - at (?P<named>`key` in )?`\$(?P<path>[^`]*)`$")
_STEP: Final = re.compile(r"\.([^.\[\]]+)|\[(\d+|\.\.\.)\]")
_UNKNOWN: Final = re.compile(r"^Object contains unknown field `(?P<name>[^`]*)`")
_MISSING: Final = re.compile(r"^Object missing required field `(?P<name>[^`]*)`")
_EXPECTED: Final = re.compile(r"^Expected `(?P<kind>\w+)[^`]*`(?P<limit>(?!,).*)?")
_GOT: Final = re.compile(r", got \d+$")
_SECRET: Final = re.compile(r"password|token|secret", re.IGNORECASE)
_SOME_KEY: Final = "..."
"""How msgspec writes a key of a dict in a path: it does not tell which."""

_HOW_TO_WRITE: Final = {
    "object": "write a table, [{key}]",
    "array": "write a list, [...]",
    "str": "write text in quotes",
    "int": "write a whole number without quotes",
    "float": "write a number without quotes",
    "bool": "write true or false",
}

Step = str | int
KeyPath = tuple[Step, ...]


def explain(
    error: msgspec.ValidationError, data: dict[str, Any], kind: type[Any], file: str
) -> ConfigError:
    """The error that tells file, key, value and fix.

    Args:
        error: What msgspec says about ``data``.
        data: The parsed file.
        kind: What it should have been.
        file: Its name.
    """
    message = str(error)
    path = _find(message, data, kind)
    problem = _PATH.sub("", message)
    unknown = _UNKNOWN.match(problem)
    if unknown:
        name = unknown["name"]
        fix = _nearest(name, _fields(kind, path))
        return ConfigError("unknown key", file=file, key=_dotted((*path, name)), fix=fix)
    missing = _MISSING.match(problem)
    if missing:
        whole = (*path, missing["name"])
        return ConfigError("missing", file=file, key=_dotted(whole), fix=_how_to_add(kind, whole))
    key = _dotted(path)
    value = None if _SECRET.search(key) else _plain(_get(data, path))
    said = problem[:1].lower() + problem[1:]
    if problem.startswith("Invalid"):
        said = "no date and time" if "datetime" in problem else "no such choice"
    return ConfigError(said, file=file, key=key or None, value=value, fix=_fix(problem, kind, path))


def _how_to_add(kind: type[Any], path: KeyPath) -> str:
    if _structs(kind, path):
        return f"add the table [{_dotted(path)}]"
    choices = _choices(kind, path)
    return f"add {path[-1]} = ..." + (f", one of {', '.join(choices)}" if choices else "")


def _fix(problem: str, kind: type[Any], path: KeyPath) -> str | None:
    if "datetime" in problem:
        return "write one with its zone, such as 2026-05-01T12:00:00Z"
    expected = _EXPECTED.match(problem)
    if expected and expected["limit"]:
        return f"choose one{_GOT.sub('', expected['limit'])}"
    choices = _choices(kind, path)
    numbers = ["a number"] if {int, float} & set(_at(kind, path)) else []
    if choices:
        return f"write one of {', '.join(choices + numbers)}"
    how = _HOW_TO_WRITE.get(expected["kind"]) if expected else None
    if how and expected and expected["kind"] == "array" and _structs(kind, (*path, 0)):
        how = "write it as [[{key}]]"
    return how.format(key=_dotted(path)) if how else None


def _nearest(name: str, known: list[str]) -> str:
    close = difflib.get_close_matches(name, known, n=1)
    return f"did you mean {close[0]!r}?" if close else f"known here: {', '.join(sorted(known))}"


def _find(message: str, data: dict[str, Any], kind: type[Any]) -> KeyPath:
    found = _PATH.search(message)
    if found is None:
        return ()
    path: KeyPath = ()
    for name, bracket in _STEP.findall(found["path"]):
        if bracket == _SOME_KEY:
            path = (*path, _culprit(message, data, kind, path))
        else:
            path = (*path, int(bracket) if bracket else name)
    if found["named"]:
        path = (*path, _culprit(message, data, kind, path))
    return path


def _culprit(message: str, data: dict[str, Any], kind: type[Any], path: KeyPath) -> str:
    # The one key of the dict that, left alone, still fails in the same way.
    table = _get(data, path)
    for key in table if isinstance(table, dict) else ():
        alone = copy.deepcopy(data)
        kept = _get(alone, path)
        for other in set(kept) - {key}:
            del kept[other]
        try:
            msgspec.convert(alone, kind)
        except msgspec.ValidationError as error:
            if str(error) == message:
                return str(key)
    return _SOME_KEY


def _dotted(path: KeyPath) -> str:
    text = "".join(f"[{step}]" if isinstance(step, int) else f".{step}" for step in path)
    return text.lstrip(".")


def _get(data: Any, path: KeyPath) -> Any:  # noqa: ANN401 - a parsed TOML file holds anything
    for step in path:
        try:
            data = data[step]
        except (KeyError, IndexError, TypeError):
            return None
    return data


def _plain(value: object) -> object:
    return value if isinstance(value, str | int | float | bool) else None


def _fields(kind: object, path: KeyPath) -> list[str]:
    """The keys that the table at ``path`` may have."""
    return [info.encode_name for struct in _structs(kind, path) for info in _infos(struct)]


def _choices(kind: object, path: KeyPath) -> list[str]:
    """The words that the value at ``path`` must be one of; empty when it is free."""
    if not path:
        return []
    words = [
        str(word).lower() if isinstance(word, bool) else str(word)
        for part in _at(kind, path)
        if get_origin(part) is Literal
        for word in get_args(part)
    ]
    for struct in _structs(kind, path[:-1]):
        config = struct.__struct_config__
        if config.tag_field == path[-1]:
            words.append(str(config.tag))
    return words


def _structs(kind: object, path: KeyPath) -> list[type[msgspec.Struct]]:
    parts = _at(kind, path)
    return [p for p in parts if isinstance(p, type) and issubclass(p, msgspec.Struct)]


def _infos(struct: type[msgspec.Struct]) -> tuple[msgspec.structs.FieldInfo, ...]:
    return msgspec.structs.fields(struct)


def _at(kind: object, path: KeyPath) -> list[object]:
    """The types that the value at ``path`` may have, through tables, lists, dicts and unions."""
    kinds = list(_parts(kind))
    for step in path:
        kinds = [
            part for outer in kinds for inner in _inside(outer, step) for part in _parts(inner)
        ]
    return kinds


def _parts(kind: object) -> Iterator[object]:
    origin = get_origin(kind)
    if origin is Annotated:
        yield from _parts(get_args(kind)[0])
    elif origin in (Union, UnionType):
        for part in get_args(kind):
            yield from _parts(part)
    else:
        yield kind


def _inside(kind: object, step: Step) -> Iterator[object]:
    if isinstance(kind, type) and issubclass(kind, msgspec.Struct):
        yield from (info.type for info in _infos(kind) if info.encode_name == step)
    elif isinstance(step, int):
        yield from get_args(kind)
    elif get_origin(kind) is dict:
        yield get_args(kind)[1]

"""TOML files into typed structs, with every mistake explained.

A configuration is a tree of ``msgspec.Struct`` with ``forbid_unknown_fields=True``; ranges and
patterns are ``msgspec.Meta``. Secrets may stand in the environment instead of the file: a setting
is overridden by the variable that :func:`load` is given for it.
"""

import os
import tomllib
from collections.abc import Mapping
from pathlib import Path
from typing import Any, TypeVar

import msgspec

from citynerve.errors import ConfigError
from citynerve.explain import explain

T = TypeVar("T", bound=msgspec.Struct)


class Config(msgspec.Struct, forbid_unknown_fields=True, kw_only=True):
    """The base of every table of a configuration file."""


def load(
    path: Path,
    kind: type[T],
    *,
    env: Mapping[str, str] | None = None,
    overrides: Mapping[str, Any] | None = None,
) -> T:
    """Read a TOML file as ``kind``.

    Args:
        path: The file.
        kind: The struct of the whole file.
        env: Environment variable -> dotted key that it overrides. Variables that are not set or
            empty override nothing.
        overrides: Dotted key -> value that stands above the file and the environment, such as an
            option of the command line.

    Raises:
        ConfigError: The file is missing, is not TOML, or does not fit ``kind``.
    """
    try:
        text = path.read_text(encoding="utf-8")
    except FileNotFoundError as error:
        raise ConfigError(
            "no such file", file=str(path), fix="create it, or name another with --config"
        ) from error
    except UnicodeDecodeError as error:
        raise ConfigError(
            f"is not UTF-8: byte {error.start} is no text", file=str(path), fix="save it as UTF-8"
        ) from error
    except OSError as error:
        raise ConfigError(
            f"cannot be read: {error.strerror}",
            file=str(path),
            fix="name a file that this user may read",
        ) from error
    return loads(text, kind, file=str(path), env=env, overrides=overrides)


def loads(
    text: str,
    kind: type[T],
    *,
    file: str,
    env: Mapping[str, str] | None = None,
    overrides: Mapping[str, Any] | None = None,
) -> T:
    """Read TOML text as ``kind``; ``file`` is only for messages. See :func:`load`."""
    try:
        data = tomllib.loads(text)
    except tomllib.TOMLDecodeError as error:
        raise ConfigError(
            f"not valid TOML: {error}", file=file, fix="mend the line named above"
        ) from error
    for variable, key in (env or {}).items():
        value = os.environ.get(variable)
        if value:
            _set(data, key, value, file)
    for key, chosen in (overrides or {}).items():
        _set(data, key, chosen, file)
    try:
        return convert(data, kind, file=file)
    except ConfigError as error:
        raise placed(error, file, env={} if error.key in (overrides or {}) else env) from error


def placed(error: ConfigError, file: str, *, env: Mapping[str, str] | None = None) -> ConfigError:
    """The error, with the place where the wrong value stands.

    Args:
        error: What is wrong with a setting.
        file: Where settings come from, unless a variable overrides them.
        env: See :func:`load`.
    """
    key = error.key
    for variable, overridden in (env or {}).items():
        if overridden == error.key and os.environ.get(variable):
            file, key = "environment", variable
    return ConfigError(error.problem, file=file, key=key, value=error.value, fix=error.fix)


def convert(data: dict[str, Any], kind: type[T], *, file: str) -> T:
    """A parsed table as ``kind``.

    Raises:
        ConfigError: It does not fit; names the key, the value and what would fit.
    """
    try:
        return msgspec.convert(data, kind)
    except msgspec.ValidationError as error:
        raise explain(error, data, kind, file) from error


def _set(data: dict[str, Any], key: str, value: object, file: str) -> None:
    *tables, last = key.split(".")
    for table in tables:
        data = data.setdefault(table, {})
        if not isinstance(data, dict):
            raise ConfigError("expected a table", file=file, key=table, fix=f"write [{table}]")
    data[last] = value

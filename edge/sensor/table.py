"""Recorded tables as streams of cells: CSV with a header, and NDJSON with one flat object a line.

Rows come in file order, one at a time, so a file may be larger than memory.
"""

import csv
import hashlib
from collections.abc import Iterator
from pathlib import Path
from typing import Final

import msgspec

from citynerve.errors import ConfigError, UnavailableError

_NDJSON: Final = frozenset({".ndjson", ".jsonl"})
_CONTROL: Final = frozenset(map(chr, range(32))) - frozenset("\t\r\n")
SUFFIXES: Final = frozenset({".csv"}) | _NDJSON
"""The file name endings that a folder is searched for."""

Row = dict[str, str] | None
"""Column to cell; a JSON null, and a cell that a short CSV row lacks, are missing. None: the line
is no row at all."""


def header(path: Path) -> list[str]:
    """The names of a file's columns; of NDJSON, those of the first line.

    Raises:
        UnavailableError: The file cannot be read.
        ConfigError: It is empty, or its first line is neither a CSV header nor a JSON object.
    """
    if path.suffix.lower() in _NDJSON:
        _, first = next(_ndjson(path, keep_nulls=True), (0, None))
        names = list(first or ())
    else:
        names = next(_csv_lines(path), (0, None))[1] or []
    if not names:
        raise ConfigError(
            "has no columns",
            file=str(path),
            fix="give a CSV file with a header line, or NDJSON with one object a line",
        )
    if any(_CONTROL & set(name) for name in names):
        raise ConfigError(
            "is no text: its first line holds control characters",
            file=str(path),
            fix="give a CSV file with a header line, in UTF-8",
        )
    return names


def rows(path: Path) -> Iterator[tuple[int, Row]]:
    """Line number (from 1) and row, for every line that is not blank.

    Raises:
        UnavailableError: The file cannot be read.
    """
    if path.suffix.lower() in _NDJSON:
        return _ndjson(path, keep_nulls=False)
    return _csv_rows(path)


def digest(path: Path) -> bytes:
    """What a file's content is known by.

    Raises:
        UnavailableError: The file cannot be read.
    """
    try:
        with path.open("rb") as file:
            return hashlib.file_digest(file, "blake2b").digest()
    except OSError as error:
        raise unreadable(path, error) from error


def _csv_rows(path: Path) -> Iterator[tuple[int, Row]]:
    lines = _csv_lines(path)
    _, names = next(lines, (0, None))
    for number, cells in lines:
        if cells is None:
            yield number, None
        elif cells:
            # A short row lacks its last cells; what goes beyond the header has no name.
            yield number, dict(zip(names or (), cells, strict=False))


def _csv_lines(path: Path) -> Iterator[tuple[int, list[str] | None]]:
    try:
        with path.open(encoding="utf-8-sig", errors="replace", newline="") as lines:
            reader = csv.reader(lines)
            while True:
                try:
                    yield reader.line_num + 1, next(reader)
                except StopIteration:
                    return
                except csv.Error:
                    yield reader.line_num, None
    except OSError as error:
        raise unreadable(path, error) from error


def _ndjson(path: Path, *, keep_nulls: bool) -> Iterator[tuple[int, Row]]:
    decode = msgspec.json.Decoder(dict[str, str | int | float | bool | None]).decode
    try:
        with path.open("rb") as lines:
            for number, line in enumerate(lines, start=1):
                text = line.strip().removeprefix(b"\xef\xbb\xbf")
                if not text:
                    continue
                try:
                    record = decode(text)
                except (msgspec.DecodeError, UnicodeDecodeError):
                    yield number, None
                    continue
                yield number, {k: str(v) for k, v in record.items() if keep_nulls or v is not None}
    except OSError as error:
        raise unreadable(path, error) from error


def unreadable(path: Path, error: OSError) -> UnavailableError:
    """What the operating system says about a recorded file or a folder of them."""
    return UnavailableError(
        "recorded file",
        where=str(path),
        problem=error.strerror or str(error),
        fix="name a readable CSV or NDJSON file, or a folder of them",
    )

"""The boards as files: built from code, committed as JSON, checked to be current.

The JSON in ``dashboards/json/`` is what Grafana gets, by provisioning or by push; it is never
edited by hand.
"""

import json
from collections.abc import Callable
from pathlib import Path
from typing import Any, Final

from grafana_foundation_sdk.builders.dashboard import Dashboard
from grafana_foundation_sdk.cog.encoder import JSONEncoder

from citynerve.errors import ConfigError
from dashboards import cameras, city, datastream, district, nodes, stream, trends

FOLDER: Final = Path(__file__).parent / "json"

BUILDERS: Final[dict[str, Callable[[], Dashboard]]] = {
    "city-now": city.build,
    "district": district.build,
    "datastream": datastream.build,
    "cameras": cameras.build,
    "nodes": nodes.build,
    "stream": stream.build,
    "trends": trends.build,
}
"""File stem -> builder, in the order in which a newcomer should see them."""


def texts() -> dict[str, str]:
    """Every board as JSON text, by file name."""
    return {
        f"{stem}.json": json.dumps(builder().build(), cls=JSONEncoder, indent=2) + "\n"
        for stem, builder in BUILDERS.items()
    }


def write(folder: Path = FOLDER) -> list[Path]:
    """Write every board; returns the files that changed.

    Raises:
        ConfigError: The folder cannot be written.
    """
    changed = []
    for name, text in texts().items():
        path = folder / name
        if not _holds(path, text):
            try:
                folder.mkdir(parents=True, exist_ok=True)
                path.write_text(text, encoding="utf-8")
            except OSError as error:
                raise ConfigError(
                    f"cannot be written: {error.strerror}", file=str(path), fix="choose --out"
                ) from error
            changed.append(path)
    return changed


def check(folder: Path = FOLDER) -> None:
    """See that the files are what the code builds, no more and no fewer.

    Raises:
        ConfigError: A file is missing, differs, or is left over; names all of them.
    """
    built = texts()
    stale = [name for name, text in built.items() if not _holds(folder / name, text)]
    left_over = [path.name for path in folder.glob("*.json") if path.name not in built]
    if stale or left_over:
        raise ConfigError(
            f"not current: {', '.join(sorted(stale + left_over))}",
            file=str(folder),
            fix="run 'citynerve dashboards build' and remove files that no board has any more",
        )


def load(folder: Path = FOLDER) -> dict[str, dict[str, Any]]:
    """Every committed board, parsed, by file stem.

    Raises:
        ConfigError: A file is missing or is no JSON object.
    """
    return {stem: _parse(folder / f"{stem}.json") for stem in BUILDERS}


def _parse(path: Path) -> dict[str, Any]:
    try:
        board = json.loads(path.read_text(encoding="utf-8"))
    except (OSError, ValueError) as error:
        raise ConfigError(
            f"cannot be read: {error}", file=str(path), fix="run 'citynerve dashboards build'"
        ) from error
    if not isinstance(board, dict):
        raise ConfigError("not a JSON object", file=str(path))
    return board


def _holds(path: Path, text: str) -> bool:
    try:
        return path.read_text(encoding="utf-8") == text
    except (OSError, UnicodeDecodeError):
        return False

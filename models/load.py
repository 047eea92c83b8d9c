"""From what a user wrote - a name, a manifest, an ONNX file - to a detector that can be built."""

import difflib
import hashlib
import os
from collections.abc import Iterator
from dataclasses import dataclass
from importlib.resources import as_file, files
from pathlib import Path
from typing import Final

from citynerve.errors import ConfigError, UnavailableError
from models import families, graph
from models.graph import Graph
from models.labels import COCO_80
from models.manifest import Input, Manifest, read

FOLDERS_VARIABLE: Final = "CITYNERVE_MODELS"


@dataclass(frozen=True, slots=True)
class Model:
    """A detector whose file is there and is what its manifest says.

    Attributes:
        name: The manifest's name, or the ONNX file's without its ending.
        manifest: What it takes and what its outputs mean.
        path: The ONNX file.
        graph: Its inputs and outputs.
        content: The file, with no weights listed as inputs of the graph.
        sha256: Of the file as it lies on the disk.
    """

    name: str
    manifest: Manifest
    path: Path
    graph: Graph
    content: bytes
    sha256: str


def load(name: str, base: Path) -> Model:
    """Find a model and make sure that it can be decoded.

    Args:
        name: A name of the catalog, a manifest (``.toml``) or an ONNX file.
        base: The folder that relative paths start from.

    Raises:
        ConfigError: No such model; its manifest is wrong; it is no detector of a known family.
        UnavailableError: The manifest is there, but not the weights.
    """
    if name.endswith(".onnx"):
        return _bare(_existing(name, base))
    path = base / Path(name).expanduser() if name.endswith(".toml") else _named(name)
    return _from_manifest(path.stem, read(path), path)


def catalog() -> Iterator[tuple[str, Path]]:
    """Names and manifests: those shipped, then those in the folders of CITYNERVE_MODELS."""
    with as_file(files("models") / "catalog") as shipped:
        for folder in (shipped, *_folders()):
            for path in sorted(folder.glob("*.toml")):
                yield path.stem, path


def find_weights(manifest: Manifest, path: Path) -> Path:
    """The ONNX file of the manifest at ``path``.

    Raises:
        UnavailableError: It is in none of the places.
    """
    places = [path.parent, Path.cwd(), *_folders()]
    for folder in places:
        found = folder / Path(manifest.file).expanduser()
        if found.is_file():
            return found
    looked = ", ".join(dict.fromkeys(map(str, places)))
    origin = f"get it from {manifest.source}, and " if manifest.source else ""
    raise UnavailableError(
        "model",
        where=manifest.file,
        problem=f"not in {looked}",
        fix=f"{origin}put it there, or set {FOLDERS_VARIABLE} to its folder",
    )


def _folders() -> list[Path]:
    given = os.environ.get(FOLDERS_VARIABLE, "")
    return [Path(part).expanduser() for part in given.split(os.pathsep) if part]


def _named(name: str) -> Path:
    known = dict(reversed(list(catalog())))
    if name in known:
        return known[name]
    close = difflib.get_close_matches(name, known, n=1)
    hint = f"did you mean {close[0]!r}?" if close else f"known here: {', '.join(sorted(known))};"
    raise ConfigError(
        "no such model",
        key="model",
        value=name,
        fix=f"{hint} or name a manifest (.toml) or a detector (.onnx)",
    )


def _existing(name: str, base: Path) -> Path:
    for folder in (base, *_folders()):
        path = folder / Path(name).expanduser()
        if path.is_file():
            return path
    raise ConfigError(
        "no such file",
        key="model",
        value=str(base / name),
        fix=f"name a model that is there (citynerve models list), or set {FOLDERS_VARIABLE}",
    )


def _from_manifest(name: str, manifest: Manifest, path: Path) -> Model:
    weights = find_weights(manifest, path)
    found, content = graph.read(weights)
    sha256 = _digest(weights)
    if manifest.sha256 not in (None, sha256):
        raise ConfigError(
            f"{weights} is another file: its sha256 is {sha256}",
            file=str(path),
            key="sha256",
            value=manifest.sha256,
            fix="get the file that the manifest means, or write a manifest for the one you have",
        )
    families.check(manifest, found, file=str(weights), source=str(path))
    return Model(name, manifest, weights, found, content, sha256)


def _bare(path: Path) -> Model:
    found, content = graph.read(path)
    sha256 = _digest(path)
    for name, known in catalog():
        manifest = read(known)
        if manifest.sha256 == sha256:
            return Model(name, manifest, path, found, content, sha256)
    manifest = _guess(path, found)
    families.check(manifest, found, file=str(path), source=str(path))
    return Model(path.stem, manifest, path, found, content, sha256)


def _guess(path: Path, found: Graph) -> Manifest:
    shape = families.recognise(found, file=str(path))
    if shape.classes != len(COCO_80):
        raise ConfigError(
            f"is a detector of the family {shape.family} with {shape.classes} classes, and no"
            " manifest names them",
            file=str(path),
            key="labels",
            fix="write a manifest beside it with file, family, labels and input",
        )
    size = Input(width=shape.width, height=shape.height, mean=shape.mean, std=shape.std)
    return Manifest(file=path.name, family=shape.family, input=size)


def _digest(path: Path) -> str:
    with path.open("rb") as file:
        return hashlib.file_digest(file, "sha256").hexdigest()

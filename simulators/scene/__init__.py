"""Rendered camera scenes with exact ground truth."""

from simulators.scene.scene import SCENES, Scene
from simulators.scene.truth import CLASSES, Object

__all__ = ["CLASSES", "SCENES", "Object", "Scene"]

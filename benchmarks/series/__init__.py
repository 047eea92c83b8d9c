"""Labelled series of many regimes, and how right a detector is on them.

``python -m benchmarks.series`` reports on the detectors; :func:`series` makes one series of a seed.
The seeds of :data:`DEVELOPMENT` are there to choose structure and parameters on, those of
:data:`HELD_OUT` to say afterwards what that was worth: choose nothing on them.
"""

from benchmarks.series.generate import DEVELOPMENT, HELD_OUT, series
from benchmarks.series.model import Series, Window

__all__ = ["DEVELOPMENT", "HELD_OUT", "Series", "Window", "series"]

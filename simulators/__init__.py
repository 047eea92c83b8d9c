"""A small city to try CityNerve with: edge drivers with known signals and known faults.

The simulated nodes are ordinary edge agents with another source (``driver = "plugin"``), so all
that follows them is the real thing.
"""

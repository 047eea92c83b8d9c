"""What stands in for a city: nodes with a model behind them, camera scenes, recordings.

The simulated nodes are ordinary edge agents with another source (``driver = "plugin"``), so all
that follows them is the real thing.
"""

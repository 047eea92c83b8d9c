"""Training of our own detector for simulated scenes: data, network, losses, export, evaluation.

Nothing that runs needs this; it wants ``citynerve[training]``. See ``python -m models.training``.
"""

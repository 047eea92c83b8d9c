"""Speed, memory and exactness, measured: one module a question, each run with ``python -m``."""

"""``python -m citynerve``."""

from citynerve.cli import main

main()

"""Drivers of sensors. To add one: write a class like ``driver.Driver`` and register it."""

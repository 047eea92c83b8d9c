"""The harness for exactness: the same input with and without faults must give the same database.

Processes are killed and links cut at random instants; then what InfluxDB holds is compared point by
point with a run without faults, and with what the seeded input itself says. Run it with
``python -m benchmarks.chaos --faults N --seed S``.
"""

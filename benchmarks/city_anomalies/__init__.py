"""Faults injected into a real city's datastreams, and what the detectors make of them."""

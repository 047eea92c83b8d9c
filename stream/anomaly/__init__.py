"""Detectors of anomalies: the state of many datastreams in arrays, learned online."""

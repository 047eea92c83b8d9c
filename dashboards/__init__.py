"""Grafana as code: boards from builders, provisioning, and the push to a server."""

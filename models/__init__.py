"""The model zoo: manifests, decoders of model families, checks."""

"""Decoders: from the tensors that a family of detectors gives to boxes, one family a file."""

"""One shard of nodes: admission, windows, detection. Plain classes over arrays, no Bytewax."""

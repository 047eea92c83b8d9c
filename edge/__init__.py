"""The agent of one node: sources to stages to spool to link. Imports nothing of the stream."""

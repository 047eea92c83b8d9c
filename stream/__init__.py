"""The dataflow at the centre. Only flow.py, sources/ and sinks/ import Bytewax."""

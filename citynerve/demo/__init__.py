"""The whole chain on one machine, each part a process of its own."""

"""Many real edge agents in one process: ``citynerve simulate city``.

Each node is what ``citynerve edge run`` is, with its own configuration file, spool, term and MQTT
connection; only the thread is shared. So whatever a run of the city shows holds for a city of as
many machines, but that they have one processor and one disk.
"""

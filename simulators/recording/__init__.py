"""What nodes and stream say over MQTT, as files: recorded, looked into, and played again.

A recording is one MCAP file or several parts of one. ``record`` writes everything below the MQTT
root as it stands; ``replay`` plays the original nodes through the real protocol, from such a file
or from CSV and NDJSON; ``info`` tells what is in a recording.
"""

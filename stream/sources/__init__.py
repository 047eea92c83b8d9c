"""Where the stream reads: the 16 MQTT partitions."""

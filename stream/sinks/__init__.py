"""Where the stream writes: InfluxDB, acknowledgements, events, the outbox."""

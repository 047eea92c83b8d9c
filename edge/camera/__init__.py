"""From a picture to observations and events: capture, detect, track, lines and zones."""

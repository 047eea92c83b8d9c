"""Events and statuses of nodes as lines."""

from citynerve.messages import Crossing, Crowd, Dwell, Event, Status, Stopped
from citynerve.topics import is_name
from stream.lane.lines import NS, Field, head, line, within_ms
from stream.lane.nodes import Node


def refusal(event: Event, node: Node, latest: int) -> str | None:
    """Why an event cannot be taken in (``undeclared``, ``name``, ``old``, ``future``), or None."""
    if event.camera not in node.cameras:
        return "undeclared"
    if event.t < 0:
        return "old"
    if event.t > latest:
        return "future"
    names = [event.line, event.direction] if isinstance(event, Crossing) else [event.zone]
    if not isinstance(event, Crowd):
        names.append(event.cls)
    return None if all(is_name(name) for name in names) else "name"


def event_line(event: Event, node: Node) -> str | None:
    """A crossing or another event; the time tells apart events of one millisecond."""
    tags = {"node": node.name, "camera": event.camera, "district": node.district}
    fields: dict[str, Field]
    if isinstance(event, Crossing):
        tags |= {"line": event.line, "class": event.cls, "direction": event.direction}
        measurement = "crossing"
        fields = {"count": 1.0, "speed": event.speed, "track": event.track}
    else:
        tags["type"] = str(event.__struct_config__.tag)
        measurement = "event"
        fields = {"id": event.id, "zone": event.zone}
        if isinstance(event, Crowd):
            fields["value"] = event.value
        else:
            fields |= {"class": event.cls, "track": event.track}
            if isinstance(event, Dwell | Stopped):
                fields["seconds"] = event.seconds
        position = node.about.position
        if position is not None:
            fields |= {"lat": position.lat, "lon": position.lon}
    return line(head(measurement, tags), fields, event.t * NS + within_ms(event.id))


def status_line(status: Status, node: Node, now: int) -> str | None:
    """A node's status, at the time it was sent; a last will, made long before, at ``now`` (ms)."""
    at = status.sent if status.online else now
    # The time as a figure, too: with other last figures, a query gives no point's own time.
    fields: dict[str, Field] = {"online": float(status.online), "seen": at}
    health = status.health
    if health is not None:
        fields |= {
            "state": health.state,
            "spool_batches": health.spool_batches,
            "spool_bytes": health.spool_bytes,
            "sent_batches": health.sent_batches,
            "resent_batches": health.resent_batches,
            "observations": health.observations,
            "repeated": health.repeated,
            "late": health.late,
            "given_up": health.given_up,
            "dropped": health.dropped,
            "reconnects": health.reconnects,
            "done": float(health.done),
            "clock_offset": health.clock_offset,
            # Empty when there are none: the last text of a node is then what holds now.
            "problems": "; ".join(health.problems),
        }
    fields["versions"] = " ".join(f"{k}={v}" for k, v in sorted(status.versions.items())) or None
    position = node.about.position
    if position is not None:
        fields |= {"lat": position.lat, "lon": position.lon}
    return line(head("node", {"node": node.name, "district": node.district}), fields, at * NS)

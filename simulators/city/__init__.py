"""A simulated city: streets, districts, nodes; what they observe; what goes wrong; the truth of it.

The simulated nodes are ordinary edge agents with another source (``driver = "plugin"``), so all
that follows them is the real thing. What they observe is a function of the city's settings and of
time, so any run can be had again.

- :func:`plan` draws a city, :func:`write_geojson` its map;
- :func:`node_configs` gives the configuration of each node's agent, :func:`toml` as text;
- ``simulators.city.driver`` is the source of such a node, ``simulators.city.world`` the city that
  all of them share, ``simulators.city.truth`` what really happened.
"""

from simulators.city.geojson import write_geojson
from simulators.city.nodes import node_configs, showcase
from simulators.city.plan import Plan, plan
from simulators.city.tables import toml

__all__ = ["Plan", "node_configs", "plan", "showcase", "toml", "write_geojson"]

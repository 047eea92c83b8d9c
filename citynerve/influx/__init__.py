"""InfluxDB in its three living generations behind one small face.

======================  ==================  ==============  =============================
server                  write               administration  query (InfluxQL everywhere)
======================  ==================  ==============  =============================
1.x up to 1.7           ``/write``          ``/query``      ``/query``
1.8                     ``/api/v2/write``   ``/query``      ``/query``
2.x                     ``/api/v2/write``   ``/api/v2/*``   ``/query``, database = bucket
======================  ==================  ==============  =============================

Which one it is, :func:`connect` finds out by asking the server.
"""

from citynerve.influx.client import Influx, connect
from citynerve.influx.config import ENV, InfluxConfig
from citynerve.influx.errors import WriteRejected
from citynerve.influx.query import Series
from citynerve.influx.server import Server

__all__ = ["ENV", "Influx", "InfluxConfig", "Series", "Server", "WriteRejected", "connect"]

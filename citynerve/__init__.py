"""The spine of CityNerve: what edge, stream, dashboards and simulators share, and nothing else.

Start reading at ``messages`` (what travels), ``topics`` (where) and ``errors`` (what goes wrong).
"""

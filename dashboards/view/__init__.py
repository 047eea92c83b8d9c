"""The local view: the boards' very JSON drawn in a web page, without a Grafana.

From the outside in: ``server`` serves pages; ``page`` lays a board out and ``draw`` draws each type
of panel; ``engine`` runs a panel's queries and turns the answers into the frames that are drawn.
"""

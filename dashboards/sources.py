"""The two Grafana data sources, one a database: fixed uids, so that boards can name them.

``citynerve_raw`` holds observations and windows under ten minutes and forgets them after a while;
``citynerve`` holds all else, for ever.
"""

from typing import Final, NamedTuple

from grafana_foundation_sdk.models.dashboard import DataSourceRef

PLUGIN: Final = "influxdb"


class Source(NamedTuple):
    """A data source: its fixed uid and what people read in Grafana."""

    uid: str
    title: str

    @property
    def ref(self) -> DataSourceRef:
        """The reference that panels, variables and annotations carry."""
        return DataSourceRef(type_val=PLUGIN, uid=self.uid)


RAW: Final = Source("citynerve_raw", "CityNerve raw")
MAIN: Final = Source("citynerve", "CityNerve")
SOURCES: Final = (RAW, MAIN)

MIXED: Final = DataSourceRef(type_val="datasource", uid="-- Mixed --")
"""Grafana's marker for a panel whose targets each name their own data source."""

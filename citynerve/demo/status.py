"""How a run is going, or went: read from its folder and its database, at any time."""

from pathlib import Path

from citynerve.demo import account, manifest, report, scorecard
from citynerve.demo.chain import from_environment
from citynerve.demo.folder import places
from citynerve.influx import connect


def lines(folder: Path | None) -> list[str]:
    """The account and the scorecard of a run, for people.

    Args:
        folder: Of the run; None: of the one that was begun last.

    Raises:
        ConfigError: There is no such run.
        UnavailableError: Its database does not answer: it ends with the demo.
    """
    folder = folder or manifest.latest(places())
    ended = folder / report.NAME
    if ended.exists():
        return [f"run {folder}, ended", *report.lines(report.read(ended))]
    run = manifest.read(folder)
    _, theirs = from_environment(folder.name)
    spools = [
        account.read_spool(path, node)
        for node, name in run.spools.items()
        if (path := Path(name)).exists()
    ]
    with connect(run.database.config(theirs)) as influx:
        datastreams = account.settle(spools, account.ask(influx, run.spools), ended=False)
        card = scorecard.draw_up(influx, run.city, run.cameras)
    return [
        f"run {folder}, begun {run.started}",
        *([f"local view: {run.view}"] if run.view else []),
        *report.account_lines(report.totals(datastreams)),
        *scorecard.lines(card),
    ]

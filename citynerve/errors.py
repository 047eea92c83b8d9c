"""Every error that CityNerve raises on purpose.

::

    CityNerveError
    ├── ConfigError        a TOML file, an option or an environment variable is wrong
    ├── UnavailableError   a server, file or device that is needed is not there
    ├── RefusedError       something else already plays this part (a store, a node, a stream)
    └── ProtocolError      a message that breaks the contract; carries the reason to count

The command line turns each into one message and exit code 2, never a traceback. Anything else that
escapes is a defect of ours and shows its traceback.
"""

from typing import Final

USER_ERROR_EXIT: Final = 2


class CityNerveError(Exception):
    """The root of the tree: catch it to catch all that is foreseen."""


class ConfigError(CityNerveError):
    """What the user configured cannot be used.

    Args:
        problem: What is wrong, without the place ("expected a number").
        file: The file (or "environment", "command line") that holds it.
        key: The dotted key, option or variable.
        value: The offending value; omit it for secrets.
        fix: What to do, as an imperative sentence.
    """

    def __init__(
        self,
        problem: str,
        *,
        file: str | None = None,
        key: str | None = None,
        value: object = None,
        fix: str | None = None,
    ) -> None:
        self.problem = problem
        self.file = file
        self.key = key
        self.value = value
        self.fix = fix
        place = ": ".join(part for part in (file, key) if part)
        said = f" (got {value!r})" if value is not None else ""
        hint = f"\n  fix: {fix}" if fix else ""
        super().__init__(f"{place + ': ' if place else ''}{problem}{said}{hint}")


class UnavailableError(CityNerveError):
    """Something that is needed does not answer or does not exist.

    Args:
        what: What is missing ("MQTT broker", "video").
        where: Its address or path.
        problem: What happened when it was tried.
        fix: What to do, as an imperative sentence.
    """

    def __init__(self, what: str, *, where: str, problem: str, fix: str | None = None) -> None:
        self.what = what
        self.where = where
        self.problem = problem
        self.fix = fix
        hint = f"\n  fix: {fix}" if fix else ""
        super().__init__(f"{what} at {where}: {problem}{hint}")


class RefusedError(CityNerveError):
    """Another process already holds what this one wants to be.

    Args:
        what: What is held ("recovery store", "stream").
        holder: Who holds it, as far as is known.
        fix: What to do, as an imperative sentence.
    """

    def __init__(self, what: str, *, holder: str, fix: str | None = None) -> None:
        self.what = what
        self.holder = holder
        self.fix = fix
        hint = f"\n  fix: {fix}" if fix else ""
        super().__init__(f"{what} is held by {holder}{hint}")


class ProtocolError(CityNerveError):
    """A message that cannot be taken in.

    Args:
        reason: The short word it is counted under (``json``, ``schema``, ``size``, ``shard`` ...).
        detail: What exactly is wrong, for a person.
    """

    def __init__(self, reason: str, detail: str) -> None:
        self.reason = reason
        self.detail = detail
        super().__init__(f"{reason}: {detail}")

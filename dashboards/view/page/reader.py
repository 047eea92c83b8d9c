"""Who reads a page: language, theme and time zone, as cookies, the address and the browser say."""

from collections.abc import Mapping
from datetime import UTC, datetime, tzinfo
from typing import Final, Literal, get_args
from zoneinfo import ZoneInfo, ZoneInfoNotFoundError

import msgspec

from dashboards.view import locale
from dashboards.view.colors import Theme
from dashboards.view.locale import Translate
from dashboards.view.settings import Language

Wish = Literal["auto", "light", "dark"]
"""A theme, or the system's."""

LANGUAGE: Final = "citynerve_language"
THEME: Final = "citynerve_theme"
SHADE: Final = "citynerve_shade"
ZONE: Final = "citynerve_zone"
"""Names of cookies; ``SHADE`` is the theme that ``auto`` came to last time."""


class Reader(msgspec.Struct):
    """Somebody in front of a browser."""

    language: Language = "en"
    wish: Wish = "auto"
    theme: Theme = "light"
    zone: tzinfo = UTC

    @property
    def tr(self) -> Translate:
        """Texts in the reader's language."""
        return locale.translator(self.language)


def read(
    cookies: Mapping[str, str],
    query: Mapping[str, str],
    accept_language: str,
    default: Language | None,
) -> Reader:
    """The reader of a request.

    Args:
        cookies: The request's.
        query: Of its address: ``lang`` and ``theme`` come before the cookies.
        accept_language: The header.
        default: For who has chosen no language; None: what the browser accepts.
    """
    language = _one_of(get_args(Language), query.get("lang"), cookies.get(LANGUAGE))
    wish = _one_of(get_args(Wish), query.get("theme"), cookies.get(THEME)) or "auto"
    shade = wish if wish != "auto" else _one_of(get_args(Theme), cookies.get(SHADE))
    return Reader(
        language=language or default or locale.accepted(accept_language),  # type: ignore[arg-type]
        wish=wish,  # type: ignore[arg-type]
        theme=shade or "light",  # type: ignore[arg-type]
        zone=zone(cookies.get(ZONE, "").replace("%2F", "/")),
    )


def zone(name: str) -> tzinfo:
    """A time zone by its IANA name; this machine's where there is no such name."""
    try:
        return ZoneInfo(name)
    except (ZoneInfoNotFoundError, ValueError, OSError):
        return datetime.now(UTC).astimezone().tzinfo or UTC


def _one_of(known: tuple[str, ...], *wanted: str | None) -> str | None:
    return next((one for one in wanted if one in known), None)

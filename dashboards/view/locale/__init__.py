"""The view's languages: English, which everything is written in, and Chinese.

A catalogue is JSON: ``texts``, English to the other language, word for word; and ``patterns``,
regular expressions with what takes their place, for texts with numbers in them. What a catalogue
does not hold stays English.
"""

import json
import re
from collections.abc import Callable
from functools import cache
from pathlib import Path
from typing import Final

from dashboards.view.settings import Language

FOLDER: Final = Path(__file__).parent

LANGUAGES: Final[dict[Language, str]] = {"en": "English", "zh": "中文"}
"""Language -> its name in itself."""

TAGS: Final[dict[Language, str]] = {"en": "en", "zh": "zh-CN"}
"""Language -> what ``<html lang>`` says."""

Translate = Callable[[str], str]


@cache
def translator(language: Language) -> Translate:
    """Who turns English texts into a language's; what is not known comes back as it was."""
    if language == "en":
        return lambda text: text
    read = json.loads((FOLDER / f"{language}.json").read_text(encoding="utf-8"))
    texts: dict[str, str] = read["texts"]
    patterns = [(re.compile(pattern), put) for pattern, put in read["patterns"]]

    @cache
    def translate(text: str) -> str:
        found = texts.get(text)
        if found is not None:
            return found
        for pattern, put in patterns:
            match = pattern.fullmatch(text)
            if match:
                return match.expand(put)
        return text

    return translate


def accepted(header: str) -> Language:
    """The first language of ``Accept-Language`` that there is; English if there is none.

    >>> accepted("de, zh-TW;q=0.9, en;q=0.5"), accepted("")
    ('zh', 'en')
    """
    wanted = []
    for place, part in enumerate(header.split(",")):
        tag, _, weight = part.strip().partition(";q=")
        try:
            wanted.append((-float(weight or 1), place, tag.partition("-")[0].lower()))
        except ValueError:
            continue
    known: dict[str, Language] = {"en": "en", "zh": "zh"}
    return next((known[tag] for _, _, tag in sorted(wanted) if tag in known), "en")

"""The evidence behind a line of the timeline, formatted for people: indented, with secrets masked."""

from dataclasses import dataclass

import simplejson
from django_stubs_ext import StrOrPromise

from partner_portal.core.clean import InvalidJsonError, parse_json
from partner_portal.core.english import english as _
from partner_portal.core.masking import mask

MAX_LENGTH = 4_000
# How many entries of one kind show evidence; older ones show it on their own page.
MAX_SHOWN = 60


@dataclass(frozen=True)
class Evidence:
    """A text with a label."""

    label: StrOrPromise
    text: str


def shown(label: StrOrPromise, text: str) -> Evidence:
    """Return a text as evidence, with JSON indented, secrets masked, and cut at `MAX_LENGTH` characters."""
    readable = mask(_indented(text))
    cut = "" if len(readable) <= MAX_LENGTH else f"\n… ({_('the rest is on its own page')})"
    return Evidence(label, f"{readable[:MAX_LENGTH]}{cut}")


def facts(*pairs: tuple[str, object]) -> tuple[Evidence, ...]:
    """Return names and values as evidence, without empty values; an empty tuple if none is left."""
    lines = [f"{name}: {value}" for name, value in pairs if value not in (None, "", [])]
    return (shown(_("details"), "\n".join(lines)),) if lines else ()


def _indented(text: str) -> str:
    if not text.lstrip().startswith(("{", "[")):
        return text
    try:
        # `parse_json` cleans the text, because half of an emoji in an answer cannot be rendered.
        readable: str = simplejson.dumps(parse_json(text), use_decimal=True, indent=2, ensure_ascii=False)
    except InvalidJsonError:
        return text
    return readable

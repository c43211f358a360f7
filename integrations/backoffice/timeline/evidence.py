"""What stands behind a line of the timeline, to be read by people: whole, indented, secrets masked."""

from dataclasses import dataclass

import simplejson
from django_stubs_ext import StrOrPromise

from partner_portal.core.clean import InvalidJsonError, parse_json
from partner_portal.core.english import english as _
from partner_portal.core.masking import mask

MAX_LENGTH = 4_000
# Of one kind; what is older is read on its own page.
MAX_SHOWN = 60


@dataclass(frozen=True)
class Evidence:
    """One text, and what it is."""

    label: StrOrPromise
    text: str


def shown(label: StrOrPromise, text: str) -> Evidence:
    """A text as it came; JSON is indented. What is too long for a page is cut."""
    readable = mask(_indented(text))
    cut = "" if len(readable) <= MAX_LENGTH else f"\n… ({_('the rest is on its own page')})"
    return Evidence(label, f"{readable[:MAX_LENGTH]}{cut}")


def facts(*pairs: tuple[str, object]) -> tuple[Evidence, ...]:
    """Names and values, those without a value left out; nothing where none has one."""
    lines = [f"{name}: {value}" for name, value in pairs if value not in (None, "", [])]
    return (shown(_("details"), "\n".join(lines)),) if lines else ()


def _indented(text: str) -> str:
    if not text.lstrip().startswith(("{", "[")):
        return text
    try:
        # Cleaned: an answer's half of an emoji is shown by no page.
        readable: str = simplejson.dumps(parse_json(text), use_decimal=True, indent=2, ensure_ascii=False)
    except InvalidJsonError:
        return text
    return readable

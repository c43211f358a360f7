"""The catalogues of translations: what must be in them, and bringing them up to date.

They hold what owners read: pages, e-mails, forms. Staff pages, the API and the commands speak English; what Django
itself translates there, it translates. A text is an owner's if one of Django's functions marks it; staff's are
marked by `english.py` in Python, and by their folder in templates (`STAFFS_TEMPLATES`). Babel does the work of GNU
gettext, so that it needs nothing but Python.
"""

from collections.abc import Iterator
from datetime import UTC, datetime
from io import BytesIO
from pathlib import Path

from babel.messages.catalog import Catalog
from babel.messages.extract import extract
from babel.messages.mofile import write_mo
from babel.messages.pofile import read_po, write_po
from django.conf import settings
from django.utils.translation.template import templatize

ROOT = Path(settings.BASE_DIR)
LANGUAGES = [code for code, _name in settings.LANGUAGES if code != settings.LANGUAGE_CODE]
SOURCES = [
    f"{folder}/**/*.{ending}"
    for folder in ("accounts", "billing", "integrations", "partner_portal", "templates")
    for ending in ("py", "html", "txt")
]
# What staff alone read: English, and Django's own words.
STAFFS_TEMPLATES = ("templates/admin/", "templates/api/", "templates/emails/staff/")
# A module whose `_` marks texts for staff.
STAFFS_MARK = "from partner_portal.core.english import english as _"
KEYWORDS: dict[str, tuple[int | tuple[int, str], ...] | None] = {
    "_": None,
    "gettext": None,
    "gettext_lazy": None,
    "gettext_noop": None,
    "ngettext": (1, 2),
    "ngettext_lazy": (1, 2),
    "pgettext": ((1, "c"), 2),
    "pgettext_lazy": ((1, "c"), 2),
    "npgettext": ((1, "c"), 2, 3),
    "npgettext_lazy": ((1, "c"), 2, 3),
}
# Headers that Babel writes and nobody here fills in.
NOISE = tuple(
    f'"{name}'.encode()
    for name in ("Report-", "POT-Creation", "PO-Revision", "Last-Translator", "Language-Team", "Generated-By")
)


def po_file(language: str) -> Path:
    """A language's catalogue, as translators edit it."""
    return ROOT / "locale" / language / "LC_MESSAGES" / "django.po"


def read(language: str) -> Catalog:
    """A language's catalogue; empty where there is none yet."""
    file = po_file(language)
    if not file.exists():
        return Catalog(locale=language)
    with file.open("rb") as stream:
        catalog = read_po(stream, locale=language)
    # The repository knows when; a date of its own would make every run another file.
    catalog.creation_date = catalog.revision_date = datetime(2000, 1, 1, tzinfo=UTC)
    return catalog


def found() -> Catalog:
    """Every text for owners that stands in the source."""
    catalog = Catalog()
    for file in owners_files():
        source = _as_python(file)
        for _line, message, comments, context in extract(
            "python", BytesIO(source), _keywords(source), ["Translators:"]
        ):
            catalog.add(
                message, locations=[(str(file.relative_to(ROOT)), 0)], auto_comments=comments, context=context
            )
    return catalog


def owners_files() -> Iterator[Path]:
    """The files whose texts owners read, in one order on every machine."""
    for file in sorted({file for pattern in SOURCES for file in ROOT.glob(pattern)}):
        if not str(file.relative_to(ROOT)).startswith(STAFFS_TEMPLATES):
            yield file


def _keywords(source: bytes) -> dict[str, tuple[int | tuple[int, str], ...] | None]:
    """The functions that mark an owner's text in this module."""
    marks_for_staff = STAFFS_MARK.encode() in source
    return {name: which for name, which in KEYWORDS.items() if name != "_" or not marks_for_staff}


def updated(language: str) -> Catalog:
    """The catalogue as it should be: with what is new, untranslated, and without what is gone."""
    catalog = read(language)
    catalog.update(found(), no_fuzzy_matching=True, update_creation_date=False)
    catalog.obsolete.clear()
    return catalog


def as_po(catalog: Catalog) -> bytes:
    """The text of a catalogue."""
    stream = BytesIO()
    write_po(stream, catalog, width=0, include_lineno=False, sort_by_file=True, ignore_obsolete=True)
    lines = stream.getvalue().splitlines(keepends=True)
    return b"".join(line for line in lines if not line.startswith(NOISE))


def as_mo(catalog: Catalog) -> bytes:
    """A compiled catalogue, as Django reads it."""
    stream = BytesIO()
    write_mo(stream, catalog)
    return stream.getvalue()


def _as_python(file: Path) -> bytes:
    """The file's texts as calls: a template becomes what Django's own `makemessages` would look through."""
    text = file.read_text()
    if file.suffix == ".py":
        return text.encode()
    # Within brackets, Python does not mind how lines are indented.
    return f"(\n{templatize(text)}\n)".encode()

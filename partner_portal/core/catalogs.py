"""The translation catalogues: which texts belong in them, and how they are updated.

They contain the texts for owners: pages, e-mails, forms. Staff pages, the API and the commands are in English, apart
from Django's own texts, which Django translates. A text is for owners if one of Django's functions marks it. Texts
for staff are marked by `english.py` in Python, and by their folder in templates (`STAFFS_TEMPLATES`). Babel replaces
GNU gettext, so that only Python is needed.
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
# Templates for staff only: they are in English, apart from Django's own texts.
STAFFS_TEMPLATES = ("templates/admin/", "templates/api/", "templates/emails/staff/")
# A module with this import marks texts for staff with `_`.
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
# Headers that Babel writes but that nobody here fills in.
NOISE = tuple(
    f'"{name}'.encode()
    for name in ("Report-", "POT-Creation", "PO-Revision", "Last-Translator", "Language-Team", "Generated-By")
)


def po_file(language: str) -> Path:
    """Return the path of a language's catalogue, the file that translators edit."""
    return ROOT / "locale" / language / "LC_MESSAGES" / "django.po"


def read(language: str) -> Catalog:
    """Read a language's catalogue. Return an empty one if there is no file yet."""
    file = po_file(language)
    if not file.exists():
        return Catalog(locale=language)
    with file.open("rb") as stream:
        catalog = read_po(stream, locale=language)
    # Git knows the dates; a date in the file would change it at every run.
    catalog.creation_date = catalog.revision_date = datetime(2000, 1, 1, tzinfo=UTC)
    return catalog


def found() -> Catalog:
    """Return a catalogue of every text for owners in the source."""
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
    """Yield the files with texts for owners, in the same order on every machine."""
    for file in sorted({file for pattern in SOURCES for file in ROOT.glob(pattern)}):
        if not str(file.relative_to(ROOT)).startswith(STAFFS_TEMPLATES):
            yield file


def _keywords(source: bytes) -> dict[str, tuple[int | tuple[int, str], ...] | None]:
    """Return the functions that mark texts for owners in this module."""
    marks_for_staff = STAFFS_MARK.encode() in source
    return {name: which for name, which in KEYWORDS.items() if name != "_" or not marks_for_staff}


def updated(language: str) -> Catalog:
    """Return a language's catalogue with new texts added, untranslated, and texts removed that the source lost."""
    catalog = read(language)
    catalog.update(found(), no_fuzzy_matching=True, update_creation_date=False)
    catalog.obsolete.clear()
    return catalog


def as_po(catalog: Catalog) -> bytes:
    """Return a catalogue as the content of a `.po` file."""
    stream = BytesIO()
    write_po(stream, catalog, width=0, include_lineno=False, sort_by_file=True, ignore_obsolete=True)
    lines = stream.getvalue().splitlines(keepends=True)
    return b"".join(line for line in lines if not line.startswith(NOISE))


def as_mo(catalog: Catalog) -> bytes:
    """Return a catalogue as the content of a `.mo` file: compiled, as Django reads it."""
    stream = BytesIO()
    write_mo(stream, catalog)
    return stream.getvalue()


def _as_python(file: Path) -> bytes:
    """Return the file as Python source: a template's texts become calls, as in Django's own `makemessages`."""
    text = file.read_text()
    if file.suffix == ".py":
        return text.encode()
    # Inside brackets Python ignores indentation.
    return f"(\n{templatize(text)}\n)".encode()

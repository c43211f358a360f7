"""`manage.py update_translations`: brings the translation catalogues up to date and compiles them."""

from typing import Any

from django.core.management.base import BaseCommand

from partner_portal.core import catalogs


class Command(BaseCommand):
    help = "Bring the catalogues of translations up to date with the source, and compile them."

    def handle(self, *args: Any, **options: Any) -> None:
        for language in catalogs.LANGUAGES:
            catalog = catalogs.updated(language)
            file = catalogs.po_file(language)
            file.parent.mkdir(parents=True, exist_ok=True)
            file.write_bytes(catalogs.as_po(catalog))
            file.with_suffix(".mo").write_bytes(catalogs.as_mo(catalogs.read(language)))
            missing = sum(1 for message in catalog if message.id and not all(_strings(message.string)))
            self.stdout.write(f"{language}: {len(catalog)} texts, {missing} to be translated")


def _strings(string: Any) -> tuple[str, ...]:
    return tuple(string) if isinstance(string, tuple | list) else (string,)

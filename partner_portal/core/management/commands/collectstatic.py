"""Django's `collectstatic`, run by one process at a time on a host, because two would write the same files."""

from pathlib import Path
from typing import Any

from django.conf import settings
from django.contrib.staticfiles.management.commands import collectstatic

from partner_portal.core.command_lock import alone_in_folder


class Command(collectstatic.Command):
    def handle(self, **options: Any) -> str | None:
        with alone_in_folder(Path(settings.VAR_DIR), "collectstatic", self.stderr.write):
            return super().handle(**options)

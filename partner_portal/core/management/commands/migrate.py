"""Django's `migrate`, run by one process at a time, because two hosts may be released at the same moment."""

from pathlib import Path
from typing import Any

from django.conf import settings
from django.core.management.commands import migrate
from django.db import connections

from partner_portal.core.command_lock import alone_on_database


class Command(migrate.Command):
    def handle(self, *args: Any, **options: Any) -> None:
        connection = connections[options["database"]]
        with alone_on_database(connection, "migrate", Path(settings.VAR_DIR), self.stderr.write):
            super().handle(*args, **options)

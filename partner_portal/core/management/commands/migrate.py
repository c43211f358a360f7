"""Django's `migrate`, which one process runs at a time and nobody waits for (docs/operations.md, Upgrades)."""

import time
from pathlib import Path
from typing import Any

from django.conf import settings
from django.core.management.base import CommandError
from django.core.management.commands import migrate
from django.db import OperationalError, connections
from django.db.migrations import Migration

from partner_portal.core.command_lock import alone_on_database

# A change of a table waits for whoever reads it, and everybody else waits for the change. A backup reads every table
# until it ends. So the change gives up after this long, in milliseconds, and begins again later.
LOCK_TIMEOUT = 2000
AGAIN_AFTER = 5.0
MAX_TRIES = 360
LOCK_NOT_AVAILABLE = "55P03"


class Command(migrate.Command):
    def handle(self, *args: Any, **options: Any) -> None:
        self.line = connections[options["database"]]
        if self.line.settings_dict.get("DISABLE_SERVER_SIDE_CURSORS"):
            raise CommandError(
                "DATABASE_URL leads to a pooler, which would hand this session's settings on to the portal. Migrate "
                "past it: DATABASE_URL=postgres://…, PostgreSQL's own address, before this command."
            )
        with alone_on_database(self.line, "migrate", Path(settings.VAR_DIR), self.stderr.write):
            try:
                self._migrate(*args, **options)
            finally:
                self._wait_for_locks("DEFAULT")

    def _migrate(self, *args: Any, **options: Any) -> None:
        """Migrate, and begin again where a lock was refused. Raises CommandError after half an hour."""
        for tried in range(MAX_TRIES):
            try:
                super().handle(*args, **options)
            except OperationalError as error:
                if getattr(error.__cause__, "sqlstate", "") != LOCK_NOT_AVAILABLE:
                    raise
                if not tried:
                    self.stderr.write("\nA table is in use, perhaps by a backup; this waits until it is free.")
                time.sleep(AGAIN_AFTER)
            else:
                return
        raise CommandError("A table was in use for half an hour. End the backup or long query, and migrate again.")

    def migration_progress_callback(
        self, action: str, migration: Migration | None = None, fake: bool = False
    ) -> None:
        """Let no migration but one that builds an index concurrently wait for a lock for long."""
        if action in ("apply_start", "unapply_start") and migration:
            self._wait_for_locks(str(LOCK_TIMEOUT) if migration.atomic else "0")
        super().migration_progress_callback(action, migration, fake)

    def _wait_for_locks(self, milliseconds: str) -> None:
        if self.line.vendor == "postgresql":
            with self.line.cursor() as cursor:
                cursor.execute(f"SET lock_timeout = {milliseconds}")

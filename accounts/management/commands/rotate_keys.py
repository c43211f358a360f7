"""Encrypt every stored secret with the newest key of FIELD_ENCRYPTION_KEYS."""

from typing import Any

from django.core.management.base import BaseCommand, CommandError

from partner_portal.core.key_rotation import Progress, rotate_keys

WIDTH = 30


class Command(BaseCommand):
    help = (
        "Encrypt every stored secret with the newest key of FIELD_ENCRYPTION_KEYS. Safe while the portal runs, "
        "safe to run again; afterwards the older keys may go from the settings (docs/operations.md)."
    )

    def handle(self, *_args: Any, **_options: Any) -> None:
        columns: dict[str, Progress] = {}
        for progress in rotate_keys():
            columns[progress.column] = progress
            self._draw(progress)
        changed = sum(progress.changed for progress in columns.values())
        unreadable = {name: progress.unreadable for name, progress in columns.items() if progress.unreadable}
        for name, keys in unreadable.items():
            shown = ", ".join(str(key) for key in keys[:10])
            self.stderr.write(f"{name}: {len(keys)} fit none of the keys (rows {shown}).")
        if unreadable:
            raise CommandError("Put their key back at the end of FIELD_ENCRYPTION_KEYS, and run this again.")
        self.stdout.write(self.style.SUCCESS(f"{changed} secrets encrypted anew; all are under the newest key."))

    def _draw(self, progress: Progress) -> None:
        """A bar on a terminal; elsewhere one line when a column is done."""
        done = progress.seen >= progress.total
        line = f"{progress.column} {progress.seen} of {progress.total}, {progress.changed} changed"
        if self.stdout.isatty():
            share = min(progress.seen / progress.total, 1.0) if progress.total else 1.0
            bar = "█" * round(share * WIDTH)
            self.stdout.write(f"\r{bar:░<{WIDTH}} {line}", ending="\n" if done else "")
            self.stdout.flush()
        elif done:
            self.stdout.write(line)

"""Encrypt every stored secret with the newest key of FIELD_ENCRYPTION_KEYS."""

import sys
from typing import Any

from django.core.management.base import BaseCommand, CommandError
from tqdm import tqdm

from partner_portal.core.key_rotation import Progress, rotate_keys


class Command(BaseCommand):
    help = (
        "Encrypt every stored secret with the newest key of FIELD_ENCRYPTION_KEYS. Safe while the portal runs, "
        "safe to run again; afterwards the older keys may go from the settings (docs/operations.md)."
    )

    def handle(self, *_args: Any, **_options: Any) -> None:
        columns: dict[str, Progress] = {}
        with tqdm(file=sys.stderr, disable=None, leave=False, unit=" secrets") as bar:
            for progress in rotate_keys():
                columns[progress.column] = progress
                self._show(bar, progress)
        changed = sum(progress.changed for progress in columns.values())
        unreadable = {name: progress.unreadable for name, progress in columns.items() if progress.unreadable}
        for name, keys in unreadable.items():
            shown = ", ".join(str(key) for key in keys[:10])
            self.stderr.write(f"{name}: {len(keys)} cannot be decrypted with any configured key (rows {shown}).")
        if unreadable:
            raise CommandError("Put their key back at the end of FIELD_ENCRYPTION_KEYS, and run this again.")
        self.stdout.write(self.style.SUCCESS(f"{changed} secrets encrypted anew; all are under the newest key."))

    def _show(self, bar: "tqdm[Any]", progress: Progress) -> None:
        """Show a column's progress in the bar; leave a line when the column is done."""
        bar.n, bar.total = progress.seen, progress.total
        bar.set_description(progress.column)
        if progress.seen >= progress.total:
            bar.clear()
            self.stdout.write(f"{progress.column} {progress.seen} of {progress.total}, {progress.changed} changed")

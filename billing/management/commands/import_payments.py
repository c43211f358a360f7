"""Import payments from a CSV file."""

import sys
from argparse import ArgumentParser
from typing import Any

from django.core.management.base import BaseCommand, CommandError

from billing.csv_import import COLUMNS, MAY_BE_LEFT_OUT, import_payments
from billing.intake import Overlap
from partner_portal.core.csv_files import UnreadableFileError, add_file_arguments, opened


class Command(BaseCommand):
    help = (
        f"Import payments from a CSV file with the columns {', '.join(COLUMNS)} and, where it is not the "
        f"default one, {MAY_BE_LEFT_OUT}. A file may be imported again: what is there already stays as it is. "
        "Each refused row is printed with its line; the exit code is then 1."
    )

    def add_arguments(self, parser: ArgumentParser) -> None:
        add_file_arguments(parser)
        parser.add_argument("--dry-run", action="store_true", help="judge every row, store nothing")
        parser.add_argument(
            "--allow-overlap", action="store_true", help="take periods that overlap those of earlier payments"
        )

    def handle(self, *_args: Any, **options: Any) -> None:
        overlap = Overlap.ALLOW if options["allow_overlap"] else Overlap.REFUSE
        new = known = refused = 0
        try:
            with opened(options["file"], options["encoding"]) as (lines, bar):
                for row in import_payments(lines, overlap=overlap, dry_run=options["dry_run"]):
                    if row.refused:
                        bar.clear()
                        self.stdout.write(f"Line {row.line}: {row.refused}")
                    refused += bool(row.refused)
                    new += row.is_new
                    known += not row.is_new and not row.refused
        except OSError as problem:
            raise CommandError(f"{options['file']} cannot be read: {problem.strerror}") from None
        except UnreadableFileError as problem:
            raise CommandError(f"{problem} {new} payments were taken before.") from None
        said = "would be taken" if options["dry_run"] else "taken"
        self.stdout.write(f"{new} {said}, {known} there already, {refused} refused.")
        if refused:
            sys.exit(1)

"""Import the partner's customers from a CSV file."""

import sys
from argparse import ArgumentParser
from collections import Counter
from typing import Any

from django.core.management.base import BaseCommand, CommandError

from accounts.customer_import import COLUMNS, LineOutcome, NothingTakenError, PartlyTakenError, import_customers
from partner_portal.core.csv_files import UnreadableFileError, add_file_arguments, opened


class Command(BaseCommand):
    help = (
        f"Import customers from a CSV file whose first line is {','.join(COLUMNS)}. Each is told as by "
        "PUT /api/v1/customers/{external_id}/: new ones are made, known ones changed. Whoever arrives from Altegio "
        "under such an address is led to their account. Each wrong line is printed with its number; then the exit "
        "code is 1 and nothing of the file is taken."
    )

    def add_arguments(self, parser: ArgumentParser) -> None:
        add_file_arguments(parser)
        parser.add_argument("--dry-run", action="store_true", help="judge every line, change nothing")

    def handle(self, *_args: Any, **options: Any) -> None:
        counts: Counter[LineOutcome] = Counter()
        try:
            with opened(options["file"], options["encoding"]) as (lines, bar):
                for line in import_customers(lines, dry_run=options["dry_run"]):
                    counts[line.outcome] += 1
                    if line.outcome is LineOutcome.REFUSED:
                        bar.clear()
                        self.stdout.write(f"Line {line.number}: {line.why}")
        except OSError as problem:
            raise CommandError(f"{options['file']} cannot be read: {problem.strerror}") from None
        except UnreadableFileError as problem:
            raise CommandError(f"{problem} Nothing was taken.") from None
        except PartlyTakenError as problem:
            raise CommandError(f"{problem} This is new since the file was judged. Import it again.") from None
        except NothingTakenError:
            pass
        self._report(counts, dry_run=options["dry_run"])

    def _report(self, counts: Counter[LineOutcome], *, dry_run: bool) -> None:
        new, known, refused = (counts[outcome] for outcome in LineOutcome)
        found = f"{new} new, {known} known already, {refused} refused."
        if refused:
            self.stdout.write(f"{found} Nothing was taken.")
            sys.exit(1)
        self.stdout.write(f"{found} Nothing was changed." if dry_run else found)

"""Replace the key that hand-over tokens are signed with."""

from argparse import ArgumentParser
from pathlib import Path
from typing import Any

from django.conf import settings
from django.core.management.base import BaseCommand, CommandError
from django.db import connection

from integrations.handover.keys import OVERLAP, RotationUnderwayError, rotate
from partner_portal.core.command_lock import alone_on_database


class Command(BaseCommand):
    help = (
        "Make the next key that hand-over tokens are signed with. It is served at /.well-known/jwks.json at once and "
        f"signs in {OVERLAP.total_seconds() / 3600:.0f} hour; the former one is served for as long after that. The "
        "command ends with 1 while a rotation is under way. Run it every few months."
    )

    def add_arguments(self, parser: ArgumentParser) -> None:
        parser.add_argument(
            "--at-once",
            action="store_true",
            help="sign with the new key now and serve no other: for a key that others may know",
        )

    def handle(self, *_args: Any, **options: Any) -> None:
        try:
            # Two commands at the same moment would each name a key of their own, of which only one signs.
            with alone_on_database(connection, "rotate_handover_key", Path(settings.VAR_DIR), self.stderr.write):
                key = rotate(at_once=options["at_once"])
        except RotationUnderwayError as reason:
            raise CommandError(f"{reason} Nothing was changed.") from None
        self.stdout.write(f"Key {key.kid} is served, and signs from {key.signs_from:%Y-%m-%d %H:%M} UTC on.")

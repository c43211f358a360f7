"""Make a database that was restored from a backup fit to go on (docs/operations.md, Backups)."""

from typing import Any

from django.core.management.base import BaseCommand, CommandError
from django.db import transaction

from accounts.sessions import sign_everybody_out
from integrations.backoffice.health import is_worker_alive
from integrations.handover.keys import replace_keys_in_force
from integrations.outbox.restored import ask_before_sending
from partner_portal.core.key_gap import GAP, leave_gap


class Command(BaseCommand):
    help = (
        "Make a database that was restored from a backup fit to go on, before anything is started: what waited to be "
        f"sent is asked about first, and new rows get numbers {GAP:,} further on, as those of the lost time live on "
        "outside. Once more does no harm. It refuses while a worker is alive."
    )

    def handle(self, *_args: Any, **_options: Any) -> None:
        _refuse_beside_a_worker()
        with transaction.atomic():
            calls = ask_before_sending()
            tables = leave_gap()
            sign_everybody_out()
            replace_keys_in_force()
        waited = "1 call that waited" if calls == 1 else f"{calls:,} calls that waited"
        self.stdout.write(
            f"{waited} may have been sent since the backup: Altegio is asked first, unless repeating does no harm. "
            f"New rows of {tables} tables get numbers {GAP:,} further on: none of the lost time is given out again."
        )
        self.stdout.write(
            "Everybody is signed out, and hand-over tokens are signed with a new key. What was taken away since the "
            "backup is in force again: review API keys, webhooks and their secrets, addresses of exchanges, staff, "
            "their roles and second factors, linked Altegio users and closed accounts, and repeat erasures. Messages "
            "that a gateway has reported since are requested again: let it compare ext_id before it sends."
        )


def _refuse_beside_a_worker() -> None:
    """Raise CommandError if a worker is alive, or if nobody can say so."""
    try:
        is_alive = is_worker_alive()
    except Exception as error:
        raise CommandError(
            f"Whether a worker is alive cannot be read ({type(error).__name__}): start Redis, or mend REDIS_URL, and "
            "run this again. Nothing was changed."
        ) from error
    if is_alive:
        raise CommandError(
            "A worker has given a sign of life within the last minute, and may send what waits. Stop worker and "
            "beat, and run this a minute later. Nothing was changed."
        )

"""The command that adds our event address where it is missing: read, show, confirm once, write, read again."""

import sys
from argparse import ArgumentParser, RawDescriptionHelpFormatter
from collections.abc import Sequence
from typing import Any

from django.core.management.base import BaseCommand, CommandError
from tqdm import tqdm

from integrations.activation.models import TakenSettings
from integrations.activation.sent_settings import EVENT_ADDRESS
from integrations.altegio.hooks import MAX_ADDRESSES, read_hooks
from integrations.connections.models import Connection
from integrations.outbox.direct_requests import ask_now
from integrations.outbox.models import UNFINISHED, OutgoingCall
from integrations.outbox.waiting_command import wait_until_sent
from integrations.webhook_settings.call_kinds import (
    MendWebhookSettings,
    NoTokenError,
    ReadWebhookSettings,
    mend_settings,
    own_address,
    settings_question,
)
from integrations.webhook_settings.models import WebhookSettings

HELP = """Add the portal's event address to the webhook settings of locations that lack it.

Altegio keeps one list of addresses for a location, for all its applications together, and a write replaces all of
it. So each location is read first and shown here; you are asked once; then, for each, the list is read again, our
address is added, everything else is written back as it was read, and the list is read a last time to see that
nothing of others was lost (an alert says so if it was). Every call is on record in the admin.

Without --salon-id: the live connections of which Altegio did not take the event address, as private applications
do. A user token for the location or the application token is needed (admin, "User tokens").

  manage.py mend_webhooks --dry-run            look at all that lack it, and change nothing
  manage.py mend_webhooks --salon-id 123 456   these locations, whatever is known of them
  manage.py mend_webhooks --yes                do not ask (for scripts)

The exit status is 1 when a location could not be read or mended.
"""


class Command(BaseCommand):
    help = HELP

    def create_parser(self, prog_name: str, subcommand: str, **options: Any) -> Any:
        return super().create_parser(prog_name, subcommand, formatter_class=RawDescriptionHelpFormatter, **options)

    def add_arguments(self, parser: ArgumentParser) -> None:
        parser.add_argument("--salon-id", type=int, nargs="+", help="only these locations, by Altegio's number")
        parser.add_argument("--dry-run", action="store_true", help="read and show, change nothing")
        parser.add_argument("--yes", action="store_true", help="do not ask before writing")

    def handle(self, *_args: Any, **options: Any) -> None:
        chosen = _chosen(options["salon_id"])
        lacking, problems = self._look(chosen)
        if options["dry_run"] or not lacking:
            self.stdout.write(f"{len(lacking)} of {len(chosen)} lack our address. Nothing was changed.")
        elif options["yes"] or self._confirmed(len(lacking)):
            problems += self._mend(lacking)
        else:
            self.stdout.write("Nothing was changed.")
        if problems:
            raise CommandError(f"{problems} could not be read or mended.")

    def _look(self, chosen: Sequence[Connection]) -> tuple[list[Connection], int]:
        """Show each location. Return those that lack our address and can take it, and how many cannot be read or
        mended.
        """
        lacking, problems = [], 0
        for connection in tqdm(chosen, file=sys.stderr, disable=None, leave=False):
            words, state = _read(connection)
            self.stdout.write(f"  #{connection.location.altegio_id} {connection.application}: {words}")
            lacking += [connection] if state == WebhookSettings.State.MISSING else []
            problems += state == WebhookSettings.State.FAILED
        return lacking, problems

    @staticmethod
    def _confirmed(count: int) -> bool:
        return input(f"Add our address to {count} locations? Type yes: ").strip().lower() == "yes"

    def _mend(self, lacking: Sequence[Connection]) -> int:
        """Queue the mendings, wait for them, and return how many failed."""
        for connection in lacking:
            mend_settings(connection)
        self._wait([connection.pk for connection in lacking])
        failed = 0
        for connection in lacking:
            known = WebhookSettings.objects.filter(installation=connection.installation).first()
            done = known is not None and known.state == WebhookSettings.State.PRESENT
            why = known.error if known else "no answer"
            said = "mended" if done else f"not mended: {why}"
            self.stdout.write(f"  #{connection.location.altegio_id} {connection.application}: {said}")
            failed += not done
        return failed

    @staticmethod
    def _wait(keys: list[int]) -> None:
        kinds = (MendWebhookSettings.name, ReadWebhookSettings.name)
        waiting = OutgoingCall.objects.filter(connection__in=keys, kind__in=kinds, state__in=UNFINISHED)
        wait_until_sent(waiting.values("connection").distinct().count, len(keys))


def _chosen(salon_ids: list[int] | None) -> list[Connection]:
    live = Connection.objects.live().select_related("application", "location").order_by("pk")
    if salon_ids is None:
        missed = TakenSettings.objects.filter(missing__contains=EVENT_ADDRESS)
        return list(live.filter(pk__in=missed.values("connection")))
    found = list(live.filter(location__altegio_id__in=salon_ids))
    if unknown := set(salon_ids) - {connection.location.altegio_id for connection in found}:
        raise CommandError(f"Nothing is connected at {', '.join(map(str, sorted(unknown)))}.")
    return found


def _read(connection: Connection) -> tuple[str, WebhookSettings.State]:
    """Return the present settings in words, and their state. Addresses of others are counted, never shown."""
    try:
        answer = ask_now(settings_question(connection))
    except NoTokenError as why:
        return str(why), WebhookSettings.State.FAILED
    found = read_hooks(answer)
    if found is None:
        return f"cannot be read: {answer.message or 'an unknown answer'}", WebhookSettings.State.FAILED
    if own_address(connection) in found.urls:
        return "our address is there", WebhookSettings.State.PRESENT
    if len(found.urls) >= MAX_ADDRESSES:
        return f"{MAX_ADDRESSES} addresses of others leave no room for ours", WebhookSettings.State.FAILED
    switched_off = "" if found.is_active else "; all webhooks of the location are switched off, and stay so"
    stay = f"our address is missing; {len(found.urls)} of others stay as they are"
    return stay + switched_off, WebhookSettings.State.MISSING

"""Run the moderators' five checks on a test location, and print what a submission needs."""

from argparse import ArgumentParser
from typing import Any

from django.conf import settings
from django.core.management.base import BaseCommand, CommandError

from billing.rehearsal import ModerationCheck, Rehearsal
from integrations.altegio.application_flags import APPLICATION_FLAGS
from integrations.altegio.wire import parse_id
from integrations.connections.models import Location, application_for

SIGNS = {True: "✓", False: "✗", None: "–"}

CONNECTING = """\
1. Open the Marketplace in Altegio, choose the integration and press Connect.
2. You come to our site. Without shared personal data, sign up with your name and e-mail, or sign in.
3. The page shows each location turning “Connected” within seconds; nothing else is to be done.
4. To disconnect, press Disconnect in Altegio or on {portal}/account/. To connect again, press Connect again."""

PAYING = """\
1. After connecting, the trial begins by itself.
2. Pay the subscription as agreed with us; we report each payment to Altegio at once, with its period.
3. {portal}/account/ shows what is paid until when. A refund is reported in the same way, and ends the paid period."""


class Command(BaseCommand):
    help = "Rehearse the five checks of Altegio's moderators on a test location, and print both instruction texts."

    def add_arguments(self, parser: ArgumentParser) -> None:
        parser.add_argument("--salon-id", help="a location that nobody uses; default: the newest one seen here")
        parser.add_argument("--application-id", help="default: ALTEGIO_APPLICATION_ID")
        parser.add_argument("--amount", default="1.00", help="paid and refunded (default %(default)s)")
        parser.add_argument("--currency", default="EUR", help="default %(default)s")
        parser.add_argument("--wait", type=float, default=300, help="seconds for each press (default %(default)s)")

    def handle(self, *_args: Any, **options: Any) -> None:
        application = application_for(parse_id(options["application_id"]) if options["application_id"] else None)
        if application is None:
            raise CommandError("There is no such application. Set ALTEGIO_APPLICATION_ID or --application-id.")
        salon_id = self._salon_id(options["salon_id"])
        self.stdout.write(f"Rehearsing {application} on location {salon_id}.\n")
        self._show_flags()
        rehearsal = Rehearsal(
            application, salon_id, options["amount"], options["currency"], options["wait"], self.stdout.write
        )
        checks = []
        for check in rehearsal.run():
            self._show(check)
            checks.append(check)
        self._show_texts()
        if any(check.holds is False for check in checks):
            raise CommandError("A check did not hold; see above.")
        if len(checks) < 5 or checks[-1].holds is None:
            raise CommandError("Not all checks could be shown; see above, and start the rehearsal again.")

    @staticmethod
    def _salon_id(given: str | None) -> int:
        if given is not None:
            salon_id = parse_id(given)
            if salon_id is None:
                raise CommandError("--salon-id is a number of 1 to 18 digits.")
            return salon_id
        newest = Location.objects.order_by("-pk").first()
        if newest is None:
            raise CommandError("No location has been seen here yet: name one with --salon-id.")
        return newest.altegio_id

    def _show_flags(self) -> None:
        self.stdout.write("Three flags of the application in Altegio's developer account decide what Connect does:")
        for flag, what in APPLICATION_FLAGS.items():
            self.stdout.write(f"    {flag:<30}  {what}")
        self.stdout.write("")

    def _show(self, check: ModerationCheck) -> None:
        style = {True: self.style.SUCCESS, False: self.style.ERROR, None: self.style.WARNING}[check.holds]
        self.stdout.write(f"{style(SIGNS[check.holds])} {check.title}")
        for line in check.evidence:
            self.stdout.write(f"    {line}")

    def _show_texts(self) -> None:
        for title, text in (("How to connect", CONNECTING), ("How payment works", PAYING)):
            self.stdout.write(f"\n{title} (for the submission):\n{text.format(portal=settings.PORTAL_URL)}")
        self.stdout.write("")

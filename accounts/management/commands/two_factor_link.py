"""Print the set-up link of two-factor sign-in for staff who get none by e-mail, such as the first administrator."""

from argparse import ArgumentParser
from typing import Any

from django.core.management.base import BaseCommand, CommandError

from accounts.confirmation_links import state_of
from accounts.models import Authenticator, User
from accounts.two_factor.setup import link_for, remove


class Command(BaseCommand):
    help = (
        "Print the link with which a member of staff sets two-factor sign-in up; it works once, for a day, and asks "
        "for the password. For the first administrator, or while no e-mail can be sent: otherwise an administrator "
        "sends it (Users, “Send a set-up link”)."
    )

    def add_arguments(self, parser: ArgumentParser) -> None:
        parser.add_argument("email", help="the address that the member of staff signs in with")
        lost = "take the phone and the backup codes that are set up away first, and sign the person out everywhere"
        parser.add_argument("--phone-lost", action="store_true", help=lost)

    def handle(self, *_args: Any, **options: Any) -> None:
        user = User.objects.with_email(options["email"]).filter(is_staff=True, is_active=True).first()
        if user is None:
            raise CommandError("No active member of staff has this address. `createsuperuser` makes one.")
        authenticator = Authenticator.objects.filter(user=user).first()
        if authenticator is not None and not options["phone_lost"]:
            raise CommandError("Two-factor sign-in is set up already. The phone is lost? Add --phone-lost.")
        if authenticator is not None:
            remove(authenticator)
            user.refresh_from_db()
        self.stdout.write(link_for(user.pk, state_of(user)))

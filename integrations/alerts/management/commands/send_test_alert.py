"""Try the addresses that alerts are sent to."""

from typing import Any

from django.conf import settings
from django.core.management.base import BaseCommand, CommandError

from integrations.alerts.channels import NotSentError, kind_of, send


class Command(BaseCommand):
    help = (
        "Send a test message to every address of ALERT_URLS now, and say whether each took it. Nothing is stored, "
        "and no alert is raised. Exit 1 where an address takes none."
    )

    def handle(self, *_args: Any, **_options: Any) -> None:
        if not settings.ALERT_URLS:
            raise CommandError("ALERT_URLS is empty: alerts go to staff by e-mail alone. See .env.example.")
        try:
            send("This is a test: alerts of the portal arrive here.", is_trouble=False)
        except NotSentError as error:
            raise CommandError(
                f"{error} Check the address; https://github.com/caronc/apprise has its form."
            ) from None
        self.stdout.write(f"Taken by: {', '.join(map(kind_of, settings.ALERT_URLS))}.")

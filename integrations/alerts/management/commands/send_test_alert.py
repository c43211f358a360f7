"""Send a test message to the addresses that alerts are sent to."""

from typing import Any

from django.conf import settings
from django.core.management.base import BaseCommand, CommandError

from integrations.alerts.channels import NotSentError, send_test


class Command(BaseCommand):
    help = (
        "Send a test message to every address of ALERT_URLS now, and say whether each took it. Nothing is stored, "
        "and no alert is raised. Exit 1 where an address takes none."
    )

    def handle(self, *_args: Any, **_options: Any) -> None:
        try:
            taken_by = send_test()
        except NotSentError as error:
            hint = " Check the address; https://github.com/caronc/apprise has its form."
            raise CommandError(f"{error}{hint if settings.ALERT_URLS else ''}") from None
        self.stdout.write(f"Taken by: {', '.join(taken_by)}.")

"""The command that runs the doctor and prints what to paste into Altegio's developer account."""

from typing import Any

from django.conf import settings
from django.core.management.base import BaseCommand, CommandError

from integrations.altegio.application_flags import APPLICATION_FLAGS
from integrations.backoffice.doctor.check_result import CheckResult, Health
from integrations.backoffice.doctor.examination import database_is_ready, examine
from integrations.connections.models import Application

SIGNS = {Health.WELL: "✓", Health.LOOK: "!", Health.WRONG: "✗"}


class Command(BaseCommand):
    help = "Check configuration and reachability; exit 1 when something is wrong."
    requires_system_checks: list[str] = []

    def handle(self, *_args: Any, **_options: Any) -> None:
        wrong = 0
        for finding in examine():
            self._show(finding)
            wrong += finding.health is Health.WRONG
        if database_is_ready():
            self._show_addresses()
        if wrong:
            raise CommandError(f"{wrong} to be mended." if wrong > 1 else "One thing is to be mended.")
        self.stdout.write(self.style.SUCCESS("The portal is in good health."))

    def _show(self, finding: CheckResult) -> None:
        style = {Health.WELL: self.style.SUCCESS, Health.LOOK: self.style.WARNING, Health.WRONG: self.style.ERROR}
        self.stdout.write(f"{style[finding.health](SIGNS[finding.health])} {finding.what}: {finding.message}")
        if finding.advice:
            self.stdout.write(f"    {finding.advice}")

    def _show_addresses(self) -> None:
        self.stdout.write("\nPaste into Altegio's developer account:")
        for application in Application.objects.order_by("pk"):
            number = application.altegio_id
            own = "" if number == settings.ALTEGIO_APPLICATION_ID else f"{number}/"
            self.stdout.write(f"  {application}")
            self.stdout.write(f"    Registration redirect url   {settings.PORTAL_URL}/connect/{own}")
            self.stdout.write(f"    Callback url                {settings.PORTAL_URL}/altegio/callback/")
            if application.takes_messages:
                self.stdout.write(
                    f"    Agree with Altegio on       {settings.PORTAL_URL}/altegio/messages/  (messages)"
                )
        self.stdout.write("\nSwitch these on there, for each application:")
        for flag, what in APPLICATION_FLAGS.items():
            self.stdout.write(f"  {flag:<30}  {what}")
        self.stdout.write("")

"""The command that does what `/readyz/` does without a web process, for container health checks and scripts."""

from typing import Any

from django.core.management.base import BaseCommand, CommandError, CommandParser

from integrations.backoffice.health import CHECKS, what_is_wrong


class Command(BaseCommand):
    help = "Say what keeps the portal from its work; exit 1 where something does."
    requires_system_checks: list[str] = []

    def add_arguments(self, parser: CommandParser) -> None:
        parser.add_argument("--only", nargs="+", choices=sorted(CHECKS), help="Ask these alone.")

    def handle(self, *_args: Any, only: list[str] | None, **_options: Any) -> None:
        wrong = what_is_wrong(only or CHECKS)
        if wrong:
            raise CommandError("\n".join(f"{name}: {problem}" for name, problem in wrong.items()))
        self.stdout.write("Ready.")

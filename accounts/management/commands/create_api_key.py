"""Make an API key for one of the partner's own systems."""

from argparse import ArgumentParser
from typing import Any

from django.core.management.base import BaseCommand

from accounts.api_keys import MEANING, SCOPES
from accounts.models import ApiKey

MAY = "what the key may do: " + "; ".join(f"{scope} ({meaning})" for scope, meaning in MEANING.items())


class Command(BaseCommand):
    help = "Make an API key; it is printed once, as the last line, and cannot be shown again."

    def add_arguments(self, parser: ArgumentParser) -> None:
        parser.add_argument("name", help="whose key it is, for example: billing")
        parser.add_argument("--scopes", nargs="+", choices=SCOPES, required=True, help=MAY)

    def handle(self, *_args: Any, **options: Any) -> None:
        _key, secret = ApiKey.objects.create_key(name=options["name"][:50], scopes=sorted(set(options["scopes"])))
        self.stdout.write(
            f"Key “{options['name']}” may: {', '.join(options['scopes'])}. Keep it; it is shown only now:"
        )
        self.stdout.write(secret)

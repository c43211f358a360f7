"""The command that creates what `make run` shows: a member of staff, and the sandbox's three applications."""

import os
from typing import Any

from django.core.management.base import BaseCommand

from accounts.models import User
from integrations.connections.models import Application

APPLICATIONS = (
    (1, "Text messages", Application.Kind.SMS),
    (2, "Telephony", Application.Kind.TELEPHONY),
    (3, "Chat bot", Application.Kind.CHAT_BOT),
)


class Command(BaseCommand):
    help = "Prepare the demonstration of `make run`; run again, it changes nothing."

    def handle(self, *_args: Any, **_options: Any) -> None:
        email = os.environ["DJANGO_SUPERUSER_EMAIL"]
        if not User.objects.with_email(email).exists():
            User.objects.create_superuser(email, os.environ["DJANGO_SUPERUSER_PASSWORD"], name="Demo staff")
        for altegio_id, name, kind in APPLICATIONS:
            defaults = {"name": name, "kind": kind, "takes_messages": kind == Application.Kind.SMS}
            Application.objects.get_or_create(altegio_id=altegio_id, defaults=defaults)

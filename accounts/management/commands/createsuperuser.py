"""Django's `createsuperuser` with plain messages: that an address is taken, and what comes next."""

from typing import Any

from django.conf import settings
from django.contrib.auth.management.commands import createsuperuser
from django.core.management.base import CommandError
from django.db import DatabaseError, IntegrityError

from accounts.models import User

TAKEN = "A user with this e-mail address is there already: nothing was changed. (`changepassword` sets its password.)"

NOT_READY = "The database cannot be used. Is DATABASE_URL right, and has `python manage.py migrate` run?"


class Command(createsuperuser.Command):
    # A constraint without case makes it unique, which Django's command does not see.
    username_is_unique = True

    def handle(self, *args: Any, **options: Any) -> None:
        try:
            before = User.objects.count()
            super().handle(*args, **options)
        except IntegrityError as error:  # another process took the address at the same moment
            raise CommandError(TAKEN) from error
        except DatabaseError as error:
            raise CommandError(f"{NOT_READY} ({str(error).splitlines()[0]})") from error
        if settings.STAFF_TWO_FACTOR and User.objects.count() > before:
            self.stdout.write("Next: `manage.py two_factor_link <e-mail>` prints the link to set the phone up.")

    def _validate_username(self, username: str, verbose_field_name: Any, database: str) -> str | None:
        if username and User.objects.with_email(username).exists():
            return TAKEN
        problem: str | None = super()._validate_username(username, verbose_field_name, database)  # type: ignore[misc]
        return problem

"""The doctor's checks of the encryption keys and of the mail server."""

from collections.abc import Iterator

from django.conf import settings
from django.core.mail import get_connection

from integrations.backoffice.doctor.check_result import CheckResult, Health
from partner_portal.core.console_email import PRINTED
from partner_portal.core.key_rotation import unreadable_columns


def stored_secrets() -> Iterator[CheckResult]:
    """Check whether the keys decrypt the stored secrets, by one value of each encrypted column."""
    what = "Stored secrets"
    unreadable = unreadable_columns()
    if not unreadable:
        yield CheckResult(what, Health.WELL, "FIELD_ENCRYPTION_KEYS fits one of each kind")
        return
    advice = "Put the key that they were encrypted with back into FIELD_ENCRYPTION_KEYS, behind the newest."
    yield CheckResult(what, Health.WRONG, f"no key fits {', '.join(unreadable)}", advice)


def mail_server() -> Iterator[CheckResult]:
    """Check whether the mail server accepts a connection with the configured user and password."""
    if settings.EMAIL_BACKEND == PRINTED:
        advice = "Set EMAIL_URL (see .env.example): owners cannot prove their address, nor set a new password."
        yield CheckResult("E-mail", Health.LOOK, "e-mails are printed, and reach nobody", advice)
        return
    server = get_connection()
    try:
        server.open()
    except (OSError, ValueError) as error:
        advice = "Check EMAIL_URL, and whether this machine may reach the mail server."
        yield CheckResult("E-mail", Health.WRONG, f"the mail server cannot be used: {type(error).__name__}", advice)
    else:
        yield CheckResult("E-mail", Health.WELL, "the mail server takes a connection")
    finally:
        server.close()

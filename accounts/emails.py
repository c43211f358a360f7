"""E-mails: queued in the transaction of the change they report, sent by Celery, each of them once.

Every e-mail knows its person. `email_rendering.py` makes its text when it is sent.
"""

import hashlib
import itertools
import threading
import time
from collections.abc import Iterable
from contextlib import suppress
from datetime import timedelta
from smtplib import SMTPDataError, SMTPRecipientsRefused
from typing import Any

import structlog
from django.core.mail import get_connection
from django.core.mail.backends.base import BaseEmailBackend
from django.db import transaction
from django.db.models import Q
from django.utils import timezone

from accounts.email_rendering import render
from accounts.limits import EMAILS_ASKED, wait_to_write
from accounts.models import OutgoingEmail, User
from partner_portal.core.models import FailedItem
from partner_portal.core.queues import Queue, describe_error
from partner_portal.core.wake import wake

log = structlog.get_logger(__name__)

# How long an e-mail is tried.
MAX_AGE = timedelta(days=1)
# Longer than a conversation with the mail server may take (`partner_portal.core.smtp_backend`).
LEASE = timedelta(minutes=3)
MAX_ROUND = 20.0
# Marks an e-mail requested by somebody whom Altegio has signed; other requests name the network they came from.
SIGNED = "signed:"
# Every fourth e-mail is one of those that do not go first, however many of the others wait.
SHARE_OF_LAST = 4
# An address that the mail server refuses is tried for about two hours: some servers refuse a first try on purpose.
MAX_REFUSALS = 8
_place = threading.BoundedSemaphore(1)
_turns = itertools.count(1)


class NoRecipientError(Exception):
    """Raised when an e-mail has nobody it may go to, or is one too many to an address that somebody typed."""


def queue_email(template: str, person: User, *, key: str, to: str = "", **params: Any) -> None:
    """Store an e-mail to `person`, to be sent after the commit; `to` is given if it is not their present address.

    A repeated `key` stores nothing more. Nothing is stored for a person without an address.
    """
    if address := to or person.email:
        _store(
            OutgoingEmail(
                key=key,
                template=template,
                to=address,
                person=person,
                language=person.language,
                params=params,
                goes_first=_is_known(person),
            )
        )


def _is_known(person: User) -> bool:
    is_proven = person.is_staff or person.email_proven_at is not None
    return is_proven or User.objects.known().filter(pk=person.pk).exists()


def request_email(template: str, email: str, *, asked_by: str, **params: Any) -> int:
    """Store an e-mail that somebody requested by typing `email`: at most one a minute, and few in a while.

    Returns the seconds to wait if it is too many; 0 if it is stored. The work is the same whether the address has an
    account or not: its owner is looked up when the e-mail is sent. If there is none (`NoRecipientError`), nothing of
    it is kept. `asked_by` is the requester: `SIGNED` and their number, or a network.
    """
    address = email.lower()
    # On an arrival the template does not count: which one a sign-up sends reveals whether the address has an account.
    place = sorted(params.items()) or (template, asked_by)
    if wait := EMAILS_ASKED.hit(f"{address} {place}"):
        return wait
    what = f"{address} {sorted(params.items())} {timezone.now():%Y%m%d%H%M}"
    key = f"{template}:{hashlib.sha256(what.encode()).hexdigest()}"
    # This query runs for every address, so that its duration reveals nothing.
    is_known = User.objects.with_email(address).filter(pk__in=User.objects.known().values("pk")).exists()
    params["asked_by"] = asked_by
    _store(OutgoingEmail(key=key, template=template, to=address, params=params, goes_first=is_known))
    return 0


def _store(outgoing_email: OutgoingEmail) -> None:
    OutgoingEmail.objects.bulk_create([outgoing_email], ignore_conflicts=True)
    transaction.on_commit(_wake)


def _wake() -> None:
    wake("accounts.tasks.send_emails")


def send_waiting_emails() -> int:
    """Send waiting e-mails for a while: the least tried first, then the oldest. Returns how many went out.

    Two workers never take the same e-mail.

    E-mails to staff and to known people go before those to addresses that were merely typed, of which anybody can
    queue thousands. Of four e-mails one is of the latter.

    Only one thread of a process speaks with the mail server, so that a silent server delays no outgoing call.
    """
    if not _place.acquire(blocking=False):
        return 0
    try:
        _give_up_old_emails()
        return _send_round()
    finally:
        _place.release()


def _send_round() -> int:
    trouble = mail_trouble()
    if trouble is not None and trouble.due_at > timezone.now():
        return 0
    sent, ends_at, server = 0, time.monotonic() + MAX_ROUND, get_connection()
    try:
        while time.monotonic() < ends_at and (outgoing_email := _take(next(_turns))):
            sent += _send(outgoing_email, server)
    except _ConversationFailedError as failure:
        _blame(failure, is_working=bool(sent))
    finally:
        with suppress(OSError):
            server.close()
    if sent and trouble is not None:
        MAIL_SERVER.forget([ONE])
    return sent


class _ConversationFailedError(Exception):
    """Raised when the conversation with the mail server broke off at this e-mail; it ends the round."""

    def __init__(self, outgoing_email: OutgoingEmail, error: Exception) -> None:
        super().__init__()
        self.outgoing_email, self.error = outgoing_email, error


def _blame(failure: _ConversationFailedError, *, is_working: bool) -> None:
    """Let the server rest; or the e-mail, if the server took others this round or this e-mail failed before."""
    outgoing_email, error = failure.outgoing_email, failure.error
    if is_working or FailedItem.objects.filter(queue=EMAILS.name, item=outgoing_email.pk).exists():
        log.error("email_failed", outgoing_email=outgoing_email.pk, template=outgoing_email.template, exc_info=error)
        EMAILS.set_aside(outgoing_email.pk, error)
    else:
        log.warning("mail_server_failed", outgoing_email=outgoing_email.pk, error=describe_error(error))
        MAIL_SERVER.set_aside(ONE, error)


def mail_trouble() -> FailedItem | None:
    """Return the failure that keeps the mail server from taking e-mails; None while it works."""
    return FailedItem.objects.filter(queue=MAIL_SERVER.name).first()


def _give_up_old_emails() -> None:
    """Make dead letters of e-mails that could not be sent for a day: staff decide whether they still matter."""
    before = timezone.now() - MAX_AGE
    old = OutgoingEmail.objects.unsent().filter(Q(resent_at=None, created_at__lt=before) | Q(resent_at__lt=before))
    dead = FailedItem.objects.filter(queue=EMAILS.name, dead_at__isnull=False).values("item")
    for outgoing_email in list(old.exclude(pk__in=dead).order_by("created_at")[:100]):
        end_old_email(outgoing_email)


def end_old_email(outgoing_email: OutgoingEmail) -> None:
    """Make a dead letter of an e-mail whose day is over."""
    EMAILS.bury(outgoing_email.pk, outgoing_email.error or "It could not be sent for a day.")


def _take(turn: int) -> OutgoingEmail | None:
    is_first = turn % SHARE_OF_LAST != 0
    return _take_among(goes_first=is_first) or _take_among(goes_first=not is_first)


def _take_among(*, goes_first: bool) -> OutgoingEmail | None:
    now = timezone.now()
    free = Q(taken_at=None) | Q(taken_at__lt=now - LEASE)
    unsent = OutgoingEmail.objects.unsent().filter(free, goes_first=goes_first)
    # E-mails that have failed come last, so that one that always fails holds up no other.
    waiting = EMAILS.ready(unsent).order_by("attempt_count", "created_at")
    for outgoing_email in waiting[:20]:
        claimed = OutgoingEmail.objects.filter(
            free, pk=outgoing_email.pk, sent_at=None, attempt_count=outgoing_email.attempt_count
        )
        if claimed.update(taken_at=now, attempt_count=outgoing_email.attempt_count + 1):
            return outgoing_email
    return None


def _send(outgoing_email: OutgoingEmail, server: BaseEmailBackend) -> bool:
    is_counted = outgoing_email.person is None and not outgoing_email.attempt_count
    outgoing_email.person = outgoing_email.person or User.objects.with_email(outgoing_email.to).first()
    row = OutgoingEmail.objects.filter(pk=outgoing_email.pk)
    try:
        message = render(outgoing_email)
        message.connection = server
        if is_counted:
            _count(outgoing_email)
        message.send()
    except NoRecipientError:
        outgoing_email.delete()
        return False
    except Exception as error:
        row.update(error=describe_error(error), taken_at=None)
        if _is_the_servers(error):
            raise _ConversationFailedError(outgoing_email, error) from error
        log.exception("email_failed", outgoing_email=outgoing_email.pk, template=outgoing_email.template)
        failed = EMAILS.set_aside(outgoing_email.pk, error)
        if isinstance(error, SMTPRecipientsRefused) and failed.failures >= MAX_REFUSALS:
            _end_refused(outgoing_email, failed.error)
        return False
    row.update(sent_at=timezone.now(), error="", person=outgoing_email.person)
    return True


def _end_refused(outgoing_email: OutgoingEmail, error: str) -> None:
    """End a refused e-mail: as a dead letter if it was for a known person; a made-up address concerns nobody."""
    if outgoing_email.goes_first:
        EMAILS.bury(outgoing_email.pk, error)
    else:
        give_up([outgoing_email.pk])


def _count(outgoing_email: OutgoingEmail) -> None:
    """Count an e-mail that somebody requested by typing the address. Raises NoRecipientError if it is too many.

    It counts only when it goes out: one that never does uses up nobody's share. What Altegio has signed counts apart
    from what anybody on the internet may request.
    """
    asked_by = outgoing_email.params.get("asked_by", "")
    counts_for_all = not asked_by.startswith(SIGNED)
    if wait_to_write(outgoing_email.template, outgoing_email.to, asked_by, counts_for_all=counts_for_all):
        log.info("email_held_back", template=outgoing_email.template)
        raise NoRecipientError


def _is_the_servers(error: Exception) -> bool:
    """Return whether the server failed, so that every other e-mail would fail too; else this e-mail is at fault."""
    return isinstance(error, OSError) and not isinstance(error, SMTPRecipientsRefused | SMTPDataError)


def send_again(email_ids: Iterable[int]) -> int:
    """Queue e-mails that were given up for another day, because staff want them sent. Returns how many there are."""
    ids = list(email_ids)
    EMAILS.forget(ids)
    unsent = OutgoingEmail.objects.filter(pk__in=ids, sent_at=None)
    count = unsent.update(resent_at=timezone.now(), refused_at=None, taken_at=None)
    transaction.on_commit(_wake)
    return count


def give_up(email_ids: Iterable[int]) -> int:
    """End e-mails that nobody can receive: they count as waiting no more. Returns how many there are."""
    ids = list(email_ids)
    EMAILS.forget(ids)
    return OutgoingEmail.objects.unsent().filter(pk__in=ids).update(refused_at=timezone.now())


def _retry(email_id: int) -> None:
    send_again([email_id])


EMAILS = Queue.register(
    Queue(
        "outgoing_emails",
        "E-mails",
        OutgoingEmail,
        max_failures=100,  # MAX_AGE ends them
        first_pause=timedelta(minutes=1),
        max_pause=timedelta(hours=2),
        retry=_retry,
    )
)
# The server is never given up: it is retried ever more slowly, and each e-mail ends by its own age.
MAIL_SERVER = Queue.register(
    Queue(
        "mail server",
        "The mail server",
        max_failures=10**9,
        first_pause=timedelta(seconds=10),
        max_pause=timedelta(minutes=5),
    )
)
ONE = 1


def reader_of(params: dict[str, Any]) -> User:
    """Return the owner whom an e-mail's link signs in or lets choose a password.

    Raises NoRecipientError if there is none, or they are inactive or staff: staff never get such a link.
    """
    person = params["person"]
    if not isinstance(person, User) or person.is_staff or not person.is_active:
        raise NoRecipientError
    return person

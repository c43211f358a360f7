"""Letters: queued in the transaction of what they tell about, sent by Celery, each of them once.

A letter is two templates, `letters/<template>.txt` (its first line is the subject) and `.html`. What
its text needs beyond `params` comes from a builder registered beside the feature, so that a link with a
token is made at the moment of sending and never stored. Every letter knows whose it is.
"""

import hashlib
from collections.abc import Callable
from datetime import timedelta
from typing import Any

import structlog
from django.conf import settings
from django.core.mail import EmailMultiAlternatives
from django.db import transaction
from django.db.models import Q
from django.template.loader import render_to_string
from django.utils import timezone, translation

from accounts.limits import LETTERS_TO_ONE
from accounts.models import Letter, User
from accounts.strangers_words import harmless

log = structlog.get_logger(__name__)

Builder = Callable[[dict[str, Any]], dict[str, Any]]
_builders: dict[str, Builder] = {}
MOST_TRIES = 8
LEASE = timedelta(minutes=2)


def letter_builder(template: str) -> Callable[[Builder], Builder]:
    """Register what makes the context of `template` out of the letter's stored params, and its `person`."""

    def register(builder: Builder) -> Builder:
        _builders[template] = builder
        return builder

    return register


class NoReader(Exception):
    """A letter that somebody asked for by typing an address is for nobody there."""


def queue_letter(template: str, person: User, *, key: str, to: str = "", **params: Any) -> None:
    """Store a letter to `person` to be sent after the commit; `to` where it is not their present address.

    The same `key` again is the same letter. Nothing is stored for who has no address.
    """
    if address := to or person.email:
        _store(Letter(key=key, template=template, to=address, person=person, language=person.language, params=params))


def ask_for_letter(template: str, email: str, **params: Any) -> None:
    """Somebody has typed `email` and wants this letter to go there: at most one a minute, and few in a while.

    What is done is the same whether the address has an account: whose it is, is looked up when the letter
    is sent. Where it is nobody's (`NoReader`), nothing of it is kept.
    """
    address = email.lower()
    if LETTERS_TO_ONE.hit(address):
        return
    what = f"{address} {sorted(params.items())} {timezone.now():%Y%m%d%H%M}"
    key = f"{template}:{hashlib.sha256(what.encode()).hexdigest()}"
    _store(Letter(key=key, template=template, to=address, params=params))


def _store(letter: Letter) -> None:
    Letter.objects.bulk_create([letter], ignore_conflicts=True)
    transaction.on_commit(_wake)


def _wake() -> None:
    from accounts.tasks import send_letters
    from partner_portal.dispatch import enqueue

    enqueue(send_letters)


def send_waiting_letters() -> int:
    """Send what waits, oldest first; returns how many went out. Two workers never take the same letter."""
    sent = 0
    while letter := _take():
        sent += _send(letter)
    return sent


def _take() -> Letter | None:
    now = timezone.now()
    free = Q(taken_at=None) | Q(taken_at__lt=now - LEASE)
    waiting = Letter.objects.filter(free, sent_at=None, tries__lt=MOST_TRIES).order_by("created_at")
    for letter in waiting[:20]:
        claimed = Letter.objects.filter(free, pk=letter.pk, sent_at=None, tries=letter.tries)
        if claimed.update(taken_at=now, tries=letter.tries + 1):
            return letter
    return None


def _send(letter: Letter) -> bool:
    letter.person = letter.person or User.objects.with_email(letter.to).first()
    try:
        render(letter).send()
    except NoReader:
        letter.delete()
        return False
    except Exception as error:
        log.exception("letter_failed", letter=letter.pk, template=letter.template)
        Letter.objects.filter(pk=letter.pk).update(error=f"{type(error).__name__}: {error}"[:300])
        return False
    Letter.objects.filter(pk=letter.pk).update(sent_at=timezone.now(), error="", person=letter.person)
    return True


def render(letter: Letter) -> EmailMultiAlternatives:
    """The letter as an e-mail in its reader's language. Raises NoReader."""
    with translation.override(_language_of(letter)):
        build = _builders.get(letter.template, _nothing_more)
        told = {**letter.params, **build({**letter.params, "person": letter.person})}
        context = harmless({"portal_url": settings.PORTAL_URL, **told})
        text = render_to_string(f"letters/{letter.template}.txt", context)
        subject, _, body = text.partition("\n")
        message = EmailMultiAlternatives(subject.strip(), body.strip() + "\n", to=[letter.to])
        html = render_to_string(f"letters/{letter.template}.html", context | {"subject": subject.strip()})
        message.attach_alternative(html, "text/html")
        return message


def _language_of(letter: Letter) -> str:
    """The one that stood when it was queued, else its reader's."""
    return letter.language or (letter.person.language if letter.person else "") or settings.LANGUAGE_CODE


def reader_of(params: dict[str, Any]) -> User:
    """The owner whom a letter's link signs in or lets choose a password. Raises NoReader: staff never get one."""
    person = params["person"]
    if not isinstance(person, User) or person.is_staff or not person.is_active:
        raise NoReader
    return person


def _nothing_more(_params: dict[str, Any]) -> dict[str, Any]:
    return {}

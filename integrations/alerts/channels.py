"""Announcement of alerts in chats and pagers, by the addresses of `ALERT_URLS` (Apprise).

A new alert and its end are announced, in at most one message in five minutes. A message is noted once an address has
taken it, so a process that is killed in between sends it again.

What strangers have written in an alert stays plain text there: it mentions nobody, no link leads elsewhere, and no
markup makes the chat refuse the message.
"""

import re
import threading
import time
from collections.abc import Sequence
from datetime import timedelta

import structlog
from apprise import Apprise, NotifyFormat, NotifyType
from django.conf import settings
from django.db import transaction
from django.utils import timezone

from accounts.untrusted_text import harmless
from integrations.alerts.models import Alert, AlertChannels

log = structlog.get_logger(__name__)

AT_MOST_EVERY = timedelta(minutes=5)
# How many seconds all addresses together may take to answer.
MAX_SECONDS = 15.0
# Longer than `MAX_SECONDS`.
LEASE = timedelta(minutes=2)
# The pause after all addresses failed.
PAUSE = timedelta(minutes=1)
MAX_LINES = 10
_SCHEME = re.compile("[a-z0-9+]{1,20}", re.IGNORECASE)
# The thread that asks an address now, or did last.
_asked: dict[str, threading.Thread] = {}
_place = threading.BoundedSemaphore(1)


class NotSentError(Exception):
    """Raised when an address took no message; `str()` names its kind and no secret. `by_all`: no address took it."""

    def __init__(self, why: str, *, by_all: bool) -> None:
        super().__init__(why)
        self.by_all = by_all


def announce_alerts() -> int:
    """Send what is new and what has ended in one message, if it is time. Returns how many alerts it announced.

    One thread of a process does so, so that a silent address delays no outgoing call.
    """
    if not settings.ALERT_URLS or not _place.acquire(blocking=False):
        return 0
    try:
        return _announce()
    finally:
        _place.release()


def _announce() -> int:
    began, ended = _claim()
    if not began and not ended:
        return 0
    try:
        send("\n".join(_lines(began, ended)), is_trouble=bool(began))
    except NotSentError as error:
        log.warning("alerts_not_announced", error=str(error))
        # If one of them took it, a second try would repeat it there; staff also get it by e-mail.
        if error.by_all:
            AlertChannels.objects.update(rests_until=timezone.now() + PAUSE)
            return 0
    now = timezone.now()
    with transaction.atomic():
        Alert.objects.filter(pk__in=[alert.pk for alert in began]).update(announced_at=now)
        Alert.objects.filter(pk__in=[alert.pk for alert in ended]).update(end_announced_at=now)
        AlertChannels.objects.update(rests_until=now + AT_MOST_EVERY)
    return len(began) + len(ended)


@transaction.atomic
def _claim() -> tuple[list[Alert], list[Alert]]:
    """Claim for this process, for a while, what is to be announced: new alerts, and ends of announced ones."""
    now = timezone.now()
    channels, _made = AlertChannels.objects.select_for_update().get_or_create(pk=1)
    if any(until is not None and until > now for until in (channels.rests_until, channels.quiet_until)):
        return [], []
    began = list(Alert.objects.to_do(now).filter(announced_at=None).order_by("pk"))
    ended = list(Alert.objects.exclude(announced_at=None).exclude(cleared_at=None).filter(end_announced_at=None))
    if began or ended:
        channels.rests_until = now + LEASE
        channels.save(update_fields=["rests_until"])
    return began, ended


def _lines(began: Sequence[Alert], ended: Sequence[Alert]) -> list[str]:
    """Return one line for each alert, up to `MAX_LINES` of each kind, and a count of the rest."""
    lines = [f"! {_as_text(alert)}" for alert in began[:MAX_LINES]]
    lines += [f"✓ ended: {_as_text(alert)}" for alert in ended[:MAX_LINES]]
    more = len(began) + len(ended) - len(lines)
    return [*lines, *([f"and {more} more"] if more else []), f"{settings.PORTAL_URL}/admin/alerts/alert/?open=yes"]


def _as_text(alert: Alert) -> str:
    """Return its text with a break after each @: otherwise "@everyone" in a location's title calls a whole room."""
    text: str = harmless({"text": alert.text})["text"]
    return text.replace("@", "@\u200b")


def send(text: str, *, is_trouble: bool) -> None:
    """Send a message to every address of `ALERT_URLS`. Raises NotSentError if any of them does not take it."""
    taken = _taken_by(settings.ALERT_URLS, text, NotifyType.WARNING if is_trouble else NotifyType.SUCCESS)
    failed = [kind_of(url) for url in settings.ALERT_URLS if url not in taken]
    if failed:
        raise NotSentError(f"No message was taken by: {', '.join(failed)}.", by_all=not taken)


def _taken_by(urls: Sequence[str], text: str, kind: NotifyType) -> set[str]:
    """Return which addresses took the message; all are asked at once, within MAX_SECONDS.

    Apprise waits for each byte of an answer, however many come. An address that is still being waited for from an
    earlier message gets no other: there is one such thread for each address.
    """
    taken: set[str] = set()

    def tell(url: str) -> None:
        channel = Apprise()
        try:
            # As text: Apprise escapes it for chats that read markup, and would otherwise forward it as markup.
            sent = channel.add(url) and channel.notify(
                body=text, body_format=NotifyFormat.TEXT, title="Altegio partner portal", notify_type=kind
            )
            if sent:
                taken.add(url)
        except Exception as error:  # its text may hold the address's secret
            log.warning("alert_address_failed", address=kind_of(url), error=type(error).__name__)

    for url in urls:
        if not (url in _asked and _asked[url].is_alive()):
            _asked[url] = threading.Thread(target=tell, args=(url,), daemon=True)
            _asked[url].start()
    ends_at = time.monotonic() + MAX_SECONDS
    for url in urls:
        _asked[url].join(max(0.0, ends_at - time.monotonic()))
    return set(taken)


def send_test() -> list[str]:
    """Send a test message now; return what kinds of addresses took it. Raises NotSentError as `send` does."""
    if not settings.ALERT_URLS:
        raise NotSentError("ALERT_URLS is empty: alerts go to staff by e-mail alone. See .env.example.", by_all=True)
    send("This is a test: alerts of the portal arrive here.", is_trouble=False)
    return [kind_of(url) for url in settings.ALERT_URLS]


def kind_of(url: str) -> str:
    """Return the kind of an address, without its secrets: the scheme before `://`, if it has one."""
    scheme, _, rest = url.partition("://")
    return scheme if rest and _SCHEME.fullmatch(scheme) else "an address without a scheme"

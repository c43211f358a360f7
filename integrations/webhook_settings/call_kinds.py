"""The outgoing calls that read a location's webhook settings and mend them (docs/altegio.md §2).

A mending reads the settings, adds our address, writes them back and reads them again.
"""

import hashlib
import json
from datetime import timedelta

from django.db import transaction
from django.utils import timezone

from integrations.alerts.models import Alert
from integrations.alerts.raising import raise_alert
from integrations.altegio import requests
from integrations.altegio.answers import Answer, Outcome
from integrations.altegio.hooks import MAX_ADDRESSES, HooksSettings, parse_hooks, read_hooks
from integrations.altegio.requests import ApiRequest
from integrations.connections.models import Connection, Location, event_address
from integrations.connections.transitions import connection_of
from integrations.outbox.call_kinds import (
    CallKind,
    CannotTell,
    Happened,
    NotToHappen,
    ObsoleteError,
    SendAgain,
    Verdict,
    register,
)
from integrations.outbox.models import Attempt, OutgoingCall, Priority
from integrations.outbox.queue import queue_newest
from integrations.user_tokens.tokens import token_at
from integrations.webhook_settings.models import WebhookSettings
from integrations.webhook_settings.signals import webhook_settings_read
from partner_portal.core.clean import storable_json
from partner_portal.core.english import english as _

State = WebhookSettings.State
# A mending whose own reading is older than this reads again before it writes, because others may have changed it.
FRESH = timedelta(seconds=30)
UNREADABLE = "Altegio's answer does not hold the webhook settings; nothing was written."
NOT_READ_AGAIN = "Altegio took our address, but the user token was removed before the list could be read again."
FULL = f"The location has {MAX_ADDRESSES} addresses already, the most that Altegio takes: one must be removed there."


class NoTokenError(Exception):
    """Raised if no user token is known for a location, which Altegio requires; `str()` says what to do."""


@transaction.atomic
def read_settings(connection: Connection) -> None:
    """Queue a reading of the location's webhook settings. Raises NoTokenError."""
    _queue(ReadWebhookSettings, connection)


@transaction.atomic
def mend_settings(connection: Connection) -> None:
    """Queue a mending of the location's webhook settings, which reads them first. Raises NoTokenError."""
    _queue(MendWebhookSettings, connection)


def own_address(connection: Connection) -> str:
    """Return the URL that Altegio posts this connection's events to."""
    return event_address(connection.installation.events_key)


def settings_question(connection: Connection) -> ApiRequest:
    """Return the request that reads a location's webhook settings. Raises NoTokenError."""
    token = token_at(connection.application, connection.location)
    if not token:
        raise NoTokenError(_("Set the application token, or a user token for this location, first."))
    return requests.webhook_settings(token, connection.location.altegio_id)


def _queue(kind: type[CallKind], connection: Connection, expected: tuple[str, ...] = ()) -> None:
    settings_question(connection)
    # All applications of a location share one list, so its calls go out one at a time, in the order of their storage.
    Location.objects.select_for_update(no_key=True).get(pk=connection.location_id)
    ordering_key = f"webhooks:{connection.location_id}"
    # The reading after a mending has a key of its own, because a plain one that waits must not replace it.
    key = f"{kind.name}:{connection.pk}" + (":after" if expected else "")
    queue_newest(kind, key, ordering_key=ordering_key, connection_id=connection.pk, expected=list(expected))


class _AboutHooks(CallKind):
    """The base of both calls: they carry a user token beside the partner token, and store the reason of a failure."""

    priority = Priority.SETUP
    uses_own_credential = True
    max_age = timedelta(days=1)

    def about(self, call: OutgoingCall) -> str:
        """Return the connection, because calls with different `expected` parameters are about the same settings."""
        return f"connection:{call.connection_id}"

    def refused(self, call: OutgoingCall, reason: str, answer: Answer) -> None:
        _note(connection_of(call), state=State.FAILED, error=reason[:500])


@register
class ReadWebhookSettings(_AboutHooks):
    """An outgoing call that reads the settings and changes nothing at Altegio.

    The parameter `expected` holds hashes of the addresses that were there before a mending; staff are alerted if one
    is missing.
    """

    name = "read_webhook_settings"
    title = _("Webhook settings: reading")
    idempotent = True

    def request(self, call: OutgoingCall) -> ApiRequest:
        return _question(call)

    def accepted(self, call: OutgoingCall, answer: Answer) -> None:
        connection, found = connection_of(call), read_hooks(answer)
        if found is None:
            _note(connection, state=State.FAILED, error=UNREADABLE)
            return
        _learn(connection, found)
        lost = set(call.params.get("expected", [])) - set(_hashes(found))
        if lost:
            text = (
                f"{connection}: after the webhook settings were mended, {len(lost)} addresses of other applications "
                "are missing. Tell the location's owner: those applications get no events until they are set again."
            )
            raise_alert(Alert.Kind.SETTINGS, f"webhooks-lost:{connection.pk}", text, connection)


@register
class MendWebhookSettings(_AboutHooks):
    """An outgoing call that adds our address. It is sent only right after its own reading of the settings."""

    name = "mend_webhook_settings"
    title = _("Webhook settings: mending")
    yes_is_enough = True
    alert_on_failure = True
    alert_ends_with_connection = True

    def must_ask(self, call: OutgoingCall) -> bool:
        """Return True unless this call itself has just read; since any other reading, others may have written."""
        last = call.attempts.order_by("number").last()
        if last is None or (last.purpose, last.outcome) != (Attempt.Purpose.ASK, Outcome.ACCEPTED):
            return True
        return last.finished_at is None or last.finished_at < timezone.now() - FRESH

    def question(self, call: OutgoingCall) -> ApiRequest:
        return _question(call)

    def judge(self, call: OutgoingCall, answer: Answer) -> Verdict:
        if answer.outcome is Outcome.UNKNOWN:
            return CannotTell()
        found = read_hooks(answer)
        if found is None:
            return NotToHappen(answer.message or UNREADABLE)
        connection = connection_of(call)
        _learn(connection, found)
        if own_address(connection) in found.urls:
            return Happened()
        return NotToHappen(FULL) if len(found.urls) >= MAX_ADDRESSES else SendAgain()

    def request(self, call: OutgoingCall) -> ApiRequest:
        connection = connection_of(call)
        token, read = token_at(connection.application, connection.location), _last_read(connection)
        if not token or read is None:
            raise ObsoleteError("The user token was removed, or nothing was read.")
        body = read.with_address(own_address(connection))
        return requests.set_webhook_settings(token, connection.location.altegio_id, body)

    def accepted(self, call: OutgoingCall, answer: Answer) -> None:
        """Queue another reading, which finds out whether an address of another application was lost."""
        connection = connection_of(call)
        read = _last_read(connection)
        try:
            _queue(ReadWebhookSettings, connection, _hashes(read) if read else ())
        except NoTokenError:
            if read is None or own_address(connection) not in read.urls:
                _note(connection, state=State.FAILED, error=NOT_READ_AGAIN)


def _question(call: OutgoingCall) -> ApiRequest:
    try:
        return settings_question(connection_of(call))
    except NoTokenError:
        raise ObsoleteError("The user token was removed.") from None


def _learn(connection: Connection, found: HooksSettings) -> None:
    ours = own_address(connection)
    is_present = ours in found.urls
    _note(
        connection,
        state=State.PRESENT if is_present else State.MISSING,
        content=json.dumps(storable_json({**found.flags, "urls": list(found.urls)})),
        others=len([url for url in found.urls if url != ours]),
        is_active=found.is_active,
        read_at=timezone.now(),
        error="",
    )
    webhook_settings_read.send(sender=WebhookSettings, connection=connection, is_present=is_present)


def _note(connection: Connection, **fields: object) -> None:
    WebhookSettings.objects.update_or_create(installation=connection.installation, defaults=fields)


def _last_read(connection: Connection) -> HooksSettings | None:
    known = WebhookSettings.objects.filter(installation=connection.installation).first()
    return parse_hooks(json.loads(known.content)) if known is not None and known.content else None


def _hashes(found: HooksSettings) -> tuple[str, ...]:
    """Return hashes of the addresses; others' may hold secrets and must not be stored in a plain column."""
    return tuple(hashlib.sha256(url.encode()).hexdigest()[:32] for url in found.urls)

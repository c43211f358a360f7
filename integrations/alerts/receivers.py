"""Receivers that raise and clear alerts: each alert ends with its cause, and may come again."""

import hashlib
from collections.abc import Sequence
from typing import Any

from django.dispatch import receiver

from accounts.emails import mail_trouble
from integrations.alerts.models import Alert
from integrations.alerts.raising import clear_alerts, raise_alert, raise_alert_once
from integrations.altegio.answers import AltegioState, ConnectionStatus
from integrations.connections.models import LIVE, Connection, State
from integrations.connections.signals import connection_changed, connections_changed, status_synced
from integrations.connections.transitions import Change, lock
from integrations.outbox.call_kinds import CALL_KINDS, CallKind
from integrations.outbox.models import CallState, OutgoingCall
from integrations.outbox.signals import call_ended, call_struggles
from integrations.outbox.token_stop import token_is_stopped, token_stopped
from partner_portal.core.queues import Queue, item_died, queue_recovered
from partner_portal.core.watch import Check, stranded_found

FAILURES_UNTIL_AN_ALERT = 3


@receiver(token_stopped)
def tell_of_refused_token(fingerprint: str, message: str, **_: Any) -> None:
    """Raise the most urgent alert there is: every call rests until somebody acts."""
    text = f"Altegio refuses the partner token (401: {message}). All calls rest until it is replaced."
    clear_alerts(kind=Alert.Kind.TOKEN)
    raise_alert(Alert.Kind.TOKEN, f"token:{fingerprint}", text)


def clear_when_the_token_works() -> None:
    """Clear the alert once staff have resumed or replaced the token."""
    if not token_is_stopped():
        clear_alerts(kind=Alert.Kind.TOKEN)


@receiver(call_ended)
def tell_of_failed_call(call: OutgoingCall, reason: str, *, is_withdrawn: bool = False, **_: Any) -> None:
    """Raise an alert for a call that was refused or came too late, if nobody else would see it.

    It is cleared when a later call is done, or is withdrawn, because then nobody needs it. A call that finds nothing
    to send clears no earlier failure.
    """
    kind = CALL_KINDS.get(call.kind)
    if kind is None or not kind.alert_on_failure:
        return
    over, key = [_struggle_key(call)], alert_key(call, kind)
    # The connection is locked before its alerts, as elsewhere.
    has_failed = call.state in (CallState.REFUSED, CallState.EXPIRED) and not _is_over(call, kind)
    if call.state == CallState.DONE or is_withdrawn:
        over.append(key)
    clear_alerts(key__in=over)
    if has_failed:
        text = f"{kind.title}: {CallState(call.state).label}. {reason}"
        raise_alert(Alert.Kind.CALL, key, text, call.connection)


def _is_over(call: OutgoingCall, kind: CallKind) -> bool:
    """Return whether nothing is left to do about the failure, because the connection has ended.

    The connection is locked: one that ends at this moment waits, and clears the alert.
    """
    if not kind.alert_ends_with_connection or call.connection_id is None:
        return False
    return lock(call.connection_id).state not in LIVE


@receiver(call_struggles)
def tell_of_struggling_call(call: OutgoingCall, reason: str, **_: Any) -> None:
    """Raise an alert, once, for a call that is retried for ever while others wait behind it; its end clears it."""
    kind = CALL_KINDS.get(call.kind)
    if kind is not None and kind.alert_on_failure:
        text = f"{kind.title}: Altegio has given no clear answer for an hour; what follows it waits. {reason}"
        raise_alert_once(Alert.Kind.CALL, _struggle_key(call), text, call.connection)


def _struggle_key(call: OutgoingCall) -> str:
    return f"struggle:{call.pk}"


def alert_key(call: OutgoingCall, kind: CallKind) -> str:
    """Return the key of the alert about a failed call: the same for every call of the kind about the same."""
    about = hashlib.sha256(kind.about(call).encode()).hexdigest()[:20]
    return f"{alert_prefix(call.kind)}{about}"


def alert_prefix(kind: str) -> str:
    """Return how the keys of all alerts about failed calls of a kind begin."""
    return f"call:{kind}:"


@receiver(connection_changed)
def follow_the_connection(connection: Connection, before: State, after: State, **_: Any) -> None:
    """Clear the alerts about a state that has ended; let a connection that waits again be warned of again."""
    # Connections without a warning cost no query: there may be thousands at once.
    if before == State.GRANTED and connection.warned:
        clear_alerts(connection=connection, kind=Alert.Kind.WINDOW)
    if after == State.GRANTED and connection.warned:
        Connection.objects.filter(pk=connection.pk, warned__gt=0).update(warned=0)
    if before in LIVE and after not in LIVE:
        # A conflict too: Altegio may have accepted it while two people claimed it.
        clear_alerts(connection=connection, kind__in=(Alert.Kind.REVIEW, Alert.Kind.CONFLICT))
        over = "|".join(alert_prefix(kind.name) for kind in CALL_KINDS if kind.alert_ends_with_connection)
        clear_alerts(connection=connection, kind=Alert.Kind.CALL, key__regex=f"^({over})")
    if after in LIVE:
        clear_alerts(connection=connection, kind=Alert.Kind.UNKNOWN)


@receiver(connections_changed)
def end_conflicts(changes: Sequence[Change], **_: Any) -> None:
    """Clear the alerts of conflicts that have ended: there may be thousands when their owner signs in."""
    if ended := [change.connection.pk for change in changes if change.before == State.CONFLICT]:
        clear_alerts(connection__in=ended, kind=Alert.Kind.CONFLICT)


@receiver(status_synced)
def forget_what_is_gone(connection: Connection, status: ConnectionStatus, **_: Any) -> None:
    """Clear the alert about a connection that had ended here, was alive at Altegio, and has now ended there too."""
    if connection.state == State.UNINSTALLED and status.state not in (AltegioState.ACTIVE, AltegioState.FROZEN):
        clear_alerts(connection=connection, kind=Alert.Kind.UNKNOWN)


@receiver(item_died)
def tell_of_dead_letter(queue: Queue, error: str, **_: Any) -> None:
    """Raise one alert for a queue, however many of its items failed: one fault mostly hits many."""
    text = f"{queue.title}: an item could not be handled, and is not tried any more. See the dead letters. {error}"
    raise_alert(Alert.Kind.DEAD, f"dead:{queue.name}", text)


@receiver(queue_recovered)
def forget_dead_letters(queue: str, **_: Any) -> None:
    """Clear the alert once the queue's last dead letter was tried again, or let go."""
    clear_alerts(key=f"dead:{queue}")


@receiver(stranded_found)
def tell_of_stranded(check: Check, count: int, **_: Any) -> None:
    """Raise an alert about stranded rows, which are mended at once.

    It stays open until staff clear it, because they must find out why it could happen.
    """
    if check.by_age:
        text = (
            f"{check.name}: {count} of them waited far too long, and are taken up now. After a stop of all workers, "
            "beat or the mail server this is to be expected; if nothing had stopped, please report this fault."
        )
    else:
        text = f"{check.name}: nothing waited for {count} of them. They are taken up again; please report this fault."
    raise_alert(Alert.Kind.WATCH, f"watch:{check.name}", text)


def tell_of_mail_trouble() -> None:
    """Raise or clear the alert about a failing mail server. It cannot come by e-mail."""
    trouble = mail_trouble()
    if trouble is None:
        clear_alerts(kind=Alert.Kind.MAIL)
    elif trouble.failures >= FAILURES_UNTIL_AN_ALERT:
        raise_alert(Alert.Kind.MAIL, "mail", f"E-mails are not sent: {trouble.error}. See EMAIL_URL.")

"""The comparison of Altegio's record of the settings with what was sent; a difference is an alert.

A private application, and a few with a fast installation, are active at the grant (docs/altegio.md §1): then no
settings were taken, and Altegio does not report it.
"""

from typing import Any

from django.dispatch import receiver
from django.utils import timezone

from integrations.activation.models import TakenSettings
from integrations.activation.sent_settings import API_KEY, EVENT_ADDRESS, not_recorded, sent_settings
from integrations.alerts.models import Alert
from integrations.alerts.raising import clear_alerts, raise_alert
from integrations.altegio.answers import ConnectionStatus
from integrations.connections.models import LIVE, Connection, State
from integrations.connections.signals import connection_changed, status_synced
from integrations.messaging.api_keys import void_other_keys
from integrations.webhook_settings.models import WebhookSettings
from integrations.webhook_settings.signals import webhook_settings_read

REMEDY = {
    TakenSettings.State.NOT_SENT: (
        "Altegio made it active at the grant, as it does for private applications, and did not take: {missing}. "
        "Mend the webhook settings on its page; for messages the application must be public, or Altegio's support "
        "must enter the key."
    ),
    TakenSettings.State.DIFFERENT: (
        "Altegio did not record what was sent: {missing}. It keeps the first it got. Mend the webhook settings on "
        "its page; for the key, disconnect and let the owner connect again, or ask Altegio's support."
    ),
}
Taken = TakenSettings.State


@receiver(status_synced)
def compare_settings(connection: Connection, status: ConnectionStatus, **_: Any) -> None:
    """Compare each status of a live connection; a status without settings changes nothing."""
    if connection.state not in LIVE or status.special_settings is None:
        return
    sent = sent_settings(connection)
    missing = not_recorded(status.special_settings, sent)
    if EVENT_ADDRESS in missing and _is_mended(connection):
        missing.remove(EVENT_ADDRESS)
    known = TakenSettings.objects.filter(connection=connection).first()
    never_sent = known is not None and known.state == Taken.NOT_SENT
    _note(connection, known, _state_of(missing, never_sent=never_sent), missing)
    # Also if nothing else is new: the key may have been replaced, and entered at Altegio, since the last status.
    if sent.api_key and API_KEY not in missing:
        void_other_keys(connection, sent.api_key)


def _state_of(missing: list[str], *, never_sent: bool) -> TakenSettings.State:
    if not missing:
        return Taken.TAKEN
    return Taken.NOT_SENT if never_sent else Taken.DIFFERENT


def note_active_at_the_grant(connection: Connection) -> None:
    """Record that Altegio calls the connection active, though it took no activation of ours."""
    known = TakenSettings.objects.filter(connection=connection).first()
    _note(connection, known, Taken.NOT_SENT, not_recorded(None, sent_settings(connection)))


def _note(
    connection: Connection, known: TakenSettings | None, state: TakenSettings.State, missing: list[str]
) -> None:
    """Store the comparison if it is new, and raise or clear the alert about it."""
    names = ", ".join(missing)
    if known is not None and (known.state, known.missing) == (state, names):
        return
    fields = {"state": state, "missing": names, "since": timezone.now()}
    TakenSettings.objects.update_or_create(connection=connection, defaults=fields)
    key = f"settings:{connection.pk}"
    clear_alerts(key=key)
    if state is not Taken.TAKEN:
        text = f"{connection}: {REMEDY[state].format(missing=names)}"
        raise_alert(Alert.Kind.SETTINGS, key, text, connection)


@receiver(webhook_settings_read)
def follow_webhook_settings(connection: Connection, is_present: bool, **_: Any) -> None:
    """Count the event address as taken once it is in the location's webhook settings, whoever wrote it."""
    known = TakenSettings.objects.filter(connection=connection).first()
    if known is not None and is_present and EVENT_ADDRESS in known.missing:
        missing = [API_KEY] if API_KEY in known.missing else []
        _note(connection, known, Taken(known.state) if missing else Taken.TAKEN, missing)


def _is_mended(connection: Connection) -> bool:
    present = WebhookSettings.objects.filter(state=WebhookSettings.State.PRESENT)
    here = {"application": connection.application_id, "location": connection.location_id}
    return present.filter(**{f"installation__{name}": value for name, value in here.items()}).exists()


@receiver(connection_changed)
def forget_what_ended(connection: Connection, before: State, after: State, **_: Any) -> None:
    """Clear the alert about settings that were not taken, once the connection has ended."""
    if before in LIVE and after not in LIVE:
        clear_alerts(key=f"settings:{connection.pk}")

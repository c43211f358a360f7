"""What the partner does with an address: make it, try it, change its secret, replay events, send again."""

from collections.abc import Mapping, Sequence
from datetime import datetime, timedelta

from django.db import transaction
from django.db.models import Exists, OuterRef
from django.utils import timezone

from integrations.alerts.raising import clear_alerts
from integrations.connections.models import Application
from integrations.partner_events import types
from integrations.partner_events.deliver import LEASE, alert_key
from integrations.partner_events.fan_out import delivery_of
from integrations.partner_events.models import PartnerEvent, WebhookDelivery, WebhookEndpoint
from integrations.partner_events.publish import NewEvent, publish
from integrations.partner_events.reading import without_secrets
from integrations.partner_events.sending import fresh_secret
from partner_portal.core.wake import wake

# How long former secrets sign beside the new one, and how many of the newest ones do.
OVERLAP = timedelta(hours=24)
MAX_FORMER = 10
# How many deliveries of a replay one INSERT stores.
BATCH = 1000
# How many events one replay looks through at most.
MAX_REPLAYED = 100_000


class TooManyEventsError(ValueError):
    """Raised when a replay would queue too many events at once; `str()` says what to do."""


class NothingToSendError(Exception):
    """Raised when nothing would go to this address; `str()` says what to do."""


def held(endpoint: WebhookEndpoint) -> WebhookEndpoint:
    """Lock the address and return it as it is now. Raises DoesNotExist if it was deleted meanwhile."""
    return without_secrets().select_for_update(no_key=True).get(pk=endpoint.pk)


def new_endpoint(
    url: str, wanted: Sequence[str], application: Application | None, description: str
) -> WebhookEndpoint:
    """Store an address with a secret of its own, which the caller shows once."""
    return WebhookEndpoint.objects.create(
        url=url, types=list(wanted), application=application, description=description, secret=fresh_secret()
    )


@transaction.atomic
def rotate_secret(endpoint: WebhookEndpoint) -> str:
    """Give the address a new secret and return it; for a day the present one signs too.

    So do former ones, each until its own day is over: the answer with the present one may have been lost, and the
    receiver still has the one before. Secrets that cannot be read are dropped.
    """
    locked, until = held(endpoint), timezone.now() + OVERLAP
    former = list(_readable(locked, until.timestamp()).items())[:MAX_FORMER]
    locked.previous_secret, locked.secret = " ".join(f"{secret}@{end:.0f}" for secret, end in former), fresh_secret()
    locked.previous_secret_until = until
    locked.save(update_fields=["secret", "previous_secret", "previous_secret_until"])
    return locked.secret


def _readable(endpoint: WebhookEndpoint, until: float) -> dict[str, float]:
    """Return the secrets that sign now, each with its end in seconds since 1970; the present one ends at `until`."""
    try:
        return {endpoint.secret: until} | endpoint.former_secrets
    except ValueError:
        return {}


@transaction.atomic
def change(endpoint: WebhookEndpoint, changed: Mapping[str, object], *, on: bool | None) -> WebhookEndpoint:
    """Write only these columns, and switch the address on or off if `on` says so. Returns the address as it is then.

    A new url begins without the former one's failures and rest.
    """
    present = held(endpoint)
    columns = dict(changed)
    if is_moved := columns.get("url", present.url) != present.url:
        columns |= {"failing_since": None, "rests_until": None}
    for name, value in columns.items():
        setattr(present, name, value)
    present.save(update_fields=list(columns))
    if is_moved:
        _make_due(present)
    if on is not None and on != present.is_active:
        switch(present, on=on)
    return present


@transaction.atomic
def remove(endpoint: WebhookEndpoint) -> None:
    """Delete the address with its deliveries; its row is fully locked, so that nothing new refers to it meanwhile."""
    without_secrets().select_for_update().get(pk=endpoint.pk).delete()


@transaction.atomic
def send_test(endpoint: WebhookEndpoint) -> None:
    """Send an event of the type `webhook.test` to this address alone, whatever types it wants.

    Raises NothingToSendError.
    """
    present = held(endpoint)
    if not present.is_active:
        raise NothingToSendError("The address is switched off: switch it on first.")
    application = present.application or Application.objects.order_by("pk").first()
    if application is None:
        raise NothingToSendError("The portal knows no application yet: enter one first.")
    data = {"message": "This is a test."}
    publish([NewEvent(types.TEST, application.pk, data, connection_id=None, endpoint=endpoint)])


@transaction.atomic
def switch(endpoint: WebhookEndpoint, *, on: bool) -> None:
    """Switch an address on or off. What waited for it goes on in its order."""
    held(endpoint)
    endpoint.is_active, endpoint.failing_since, endpoint.rests_until = on, None, None
    endpoint.save(update_fields=["is_active", "failing_since", "rests_until"])
    if on:
        clear_alerts(key=alert_key(endpoint))
        _make_due(endpoint)


def _make_due(endpoint: WebhookEndpoint) -> None:
    """Make due all that waits for a locked address, with all its tries: its pauses were about a former fault.

    What is due within a lease stays as it is, because a worker may have it.
    """
    now = timezone.now()
    waiting = WebhookDelivery.objects.filter(endpoint=endpoint, state=WebhookDelivery.State.WAITING)
    waiting.exclude(due_at__gt=now, due_at__lte=now + LEASE).update(due_at=now, attempt_count=0)
    transaction.on_commit(lambda: wake("integrations.partner_events.tasks.deliver"))


@transaction.atomic
def replay(endpoint: WebhookEndpoint, since: datetime, until: datetime | None, wanted: Sequence[str]) -> int:
    """Send the events of a span of time to this address once more, in order, each under its id. Returns how many.

    What already waits for it goes now and is not queued twice, not even by another replay. Raises TooManyEventsError.
    """
    endpoint = held(endpoint)
    waiting = WebhookDelivery.objects.filter(
        event=OuterRef("pk"), endpoint=endpoint, state=WebhookDelivery.State.WAITING
    )
    placed = PartnerEvent.objects.exclude(position=None).exclude(Exists(waiting))
    events = placed.filter(created_at__gte=since).order_by("position")
    if until is not None:
        events = events.filter(created_at__lte=until)
    if wanted:
        events = events.filter(type__in=wanted)
    found = list(events.defer("body")[: MAX_REPLAYED + 1])
    if len(found) > MAX_REPLAYED:
        raise TooManyEventsError(f"More than {MAX_REPLAYED} events happened in this time: write an earlier moment.")
    chosen = [delivery_of(event, endpoint) for event in found if endpoint.wants(event)]
    made = WebhookDelivery.objects.bulk_create(chosen, batch_size=BATCH)
    _make_due(endpoint)
    return len(made)


@transaction.atomic
def send_again(deliveries: Sequence[WebhookDelivery]) -> int:
    """Make dead letters wait again, with all their tries. Returns how many there were."""
    dead = WebhookDelivery.objects.filter(
        pk__in=[delivery.pk for delivery in deliveries], state=WebhookDelivery.State.DEAD
    )
    return dead.update(
        state=WebhookDelivery.State.WAITING, attempt_count=0, due_at=timezone.now(), finished_at=None, error=""
    )

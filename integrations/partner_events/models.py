"""Models of events for the partner's systems, the addresses that receive them, and the deliveries between."""

import time
from math import inf
from urllib.parse import urlsplit

from django.db import models
from django.utils import timezone

from integrations.partner_events import types
from integrations.partner_events.message_ids import new_message_id
from partner_portal.core.encryption import EncryptedTextField
from partner_portal.core.english import english as _


class PartnerEvent(models.Model):
    """One thing that happened, stored in the transaction that changed it; its body changes only to erase a person.

    `position` is its place in the feed, given once it is committed, so none ever appears in front of one already
    shown.
    """

    message_id = models.CharField(max_length=40, unique=True, default=new_message_id)
    type = models.CharField(_("type"), max_length=40, choices=[(name, name) for name in (*types.ALL, types.TEST)])
    application = models.ForeignKey("connections.Application", on_delete=models.CASCADE, related_name="+")
    connection = models.ForeignKey(
        "connections.Connection", on_delete=models.CASCADE, null=True, blank=True, related_name="partner_events"
    )
    # The address it is for, if it is for one alone.
    endpoint = models.ForeignKey("WebhookEndpoint", on_delete=models.CASCADE, null=True, blank=True, related_name="+")
    body = EncryptedTextField(_("body"))
    created_at = models.DateTimeField(_("happened"), default=timezone.now)
    position = models.BigIntegerField(null=True, unique=True, editable=False)

    application_id: int
    connection_id: int | None
    endpoint_id: int | None

    class Meta:
        verbose_name = _("event for the partner's systems")
        verbose_name_plural = _("events for the partner's systems")
        indexes = [
            models.Index(fields=["id"], condition=models.Q(position=None), name="partner_event_unplaced"),
            models.Index(fields=["created_at"], name="partner_event_by_age"),
            # These may be deleted before all others.
            models.Index(
                fields=["created_at"],
                condition=models.Q(type=types.MESSAGE_REQUESTED),
                name="partner_event_of_messages",
            ),
        ]

    def __str__(self) -> str:
        return f"{self.type} {self.message_id}"


class NamedPerson(models.Model):
    """Somebody whom an event names, so that erasing them finds it, whoever owns its connection by then."""

    event = models.ForeignKey(PartnerEvent, on_delete=models.CASCADE, related_name="named_people")
    # `u:` and the number of an account, or `a:` and that of an Altegio user.
    person = models.CharField(max_length=40)

    class Meta:
        indexes = [models.Index(fields=["person"], name="partner_event_by_person")]

    def __str__(self) -> str:
        return self.person


class WebhookEndpoint(models.Model):
    """An address of the partner's that events are posted to. An empty `types` means all types."""

    url = models.URLField(_("address"), max_length=500)
    description = models.CharField(_("description"), max_length=200, blank=True)
    types = models.JSONField(_("types"), default=list, blank=True)
    application = models.ForeignKey(
        "connections.Application", on_delete=models.CASCADE, null=True, blank=True, related_name="+"
    )
    is_active = models.BooleanField(_("active"), default=True)
    secret = EncryptedTextField(_("secret"))
    # The former secrets, newest first, separated by spaces: each with "@" and its end, in seconds since 1970. One
    # without an end ends at `previous_secret_until`.
    previous_secret = EncryptedTextField(blank=True)
    previous_secret_until = models.DateTimeField(null=True, blank=True)
    created_at = models.DateTimeField(_("made"), default=timezone.now)
    # Since when nothing has been taken; None while it takes what comes.
    failing_since = models.DateTimeField(_("failing since"), null=True, blank=True)
    rests_until = models.DateTimeField(_("rests until"), null=True, blank=True)
    last_delivered_at = models.DateTimeField(_("last delivery"), null=True, blank=True)

    application_id: int | None

    class Meta:
        verbose_name = _("webhook")
        verbose_name_plural = _("webhooks")

    def __str__(self) -> str:
        return self.url

    @property
    def host(self) -> str:
        """The host, which e-mails and chats may name: the rest of an address may hold a secret."""
        return urlsplit(self.url).hostname or "?"

    @property
    def secrets(self) -> list[str]:
        """The secrets that sign a delivery now, newest first: a former one signs beside its successor for a day."""
        return [*self.secret.split(), *self.former_secrets]

    @property
    def former_secrets(self) -> dict[str, float]:
        """The former secrets that still sign, each with its end in seconds since 1970."""
        last = self.previous_secret_until.timestamp() if self.previous_secret_until else inf
        parts = [part.partition("@") for part in self.previous_secret.split()]
        ends = {secret: float(end) if end else last for secret, _at, end in parts}
        return {secret: end for secret, end in ends.items() if end > time.time()}

    def wants(self, event: PartnerEvent) -> bool:
        """Return whether this event goes to this address."""
        if event.endpoint_id is not None:
            return event.endpoint_id == self.pk
        of_application = self.application_id in (None, event.application_id)
        return of_application and (not self.types or event.type in self.types)


class WebhookDelivery(models.Model):
    """One event on its way to one address, tried until it is taken or dead."""

    class State(models.TextChoices):
        WAITING = "waiting", _("waiting")  # due, or leased until `due_at`
        DELIVERED = "delivered", _("delivered")  # the address took it
        DEAD = "dead", _("dead letter")  # every try failed: staff and the partner may send it again

    endpoint = models.ForeignKey(WebhookEndpoint, on_delete=models.CASCADE, related_name="deliveries")
    event = models.ForeignKey(PartnerEvent, on_delete=models.CASCADE, related_name="deliveries")
    # The event's connection, or 0: the deliveries of one connection go one after the other.
    ordering_key = models.BigIntegerField(default=0)
    state = models.CharField(_("state"), max_length=10, choices=State.choices, default=State.WAITING)
    attempt_count = models.PositiveSmallIntegerField(_("attempts"), default=0)
    due_at = models.DateTimeField(_("due"), default=timezone.now)
    response_status = models.PositiveSmallIntegerField(_("answer"), null=True, blank=True)
    error = models.CharField(_("error"), max_length=300, blank=True)
    duration = models.FloatField(_("seconds"), null=True, blank=True)
    created_at = models.DateTimeField(_("made"), default=timezone.now)
    finished_at = models.DateTimeField(_("finished"), null=True, blank=True)

    endpoint_id: int
    event_id: int

    class Meta:
        verbose_name = _("webhook delivery")
        verbose_name_plural = _("webhook deliveries")
        indexes = [
            models.Index(fields=["due_at", "id"], condition=models.Q(state="waiting"), name="webhook_delivery_due"),
            models.Index(
                fields=["endpoint", "ordering_key", "id"],
                condition=models.Q(state="waiting"),
                name="webhook_delivery_order",
            ),
            models.Index(fields=["endpoint", "state", "-id"], name="webhook_delivery_by_state"),
            models.Index(fields=["created_at"], name="webhook_delivery_by_age"),
        ]

    def __str__(self) -> str:
        return f"#{self.pk}"

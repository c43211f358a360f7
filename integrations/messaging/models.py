"""Text messages: what Altegio asks to be sent, statuses on their way back, volumes, channels, replaced API keys."""

from django.db import models
from django.utils import timezone

from integrations.connections.models import Connection, Location, OfInstallation, Synced
from partner_portal.core.encryption import EncryptedTextField
from partner_portal.core.english import english as _
from partner_portal.core.json_field import JSONField


class SmsStatus(models.IntegerChoices):
    """docs/altegio.md §2, SMS status numbers."""

    DELIVERED = 1, _("delivered")
    NOT_DELIVERED = 2, _("not delivered")
    SENT_TO_PHONE = 4, _("sent to phone")
    HANDED_OVER = 8, _("handed to the operator")
    REJECTED = 16, _("rejected by the operator")
    NOT_ENOUGH_FUNDS = 52, _("not enough funds")


# On the way, and at the end: what comes on the way after the end says nothing any more.
PASSING = (SmsStatus.SENT_TO_PHONE, SmsStatus.HANDED_OVER)
FINAL = (SmsStatus.DELIVERED, SmsStatus.NOT_DELIVERED, SmsStatus.REJECTED, SmsStatus.NOT_ENOUGH_FUNDS)


class CallbackAddress(models.Model):
    """Where statuses go. The host is always one of Altegio's two; the token in the path is a placeholder."""

    class Host(models.TextChoices):
        APP = "app", "ALTEGIO_APP_URL"
        API = "api", "ALTEGIO_API_URL"

    host = models.CharField(max_length=3, choices=Host.choices)
    path = models.CharField(_("path"), max_length=500)

    class Meta:
        verbose_name = _("callback address")
        verbose_name_plural = _("callback addresses")
        constraints = [models.UniqueConstraint(fields=["host", "path"], name="one_callback_address")]

    def __str__(self) -> str:
        return f"{self.get_host_display()}{self.path}"


class RequestedMessage(models.Model):
    """A message that Altegio asks the partner to send to one number (docs/altegio.md §4a).

    Its `ext_id` on the wire is its key. Whoever sends it reads it by the API and reports its statuses.
    """

    class State(models.TextChoices):
        """How far it is, by its statuses (`integrations.messaging.message_states`)."""

        REQUESTED = "requested", _("to be sent")
        UNANSWERED = "unanswered", _("no final status came")
        HANDED_OVER = "handed_over", _("handed to the operator")
        SENT_TO_PHONE = "sent_to_phone", _("sent to phone")
        NOT_ENOUGH_FUNDS = "not_enough_funds", _("not enough funds")
        REJECTED = "rejected", _("rejected by the operator")
        NOT_DELIVERED = "not_delivered", _("not delivered")
        DELIVERED = "delivered", _("delivered")

    NOT_FINAL = (State.REQUESTED, State.HANDED_OVER, State.SENT_TO_PHONE)

    # The database does not check it for each row: the key was just read, and connections are kept.
    connection = models.ForeignKey(
        Connection, on_delete=models.PROTECT, db_constraint=False, related_name="requested_messages"
    )
    send_id = models.CharField(_("message id"), max_length=100)
    # Whether Altegio gave the id as a number: it gets it back as it gave it.
    id_is_number = models.BooleanField(default=False, editable=False)
    phone = EncryptedTextField(_("phone"))
    text = EncryptedTextField(_("text"))
    # Where its statuses go: a packed `Target`, without the partner token.
    callback = EncryptedTextField(editable=False)
    sender_name = models.CharField(_("sender name"), max_length=100)
    channel = models.CharField(_("channel"), max_length=40)
    category = models.CharField(_("category"), max_length=40)
    state = models.CharField(_("state"), max_length=16, choices=State.choices, default=State.REQUESTED)
    received_at = models.DateTimeField(_("received"), default=timezone.now)
    # Where it stands in the list of the API; null until somebody has read so far (`message_feed`).
    position = models.BigIntegerField(null=True, unique=True, editable=False)

    connection_id: int

    class Meta:
        verbose_name = _("requested message")
        verbose_name_plural = _("requested messages")
        constraints = [models.UniqueConstraint(fields=["send_id", "connection"], name="a_requested_message_once")]
        indexes = [
            models.Index(fields=["id"], condition=models.Q(position=None), name="requested_message_unplaced"),
            models.Index(fields=["state", "position"], name="requested_message_by_state"),
            models.Index(
                fields=["received_at"],
                condition=models.Q(state__in=("requested", "handed_over", "sent_to_phone")),
                name="requested_message_unanswered",
            ),
        ]

    def __str__(self) -> str:
        return f"#{self.pk}"

    @property
    def ext_id(self) -> str:
        return str(self.pk)

    @property
    def wire_id(self) -> str | int:
        """The send id as Altegio gave it."""
        return int(self.send_id) if self.id_is_number else self.send_id


class BatchState(models.TextChoices):
    """What became of a batch."""

    WAITING = "waiting", _("waiting")  # not accepted yet; it may have been sent
    SENT = "sent", _("sent")  # Altegio accepted it
    REFUSED = "refused", _("refused")  # Altegio refused its one status for good
    LEFT_OUT = "left_out", _("left out")  # a final status of the same message had come before: nothing was sent


class StatusBatch(models.Model):
    """Statuses that came together. Their state is here, so that no status row is ever written twice."""

    address = models.ForeignKey(CallbackAddress, on_delete=models.PROTECT, related_name="batches")
    state = models.CharField(_("state"), max_length=8, choices=BatchState.choices, default=BatchState.WAITING)
    # The place in the order of the address: its first status.
    first_id = models.BigIntegerField(default=0, editable=False)
    size = models.PositiveIntegerField(_("statuses"), default=0)
    # A part of a batch that was refused, or what comes after it: it goes alone, so that the wrong status is found.
    alone = models.BooleanField(default=False, editable=False)
    call = models.ForeignKey(
        "outbox.OutgoingCall", on_delete=models.SET_NULL, null=True, blank=True, related_name="status_batches"
    )
    # Waiting: nothing is sent before. On its way or sent: Altegio may be at it until then.
    rests_until = models.DateTimeField(null=True, blank=True, editable=False)
    # What the report held that could not be sent on: `[{"field", "message"}]`, as the API answered.
    warnings = JSONField(_("left out of the report"), null=True, blank=True, editable=False)
    tallied = models.BooleanField(default=False, editable=False)
    received_at = models.DateTimeField(_("received"), default=timezone.now)
    refusal = models.CharField(_("Altegio's reason"), max_length=500, blank=True)
    refusal_code = models.IntegerField(_("Altegio's code"), null=True, blank=True)

    class Meta:
        verbose_name = _("batch of message statuses")
        verbose_name_plural = _("batches of message statuses")
        indexes = [
            models.Index(
                fields=["address", "first_id", "id"],
                condition=models.Q(state=BatchState.WAITING),
                name="status_batch_waiting",
            ),
            models.Index(fields=["id"], condition=models.Q(tallied=False), name="status_batch_untallied"),
            models.Index(
                fields=["address", "rests_until"],
                condition=models.Q(rests_until__isnull=False),
                name="status_batch_resting",
            ),
            models.Index(fields=["received_at"], name="status_batch_by_age"),
            models.Index(fields=["-id"], condition=models.Q(state=BatchState.REFUSED), name="status_batch_refused"),
        ]

    def __str__(self) -> str:
        return f"#{self.pk}"


class MessageStatus(models.Model):
    """One status of one message. Written once; tens of millions of them, so every index counts."""

    # The database does not check it for each row: a quarter of what storing a thousand costs. A status is stored with
    # its batch, moved into a new one, and deleted before it.
    batch = models.ForeignKey(StatusBatch, on_delete=models.CASCADE, db_constraint=False, related_name="statuses")
    # The batch's own, here for the constraint below.
    address = models.ForeignKey(CallbackAddress, on_delete=models.PROTECT, db_index=False, db_constraint=False)
    message_id = models.CharField(_("message id"), max_length=100)
    # Whether Altegio gave the id as a number: it gets it back as it gave it.
    id_is_number = models.BooleanField(default=False, editable=False)
    status = models.SmallIntegerField(_("status"), choices=SmsStatus.choices)
    payment_sum = models.DecimalField(_("sum"), max_digits=18, decimal_places=6, null=True, blank=True)
    currency_iso = models.CharField(_("currency"), max_length=3, blank=True)
    parts_amount = models.PositiveSmallIntegerField(_("parts"), null=True, blank=True)
    location = models.ForeignKey(
        Location,
        on_delete=models.PROTECT,
        null=True,
        blank=True,
        db_index=False,
        db_constraint=False,
        related_name="+",
    )
    # Of a message that Altegio handed over here, which may be deleted before its statuses are.
    requested_message = models.ForeignKey(
        RequestedMessage,
        on_delete=models.DO_NOTHING,
        null=True,
        blank=True,
        editable=False,
        db_index=False,
        db_constraint=False,
        related_name="statuses",
    )

    class Meta:
        verbose_name = _("message status")
        verbose_name_plural = _("message statuses")
        constraints = [
            models.UniqueConstraint(fields=["message_id", "status", "address"], name="a_message_status_once")
        ]
        indexes = [
            models.Index(
                fields=["requested_message"],
                condition=models.Q(requested_message__isnull=False),
                name="status_of_requested_message",
            )
        ]

    def __str__(self) -> str:
        return f"{self.message_id}: {self.get_status_display()}"


class DailyVolume(models.Model):
    """How many statuses of a kind came in a day (UTC), and what the messages cost.

    A message has several statuses and its price may stand on more than one: sums are right within one
    status, and are not to be added up over statuses. `salon_id` is 0 where the caller named no location.
    """

    day = models.DateField(_("day"))
    salon_id = models.BigIntegerField(_("location"), default=0)
    status = models.SmallIntegerField(_("status"), choices=SmsStatus.choices)
    currency_iso = models.CharField(_("currency"), max_length=3, blank=True)
    messages = models.PositiveBigIntegerField(_("messages"), default=0)
    parts = models.PositiveBigIntegerField(_("parts"), default=0)
    cost = models.DecimalField(_("cost"), max_digits=24, decimal_places=6, default=0)

    class Meta:
        verbose_name = _("SMS volume of a day")
        verbose_name_plural = _("SMS volumes and cost")
        constraints = [
            models.UniqueConstraint(
                fields=["day", "salon_id", "status", "currency_iso"], name="one_volume_of_a_day_and_kind"
            )
        ]

    def __str__(self) -> str:
        return f"{self.day}: {self.get_status_display()}"


class ChannelSwitch(OfInstallation, Synced):
    """Whether a channel is offered at a location (docs/altegio.md §2, channel)."""

    class Slug(models.TextChoices):
        SMS = "sms", "SMS"
        WHATSAPP = "whatsapp", "WhatsApp"

    slug = models.CharField(_("channel"), max_length=8, choices=Slug.choices)
    is_available = models.BooleanField(_("available"))

    class Meta:
        verbose_name = _("channel")
        verbose_name_plural = _("channels")
        constraints = [models.UniqueConstraint(fields=["installation", "slug"], name="one_channel_switch")]
        indexes = [models.Index(fields=["id"], condition=models.Q(sync_state="queued"), name="channel_queued")]

    def __str__(self) -> str:
        return f"{self.get_slug_display()} · {self.installation.location}"


class ReplacedApiKey(OfInstallation):
    """A key that was replaced here while Altegio still sends with it: it got the first one, at activation."""

    api_key_hash = models.CharField(max_length=64, unique=True)
    replaced_at = models.DateTimeField(default=timezone.now)

    def __str__(self) -> str:
        return str(self.installation)


class SmsConnection(Connection):
    """A connection as the text messages' screens show it."""

    class Meta:
        proxy = True
        verbose_name = _("SMS connection")
        verbose_name_plural = _("SMS connections")

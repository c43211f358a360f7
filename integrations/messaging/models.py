"""Models of text messages: requested messages, their statuses, volumes, channel switches and replaced API keys."""

from django.db import models
from django.utils import timezone

from integrations.connections.models import Connection, Location, OfInstallation, Synced
from partner_portal.core.encryption import EncryptedTextField
from partner_portal.core.english import english as _
from partner_portal.core.json_field import JSONField


class SmsStatus(models.IntegerChoices):
    """Altegio's numbers for the status of a message (docs/altegio.md §2, SMS statuses)."""

    DELIVERED = 1, _("delivered")
    NOT_DELIVERED = 2, _("not delivered")
    SENT_TO_PHONE = 4, _("sent to phone")
    HANDED_OVER = 8, _("handed to the operator")
    REJECTED = 16, _("rejected by the operator")
    NOT_ENOUGH_FUNDS = 52, _("not enough funds")


# Statuses on the way, and final ones. A passing status that comes after a final one means nothing any more.
PASSING = (SmsStatus.SENT_TO_PHONE, SmsStatus.HANDED_OVER)
FINAL = (SmsStatus.DELIVERED, SmsStatus.NOT_DELIVERED, SmsStatus.REJECTED, SmsStatus.NOT_ENOUGH_FUNDS)


class CallbackAddress(models.Model):
    """An address for statuses at one of Altegio's two hosts, with a placeholder for the partner token in its path."""

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

    Its `ext_id` on the wire is its primary key. The partner's gateway reads it by the API and reports its statuses.
    """

    class State(models.TextChoices):
        """The progress of a message, by its statuses (`integrations.messaging.message_states`)."""

        REQUESTED = "requested", _("to be sent")
        UNANSWERED = "unanswered", _("no final status came")
        HANDED_OVER = "handed_over", _("handed to the operator")
        SENT_TO_PHONE = "sent_to_phone", _("sent to phone")
        NOT_ENOUGH_FUNDS = "not_enough_funds", _("not enough funds")
        REJECTED = "rejected", _("rejected by the operator")
        NOT_DELIVERED = "not_delivered", _("not delivered")
        DELIVERED = "delivered", _("delivered")

    NOT_FINAL = (State.REQUESTED, State.HANDED_OVER, State.SENT_TO_PHONE)

    # No database constraint, to save a check for each row: the key was just read, and connections are kept.
    connection = models.ForeignKey(
        Connection, on_delete=models.PROTECT, db_constraint=False, related_name="requested_messages"
    )
    send_id = models.CharField(_("message id"), max_length=100)
    # Whether Altegio sent the id as a number; it gets the id back in the same form.
    id_is_number = models.BooleanField(default=False, editable=False)
    phone = EncryptedTextField(_("phone"))
    text = EncryptedTextField(_("text"))
    # The address for its statuses: a packed `Target`, without the partner token.
    callback = EncryptedTextField(editable=False)
    sender_name = models.CharField(_("sender name"), max_length=100)
    channel = models.CharField(_("channel"), max_length=40)
    category = models.CharField(_("category"), max_length=40)
    state = models.CharField(_("state"), max_length=16, choices=State.choices, default=State.REQUESTED)
    received_at = models.DateTimeField(_("received"), default=timezone.now)
    # The position in the API's list; null until `message_feed` has placed the message.
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
        """The send id in the form in which Altegio sent it."""
        return int(self.send_id) if self.id_is_number else self.send_id


class BatchState(models.TextChoices):
    """The state of a batch of statuses."""

    WAITING = "waiting", _("waiting")  # not accepted yet; it may have been sent
    SENT = "sent", _("sent")  # Altegio accepted it
    REFUSED = "refused", _("refused")  # Altegio refused its one status for good
    LEFT_OUT = "left_out", _("left out")  # a final status of the same message had come before: nothing was sent


class StatusBatch(models.Model):
    """A batch of statuses that came together. It holds their state, so that status rows need no update for it."""

    address = models.ForeignKey(CallbackAddress, on_delete=models.PROTECT, related_name="batches")
    state = models.CharField(_("state"), max_length=8, choices=BatchState.choices, default=BatchState.WAITING)
    # The key of its first status, which orders the batches of an address.
    first_id = models.BigIntegerField(default=0, editable=False)
    size = models.PositiveIntegerField(_("statuses"), default=0)
    # A part of a refused batch, or statuses that queue behind one. It is sent alone, so that the wrong status is
    # found.
    alone = models.BooleanField(default=False, editable=False)
    call = models.ForeignKey(
        "outbox.OutgoingCall", on_delete=models.SET_NULL, null=True, blank=True, related_name="status_batches"
    )
    # A waiting batch is not sent before this moment; one that is on its way or sent may be processed until then.
    rests_until = models.DateTimeField(null=True, blank=True, editable=False)
    # The fields of the report that could not be forwarded: `[{"field", "message"}]`, as in the API's answer.
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
    """One status of one message. There are tens of millions of rows, so every index is expensive."""

    # No database constraint: checking each row takes a quarter of the time of storing a thousand. A status is stored
    # with its batch, moved only into a new one, and deleted before it.
    batch = models.ForeignKey(StatusBatch, on_delete=models.CASCADE, db_constraint=False, related_name="statuses")
    # A copy of the batch's address, needed for the constraint below.
    address = models.ForeignKey(CallbackAddress, on_delete=models.PROTECT, db_index=False, db_constraint=False)
    message_id = models.CharField(_("message id"), max_length=100)
    # Whether Altegio sent the id as a number; it gets the id back in the same form.
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
    # Set if Altegio handed the message over here; the message may be deleted before its statuses.
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

    @property
    def wire_id(self) -> str | int:
        """The message id in the form in which it was reported."""
        return int(self.message_id) if self.id_is_number else self.message_id


class DailyVolume(models.Model):
    """The number of statuses of a kind that came in a day (UTC), with the parts and the cost of their messages.

    A message has several statuses, and more than one may carry its price. So sums are right within one status and
    must not be added up over statuses. `salon_id` is 0 if the caller named no location.
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
    """A switch that says whether a channel is offered at a location (docs/altegio.md §2, channel)."""

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
    """An API key that was replaced here but that Altegio, which got it at activation, still uses."""

    api_key_hash = models.CharField(max_length=64, unique=True)
    replaced_at = models.DateTimeField(default=timezone.now)

    def __str__(self) -> str:
        return str(self.installation)


class SmsConnection(Connection):
    """A proxy of Connection for the admin pages of text messages."""

    class Meta:
        proxy = True
        verbose_name = _("SMS connection")
        verbose_name_plural = _("SMS connections")

"""Models of payments for connections, and of what Altegio offers for paying: tariffs, payment links, discounts."""

from decimal import Decimal

from django.conf import settings
from django.db import models
from django.utils import timezone

from billing.money import MAX_DECIMALS, MAX_DIGITS, PERCENT_DECIMALS, PERCENT_DIGITS, exact, plain_percent
from integrations.connections.models import Application, Connection, Location, OfInstallation
from integrations.outbox.models import OutgoingCall
from partner_portal.core.english import english as _
from partner_portal.core.updated_at import UpdatedAt


class PaymentStatus(models.TextChoices):
    """The state of a payment (docs/interface.md)."""

    QUEUED = "queued", _("queued")  # to be reported; Altegio has not confirmed it
    REPORTED = "reported", _("reported")  # Altegio holds it, under `altegio_payment_id`
    FAILED = "failed", _("failed")  # Altegio refused it; it may be corrected and sent again
    REFUND_QUEUED = "refund_queued", _("refund queued")  # a refund was requested; Altegio has not confirmed it
    REFUNDED = "refunded", _("refunded")  # Altegio holds it as refunded
    CANCELLED = "cancelled", _("cancelled")  # refunded before Altegio ever held it


class Source(models.TextChoices):
    """Where a payment was reported from."""

    API = "api", _("billing system")
    ADMIN = "admin", _("staff")
    FILE = "file", _("imported file")
    ALTEGIO = "altegio", _("collected by Altegio")  # never reported back


# The content of a payment, which a correction may change.
CONTENT = ("amount", "currency", "paid_at", "period_from", "period_to")


class Payment(UpdatedAt):
    """One payment for one application at one location, and its refund if there is one.

    Times are stored to the second, as they are sent; both ends of the period belong to it.
    """

    # The partner's own id. Many rows may have none; ids are unique.
    external_id = models.CharField(_("external id"), max_length=200, unique=True, null=True, blank=True)
    # The content last reported under `external_id`; a correction by staff does not change it.
    content_digest = models.CharField(max_length=64, blank=True, editable=False)
    source = models.CharField(_("told by"), max_length=8, choices=Source.choices)
    connection = models.ForeignKey(Connection, on_delete=models.PROTECT, related_name="payments")
    application = models.ForeignKey(Application, on_delete=models.PROTECT, related_name="payments")
    location = models.ForeignKey(Location, on_delete=models.PROTECT, related_name="payments")
    amount = models.DecimalField(_("amount"), max_digits=MAX_DIGITS, decimal_places=MAX_DECIMALS)
    currency = models.CharField(_("currency"), max_length=3)
    paid_at = models.DateTimeField(_("paid"))
    period_from = models.DateTimeField(_("period from"))
    period_to = models.DateTimeField(_("period to"))
    status = models.CharField(_("status"), max_length=13, choices=PaymentStatus.choices, default=PaymentStatus.QUEUED)
    error = models.CharField(_("error"), max_length=500, blank=True)
    altegio_payment_id = models.BigIntegerField(_("Altegio's payment id"), null=True, blank=True)
    discount = models.DecimalField(_("discount, %"), max_digits=5, decimal_places=2, null=True, blank=True)
    # How many times its report, and its refund, was queued: each time has its own outgoing call.
    report_round = models.PositiveSmallIntegerField(default=0, editable=False)
    refund_round = models.PositiveSmallIntegerField(default=0, editable=False)
    recorded_at = models.DateTimeField(_("recorded"), default=timezone.now)
    recorded_by = models.ForeignKey(
        settings.AUTH_USER_MODEL, on_delete=models.SET_NULL, null=True, blank=True, related_name="+"
    )
    reported_at = models.DateTimeField(_("reported"), null=True, blank=True)
    refund_asked_at = models.DateTimeField(_("refund asked"), null=True, blank=True)
    refunded_at = models.DateTimeField(_("refunded"), null=True, blank=True)

    connection_id: int

    class Meta(UpdatedAt.Meta):
        verbose_name = _("payment")
        verbose_name_plural = _("payments")
        permissions = [("refund_payment", "Can refund payments")]
        constraints = [
            models.UniqueConstraint(
                fields=["application", "altegio_payment_id"], name="one_payment_with_an_id_of_altegio"
            ),
            models.CheckConstraint(condition=models.Q(amount__gte=0), name="payment_not_negative"),
            models.CheckConstraint(
                condition=models.Q(period_to__gte=models.F("period_from")), name="payment_period_in_order"
            ),
            models.CheckConstraint(
                condition=~models.Q(status__in=("reported", "refunded")) | models.Q(altegio_payment_id__isnull=False),
                name="payment_at_altegio_has_its_id",
            ),
        ]
        indexes = [
            models.Index(fields=["application", "location", "period_to"], name="payment_by_period"),
            models.Index(fields=["status", "-id"], name="payment_by_status"),
            models.Index(fields=["updated_at"], name="payment_by_change"),
            models.Index(fields=["-paid_at"], name="payment_newest_paid"),
            models.Index(
                fields=["altegio_payment_id"],
                condition=models.Q(altegio_payment_id__isnull=False),
                name="payment_by_id_of_altegio",
            ),
        ]

    def __str__(self) -> str:
        return f"#{self.pk}: {self.exact_amount} {self.currency}"

    @property
    def exact_amount(self) -> Decimal:
        """The amount with the currency's own number of decimals."""
        return exact(self.amount, self.currency)

    @property
    def report_key(self) -> str:
        """The key of the newest call that reports it."""
        return f"payment:{self.pk}:{self.report_round}"

    @property
    def refund_key(self) -> str:
        """The key of the newest call that refunds it."""
        return f"refund:{self.pk}:{self.refund_round}"

    def calls(self) -> "models.QuerySet[OutgoingCall]":
        """Return all calls to Altegio about this payment, oldest first."""
        keys = [f"payment:{self.pk}:{number}" for number in range(1, self.report_round + 1)]
        keys += [f"refund:{self.pk}:{number}" for number in range(1, self.refund_round + 1)]
        return OutgoingCall.objects.filter(key__in=keys).order_by("pk")


class PaymentChange(models.Model):
    """The record that a failed payment was sent again: why it had failed, and its content before."""

    payment = models.ForeignKey(Payment, on_delete=models.CASCADE, related_name="changes")
    at = models.DateTimeField(_("when"), default=timezone.now)
    source = models.CharField(_("told by"), max_length=8, choices=Source.choices)
    by = models.ForeignKey(settings.AUTH_USER_MODEL, on_delete=models.SET_NULL, null=True, related_name="+")
    error = models.CharField(_("why it had failed"), max_length=500, blank=True)
    application = models.ForeignKey(Application, on_delete=models.PROTECT, related_name="+")
    location = models.ForeignKey(Location, on_delete=models.PROTECT, related_name="+")
    amount = models.DecimalField(_("amount"), max_digits=MAX_DIGITS, decimal_places=MAX_DECIMALS)
    currency = models.CharField(_("currency"), max_length=3)
    paid_at = models.DateTimeField(_("paid"))
    period_from = models.DateTimeField(_("period from"))
    period_to = models.DateTimeField(_("period to"))

    class Meta:
        verbose_name = _("change of a payment")
        verbose_name_plural = _("changes of payments")
        ordering = ["pk"]

    def __str__(self) -> str:
        return f"{self.payment_id}: {exact(self.amount, self.currency)} {self.currency}"


class TariffOption(models.Model):
    """One way to pay through Altegio, as its tariffs call reports it."""

    application = models.ForeignKey(Application, on_delete=models.CASCADE, related_name="tariff_options")
    altegio_id = models.BigIntegerField(_("Altegio's option id"))
    tariff_title = models.CharField(_("tariff"), max_length=300, blank=True)
    title = models.CharField(_("option"), max_length=300, blank=True)
    price = models.DecimalField(_("price"), max_digits=MAX_DIGITS, decimal_places=MAX_DECIMALS, null=True, blank=True)
    currency = models.CharField(_("currency"), max_length=3, blank=True)
    months = models.PositiveSmallIntegerField(_("months"), null=True, blank=True)
    staff_amount = models.PositiveIntegerField(_("staff members"), null=True, blank=True)
    free_months = models.PositiveSmallIntegerField(_("free months"), null=True, blank=True)
    fetched_at = models.DateTimeField(_("fetched"), default=timezone.now)

    class Meta:
        verbose_name = _("tariff option")
        verbose_name_plural = _("tariff options")
        constraints = [models.UniqueConstraint(fields=["application", "altegio_id"], name="one_tariff_option")]

    def __str__(self) -> str:
        price = "" if self.price is None else f"{self.price.normalize():f} {self.currency}"
        return " · ".join(part for part in (self.tariff_title, self.title, price) if part)


class OfferState(models.TextChoices):
    """How far Altegio knows what was decided here."""

    QUEUED = "queued", _("queued")
    SYNCED = "synced", _("done")
    FAILED = "failed", _("failed")


class PaymentLink(models.Model):
    """The address where the owner pays one tariff option at Altegio; it is requested, and comes later."""

    connection = models.ForeignKey(Connection, on_delete=models.CASCADE, related_name="payment_links")
    option = models.ForeignKey(TariffOption, on_delete=models.CASCADE, related_name="links")
    discount = models.DecimalField(
        _("discount, %"), max_digits=PERCENT_DIGITS, decimal_places=PERCENT_DECIMALS, default=0
    )
    state = models.CharField(_("state"), max_length=8, choices=OfferState.choices, default=OfferState.QUEUED)
    url = models.URLField(_("address"), max_length=2000, blank=True)
    error = models.CharField(_("error"), max_length=500, blank=True)
    asked_at = models.DateTimeField(_("asked"), default=timezone.now)

    class Meta:
        verbose_name = _("payment link")
        verbose_name_plural = _("payment links")
        constraints = [models.UniqueConstraint(fields=["connection", "option", "discount"], name="one_payment_link")]
        indexes = [models.Index(fields=["id"], condition=models.Q(state="queued"), name="payment_link_queued")]

    def __str__(self) -> str:
        return f"{self.connection}: {self.option}"


class Discount(models.Model):
    """The discount that staff gave a location at Altegio, in percent; 0 takes it away."""

    connection = models.OneToOneField(Connection, on_delete=models.CASCADE, related_name="discount")
    percent = models.DecimalField(_("discount, %"), max_digits=PERCENT_DIGITS, decimal_places=PERCENT_DECIMALS)
    state = models.CharField(_("state"), max_length=8, choices=OfferState.choices, default=OfferState.QUEUED)
    error = models.CharField(_("error"), max_length=500, blank=True)
    changed_at = models.DateTimeField(_("changed"), default=timezone.now)

    class Meta:
        verbose_name = _("discount")
        verbose_name_plural = _("discounts")
        constraints = [
            models.CheckConstraint(condition=models.Q(percent__gte=0, percent__lte=100), name="discount_up_to_all")
        ]
        indexes = [models.Index(fields=["id"], condition=models.Q(state="queued"), name="discount_queued")]

    def __str__(self) -> str:
        return f"{self.connection}: {plain_percent(self.percent)} %"


class PeriodNotice(OfInstallation):
    """The record that the end of a trial or paid period was reported: once, whichever worker does it."""

    class Kind(models.TextChoices):
        ENDING = "ending", _("ends soon")
        OVERDUE = "overdue", _("has ended unpaid")

    kind = models.CharField(_("kind"), max_length=7, choices=Kind.choices)
    ends_at = models.DateTimeField(_("end"))
    noted_at = models.DateTimeField(_("noted"), default=timezone.now)

    class Meta:
        verbose_name = _("noted end of a period")
        verbose_name_plural = _("noted ends of periods")
        constraints = [
            models.UniqueConstraint(fields=["installation", "kind", "ends_at"], name="one_notice_of_a_period")
        ]

    def __str__(self) -> str:
        return f"{self.kind} {self.ends_at:%Y-%m-%d}"


class MonthlyFigures(models.Model):
    """The figures of one month (in UTC) by application and country (`billing/figures/months.py`).

    They repeat what connections and payments say. A row of the last twelve months may be deleted: it is counted
    again.
    """

    month = models.DateField(primary_key=True)  # its first day
    places = models.JSONField(default=list)
    # Whether the figures are final, because nothing that counts for the month can still come.
    is_settled = models.BooleanField(default=False)
    counted_at = models.DateTimeField(default=timezone.now)

    def __str__(self) -> str:
        return f"{self.month:%Y-%m}"


class Subscription(Connection):
    """A connection as billing sees it: until when it is paid."""

    class Meta:
        proxy = True
        verbose_name = _("subscription")
        verbose_name_plural = _("subscriptions")

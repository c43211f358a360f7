"""Application: one of the partner's offers on the Marketplace."""

from typing import Any
from urllib.parse import parse_qs, urlsplit

from django.conf import settings
from django.core.exceptions import ValidationError
from django.core.validators import URLValidator
from django.db import models

from integrations.connections.models.brand_logo import BrandLogo
from partner_portal.core.bidi import embedded
from partner_portal.core.brand import MAX_NAME, parse_name
from partner_portal.core.colors import parse_color
from partner_portal.core.english import english as _
from partner_portal.core.json_field import JSONField


def parse_handover_url(text: str) -> str:
    """Return the address unchanged. Raises ValueError if no token may be sent to it."""
    address = urlsplit(text)
    if address.scheme != "https" and not settings.EVENTS_ALLOW_PRIVATE:
        raise ValueError("Write an https address.")
    if not address.hostname or address.username is not None or address.fragment or not text.isprintable():
        raise ValueError("Write it with its host, without a user, a password or what follows a #.")
    if not address.netloc.isascii():
        # The host becomes part of the pages' Content-Security-Policy, and a non-ASCII character would invalidate that
        # header.
        raise ValueError("Write its host as programs do, in Latin letters (xn--…).")
    if "token" in parse_qs(address.query, keep_blank_values=True):
        raise ValueError("The portal itself writes `token` into its query: leave it out.")
    return text


class Application(models.Model):
    """An application as registered in Altegio's developer account; it defines what is sent at activation."""

    class Kind(models.TextChoices):
        SMS = "sms", _("SMS aggregator")
        TELEPHONY = "telephony", _("IP telephony")
        CHAT_BOT = "chat_bot", _("Chat bot")
        OTHER = "other", _("Other")

    class Channel(models.TextChoices):
        SMS = "sms", "SMS"
        WHATSAPP = "whatsapp", "WhatsApp"

    class PaidThrough(models.TextChoices):
        """Where "Pay" leads an owner."""

        ALTEGIO = "altegio", _("Altegio's tariffs and payment links")
        ADDRESS = "address", _("an address of your own")
        NOTHING = "nothing", _("nothing: no way to pay is shown")

    altegio_id = models.BigIntegerField(_("Altegio's application id"), unique=True)
    name = models.CharField(_("name"), max_length=200, blank=True)
    kind = models.CharField(_("kind"), max_length=16, choices=Kind.choices, default=Kind.SMS)
    hold_activations = models.BooleanField(
        _("hold activations back"),
        default=False,
        help_text=_("For Altegio's moderators: activation calls wait until staff release them."),
    )
    is_personal_data_access_needed = models.BooleanField(
        _("personal data access needed"),
        default=False,
        db_default=False,
        help_text=_(
            "As set in Altegio's developer account. Altegio then says, signed, who presses Connect, and an arrival "
            "without that signature connects nothing: the safest way, because nobody else can be taken for the owner."
        ),
    )
    chat_url = models.URLField(_("chat address"), blank=True, help_text=_("Sent at activation when set."))
    tips_url = models.URLField(_("tips address"), blank=True, help_text=_("Sent at activation when set."))
    trial_days = models.PositiveSmallIntegerField(
        _("days of trial"),
        null=True,
        blank=True,
        default=14,
        help_text=_("As set in Altegio's developer account, which does not tell it. Empty: there is no trial."),
    )
    # The days by which the trials of its live connections are counted; billing applies a change of `trial_days` to
    # them.
    trial_days_followed = models.PositiveSmallIntegerField(null=True, editable=False)
    channels = JSONField(
        _("channels"),
        default=list,
        blank=True,
        help_text=_("Sent at activation when set."),
    )
    takes_messages = models.BooleanField(
        _("takes messages"),
        default=False,
        db_default=False,
        help_text=_(
            "Altegio hands messages over to the address that `doctor` prints, once it has agreed to it. Your own "
            "system reads them by the API and reports their statuses."
        ),
    )
    handover_url = models.URLField(
        _("cabinet's address"),
        max_length=500,
        blank=True,
        default="",
        db_default="",
        help_text=_("Where a button leads owners, with a token that says who they are (docs/handover.md)."),
    )
    # Its brand; an empty field falls back to the portal's (`integrations/connections/brand.py`).
    brand_name = models.CharField(_("brand: name"), max_length=MAX_NAME, blank=True, default="", db_default="")
    brand_logo = models.ForeignKey(
        BrandLogo, on_delete=models.PROTECT, null=True, blank=True, related_name="+", verbose_name=_("brand: logo")
    )
    brand_color = models.CharField(
        _("brand: color"), max_length=7, blank=True, default="", db_default="", help_text=_("For example #1f5c99.")
    )
    brand_support_email = models.EmailField(_("brand: support e-mail"), blank=True, default="", db_default="")
    brand_support_url = models.URLField(_("brand: support page"), blank=True, default="", db_default="")
    brand_terms_url = models.URLField(_("brand: terms of use"), blank=True, default="", db_default="")
    brand_privacy_url = models.URLField(_("brand: privacy policy"), blank=True, default="", db_default="")
    paid_through = models.CharField(
        _("owners pay through"),
        max_length=8,
        choices=PaidThrough.choices,
        default=PaidThrough.ALTEGIO,
        db_default=PaidThrough.ALTEGIO,
        help_text=_('What "Pay" opens on the owners\' pages and in their e-mails.'),
    )
    payment_address = models.CharField(
        _("address to pay at"),
        max_length=500,
        blank=True,
        default="",
        db_default="",
        help_text=_("https; {salon_id} and {connection_id} stand for the location's number and the connection's id."),
    )
    tells_owners_of_periods = models.BooleanField(
        _("tells owners about payment"),
        default=True,
        db_default=True,
        help_text=_(
            "Owners get an e-mail SUBSCRIPTION_WARNING_DAYS before a trial or a paid period ends, and when Altegio "
            "freezes the location. Your own systems are told in any case."
        ),
    )

    class Meta:
        verbose_name = _("application")
        verbose_name_plural = _("applications")

    def __str__(self) -> str:
        return embedded(self.name) or f"#{self.altegio_id}"

    def clean(self) -> None:
        if self.paid_through == self.PaidThrough.ADDRESS:
            _check_address(self.payment_address)
        for field, parse in (
            ("brand_name", parse_name),
            ("brand_color", parse_color),
            ("handover_url", parse_handover_url),
        ):
            try:
                setattr(self, field, parse(getattr(self, field)) if getattr(self, field) else "")
            except ValueError as error:
                raise ValidationError({field: str(error)}) from error

    @property
    def shown_name(self) -> str:
        """The name that owners know: its own, or else the brand's; never its number."""
        return embedded(self.name or self.brand_name or settings.BRAND.name)

    def address_to_pay(self, salon_id: int, connection_id: int) -> str:
        """Return the partner's own address where a location's owner pays; "" if owners pay otherwise."""
        has_own = self.paid_through == self.PaidThrough.ADDRESS
        return _fill(self.payment_address, salon_id, connection_id) if has_own else ""

    @property
    def gets_api_key(self) -> bool:
        """Whether Altegio gets a key with which it sends messages through an aggregator or chat bot.

        See docs/altegio.md §2, activate.
        """
        return self.kind in (self.Kind.SMS, self.Kind.CHAT_BOT)

    @property
    def activation_extras(self) -> dict[str, Any]:
        """The optional fields of the activation call that are the same for every location."""
        extras = {"chat_url": self.chat_url, "tips_url": self.tips_url, "channels": self.channels}
        return {name: value for name, value in extras.items() if value}


def _fill(address: str, salon_id: int, connection_id: int) -> str:
    return address.replace("{salon_id}", str(salon_id)).replace("{connection_id}", str(connection_id))


def _check_address(address: str) -> None:
    filled = _fill(address, 1, 1)
    try:
        URLValidator(schemes=["https"])(filled)
    except ValidationError:
        filled = "{"
    if set(filled) & set("{}"):
        wanted = _("Write an https address, with no braces but those of {salon_id} and {connection_id}.")
        raise ValidationError({"payment_address": wanted})


def application_for(altegio_id: int | None = None) -> Application | None:
    """Return the application served at `/connect/<altegio_id>/`; without an id, the default one.

    The default (`ALTEGIO_APPLICATION_ID`) needs no row: it is created on first use. Return None if there is no such
    application.
    """
    wanted = settings.ALTEGIO_APPLICATION_ID if altegio_id is None else altegio_id
    if wanted is None:
        return None
    found = Application.objects.filter(altegio_id=wanted).first()
    if found is None and wanted == settings.ALTEGIO_APPLICATION_ID:
        found, _made = Application.objects.get_or_create(altegio_id=wanted)
    return found

"""Staff's forms for payments, links and discounts: they use the API's parser and the API's rules."""

from typing import Any, cast

from django import forms

from billing.intake import Overlap, PaymentConflictError, check_payment
from billing.models import Discount, Payment, PaymentLink
from billing.money import PERCENT_DECIMALS, PERCENT_DIGITS
from billing.parsing import InvalidPaymentError, PaymentData, read_payment
from integrations.connections.models import LIVE, Connection
from partner_portal.core.english import english as _

MOMENTS = ("paid_at", "period_from", "period_to")


class PaymentForm(forms.ModelForm[Payment]):
    """A form to record a payment, or to correct one that failed; `payment_data` holds its data once it is valid."""

    salon_id = forms.CharField(label=_("Altegio's location id"), max_length=18)
    application_id = forms.CharField(label=_("Altegio's application id"), max_length=18, required=False)
    amount = forms.CharField(label=_("amount"), max_length=20, help_text=_("Plain digits, for example 990.99"))
    allow_overlap = forms.BooleanField(
        label=_("The period may overlap that of an earlier payment"), required=False, initial=False
    )
    payment_data: PaymentData

    class Meta:
        model = Payment
        fields = ("external_id", "currency", *MOMENTS)
        help_texts = {
            "currency": _("ISO 4217, for example EUR"),
            "period_to": _("It belongs to the period, as its beginning does. All times are in UTC."),
        }

    def __init__(self, *args: Any, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        payment = self.instance
        if payment.pk:
            self.initial["amount"] = str(payment.exact_amount)
            self.initial["salon_id"] = payment.location.altegio_id
            self.initial["application_id"] = payment.application.altegio_id
            for name in {"external_id", "salon_id", "application_id", "allow_overlap"} & self.fields.keys():
                self.fields[name].disabled = True

    def clean(self) -> dict[str, Any]:
        values = {**self.cleaned_data}
        raw: dict[str, object] = values | {name: values[name].isoformat() for name in MOMENTS if values.get(name)}
        raw |= {name: str(values[name]) for name in ("salon_id", "application_id") if values.get(name)}
        try:
            self.payment_data = read_payment(raw, needs_external_id=False)
            if not self.instance.pk:
                check_payment(self.payment_data, Overlap.ALLOW if values.get("allow_overlap") else Overlap.REFUSE)
        except InvalidPaymentError as problem:
            for name, texts in problem.errors.items():
                if name not in self.errors:
                    self.add_error(name, cast("Any", texts))
        except PaymentConflictError as problem:
            self.add_error("external_id", str(problem))
        return self.cleaned_data


class LinkForm(forms.ModelForm[PaymentLink]):
    """A form to request the address where an owner pays."""

    class Meta:
        model = PaymentLink
        fields = ("connection", "option", "discount")

    def clean(self) -> dict[str, Any]:
        connection, option = self.cleaned_data.get("connection"), self.cleaned_data.get("option")
        if connection and connection.state not in LIVE:
            self.add_error("connection", _("Choose a connected location."))
        elif connection and option and option.application_id != connection.application_id:
            self.add_error("option", _("This option belongs to another application."))
        if not 0 <= (self.cleaned_data.get("discount") or 0) <= 100:
            self.add_error("discount", _("Write 0 to 100 percent."))
        return self.cleaned_data

    def validate_unique(self) -> None:
        """Allow the same link again: it is then requested again."""

    def validate_constraints(self) -> None:
        """Allow the same link again, as in `validate_unique`."""


class DiscountForm(forms.ModelForm[Discount]):
    """A form to give a connected location a discount; the newest one counts."""

    percent = forms.DecimalField(
        label=_("discount, %"),
        min_value=0,
        max_value=100,
        max_digits=PERCENT_DIGITS,
        decimal_places=PERCENT_DECIMALS,
    )

    class Meta:
        model = Discount
        fields = ("connection", "percent")

    def clean_connection(self) -> Connection:
        connection: Connection = self.cleaned_data["connection"]
        if connection.state not in LIVE:
            raise forms.ValidationError(_("Choose a connected location."))
        return connection

    def validate_unique(self) -> None:
        """Allow a second discount: it replaces the present one."""

"""The form of an exchange webhook: for each of the portal's fields, the lines that say where the exchange has it."""

from typing import Any

from django import forms
from django.core.exceptions import ValidationError
from django_stubs_ext import StrOrPromise

from integrations.connections.location_field import LocationNumberField
from integrations.connections.models import Location
from integrations.telephony.exchange_lines import read_rule, write_rule
from integrations.telephony.exchange_mappings import InvalidMappingError, apply_mapping, check_mapping, word_of
from integrations.telephony.exchange_presets import PRESETS, TITLES
from integrations.telephony.exchange_webhooks import read_webhook_body
from integrations.telephony.models import ExchangeWebhook
from integrations.telephony.reading import (
    NEEDED_ENDED,
    NEEDED_RINGING,
    RINGING,
    InvalidCallError,
    read_ended,
    read_ringing,
)
from integrations.telephony.reading_rules import ReadingRules, rules_of
from partner_portal.core.clean import InvalidJsonError
from partner_portal.core.english import english as _

# The prefix of the form fields that hold the mapping.
OF_MAPPING = "map_"
NEEDED = _("Say where the exchange has it, or what it always is (= …): without it every call is refused.")
NO_PLACE = _("Name the location, or say below where the exchange names it: else every call is refused.")


def _rule_field(label: StrOrPromise, help_text: StrOrPromise, rows: int = 2) -> forms.CharField:
    widget = forms.Textarea(attrs={"rows": rows, "class": "lines", "spellcheck": "false"})
    return forms.CharField(label=label, help_text=help_text, required=False, widget=widget)


class ExchangeWebhookForm(forms.ModelForm):  # type: ignore[type-arg]  # the stubs' class takes a type, Django's does not
    """A mapping, and a sample body to try it on. The sample is not stored, because it holds clients' numbers."""

    location = LocationNumberField(
        label=_("Location"),
        required=False,
        help_text=_("Its number at Altegio. Whose calls these are; without one the exchange must name it below."),
    )
    begin_with = forms.ChoiceField(
        label=_("Exchange"),
        required=False,
        choices=[("", _("another one")), *TITLES.items()],
        help_text=_("A known one fills in what is left empty below. Compare it with what yours sends."),
    )
    map_phone = _rule_field(_("client's number"), _("Needed: who calls, or is called."), rows=3)
    map_diversion = _rule_field(_("called number"), _("Needed: your line, or the extension."), rows=3)
    map_call_id = _rule_field(_("call id"), _("The exchange's own. It keeps a call from being saved twice."))
    map_type = _rule_field(_("type"), _("Needed for an ended call: incoming, outgoing or internal."), rows=4)
    map_status = _rule_field(_("status"), _("success or missed; common words of exchanges are known."))
    map_duration = _rule_field(_("duration"), _("In seconds."))
    map_date = _rule_field(_("time of the call"), _("A date with or without a zone, or seconds since 1970."))
    map_user = _rule_field(_("user"), _("Who took the call."))
    map_link = _rule_field(_("recording"), _("Its address."))
    map_salon_id = _rule_field(_("location's number"), _("Where one webhook tells of several locations."))
    map_salon_group_id = _rule_field(_("chain's number"), _("Where the location is not known."))
    sample = forms.CharField(
        label=_("What the exchange sends"),
        required=False,
        widget=forms.Textarea(attrs={"rows": 8, "class": "lines", "spellcheck": "false"}),
        help_text=_("JSON or a form. Nothing of it is kept, and Altegio is told nothing."),
    )
    tried: list[str]

    class Meta:
        model = ExchangeWebhook
        fields = ("name", "location", "rings")
        error_messages = {"name": {"invalid": _("It stands in the address: write letters, digits, - and _ alone.")}}

    def __init__(self, *args: Any, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        for name, rule in self.instance.mapping.items():
            self.initial[OF_MAPPING + name] = write_rule(rule)

    def clean(self) -> dict[str, Any]:
        cleaned = super().clean() or {}
        self.tried = []
        rings = bool(cleaned.get("rings"))
        mapping = self._begun(cleaned, rings=rings) | self._written(cleaned, rings=rings)
        if not mapping and not self.errors:
            raise ValidationError(_("Say below where the exchange has the client's number and the called one."))
        self._check_is_whole(mapping, cleaned.get("location"), rings=rings)
        self.instance.mapping = mapping
        sample = cleaned.get("sample")
        if sample and not self.errors:
            try:
                self.tried = tried(mapping, sample, cleaned.get("location"), rings=rings)
            except InvalidJsonError as wrong:
                raise ValidationError({"sample": str(wrong)}) from None
        return cleaned

    def _check_is_whole(self, mapping: dict[str, Any], location: Location | None, *, rings: bool) -> None:
        """Add an error for each missing rule without which every call would be refused."""
        if self.errors:
            return
        for name in NEEDED_RINGING if rings else NEEDED_ENDED:
            if name not in mapping:
                self.add_error(OF_MAPPING + name, NEEDED)
        if location is None and not mapping.keys() & {"salon_id", "salon_group_id"}:
            self.add_error("location", NO_PLACE)

    def _begun(self, cleaned: dict[str, Any], *, rings: bool) -> dict[str, Any]:
        preset = PRESETS.get(cleaned.get("begin_with") or "", {})
        return {name: rule for name, rule in preset.items() if not rings or name in RINGING}

    def _written(self, cleaned: dict[str, Any], *, rings: bool) -> dict[str, Any]:
        """Return the rules that staff wrote; add an error to the field of each invalid one."""
        rules: dict[str, Any] = {}
        for field in [name for name in self.fields if name.startswith(OF_MAPPING)]:
            name = field.removeprefix(OF_MAPPING)
            try:
                if (rule := read_rule(cleaned.get(field, ""))) is not None:
                    check_mapping({name: rule}, rings=rings)
                    rules[name] = rule
            except InvalidMappingError as wrong:
                self.add_error(field, str(wrong))
        return rules


def tried(mapping: dict[str, Any], sample: str, location: Location | None, *, rings: bool) -> list[str]:
    """Return lines that show staff what a sample body would become; store nothing. Raises InvalidJsonError."""
    mapped = apply_mapping(mapping, read_webhook_body(sample.encode()))
    rules = rules_of(location) if location is not None else ReadingRules()
    lines = [_("Found: %s") % _shown(mapped)]
    try:
        call = (read_ringing if rings else read_ended)(mapped, rules)
    except InvalidCallError as bad:
        return lines + [f"{name}: {' '.join(problems)}" for name, problems in bad.problems.items()]
    return [
        *lines,
        _("Told: %s") % _shown(call.payload),
        *(f"{item['field']}: {item['message']}" for item in call.warnings),
    ]


def _shown(fields: dict[str, Any]) -> str:
    return " · ".join(f"{name} {word_of(value)}" for name, value in fields.items())

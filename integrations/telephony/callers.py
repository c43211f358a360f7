"""Whose telephone exchange is calling: the chain that a request names, and the token that it goes out under."""

from dataclasses import dataclass

from integrations.connections.models import Chain, Location
from integrations.telephony.chains import is_spoken_for, proven_chains
from integrations.telephony.reading_rules import ReadingRules, rules_of, rules_of_chain
from partner_portal.core.english import english as _


class UnknownCallerError(LookupError):
    """No such chain or location here; `str()` says which is missing."""


class TelephonyNotConnectedError(Exception):
    """The place is known, but it is not known under which CRM token to tell of its calls; `str()` says why."""


@dataclass(frozen=True)
class Caller:
    """A chain, the location where one was named, and how its exchange's words are read."""

    chain: Chain
    location: Location | None
    rules: ReadingRules


def caller_of(salon_group_id: int | None, salon_id: int | None) -> Caller:
    """A location's own chain, or the one with this number. Raises UnknownCallerError and NotConnected."""
    location = None
    if salon_id is not None:
        location = Location.objects.select_related("chain").filter(altegio_id=salon_id).first()
    chain = location.chain if location is not None else None
    if location is not None and chain is None and is_spoken_for(location):
        raise _not_yet()
    if chain is None and salon_group_id is not None:
        chain = _chain_numbered(salon_group_id)
    if chain is None and location is not None:
        raise UnknownCallerError(_("This location has connected no telephony."))
    if chain is None:
        raise UnknownCallerError(_("This chain or location is not known here."))
    if salon_group_id not in (None, chain.altegio_id):
        raise UnknownCallerError(_("This location does not belong to this chain: name one of the two."))
    if not chain.crm_token:
        raise _not_yet()
    return Caller(chain, location, rules_of_chain(chain) if location is None else rules_of(location))


def _not_yet() -> TelephonyNotConnectedError:
    return TelephonyNotConnectedError(_("This chain has not connected its telephony yet."))


def _chain_numbered(altegio_id: int) -> Chain | None:
    """The chain of this number; where several brought a token for it, the one that staff have confirmed."""
    with_number = Chain.objects.filter(altegio_id=altegio_id).order_by("crm_token_hash", "pk")
    proven = list(proven_chains(altegio_id).order_by("pk")[:2]) or list(with_number.exclude(crm_token_hash="")[:2])
    if len(proven) < 2:
        return proven[0] if proven else with_number.first()
    confirmed = with_number.filter(is_confirmed=True).first()
    if confirmed is None:
        raise TelephonyNotConnectedError(
            _("Several accounts have connected this chain with different keys: name the location in salon_id.")
        )
    return confirmed

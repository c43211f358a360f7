"""Lookup of the chain or location that an exchange's request names, which decides the CRM token for its calls."""

from dataclasses import dataclass

from django.db.models import Case, QuerySet, When

from integrations.connections.models import Chain, Location
from integrations.telephony.chains import is_proven
from integrations.telephony.reading_rules import ReadingRules, rules_of, rules_of_chain
from integrations.telephony.speakers import is_spoken_for
from partner_portal.core.english import english as _
from partner_portal.core.fast_query import Rows


class UnknownCallerError(LookupError):
    """Raised when the named chain or location is unknown here; `str()` says which."""


class TelephonyNotConnectedError(Exception):
    """Raised when the chain or location is known, but the CRM token for its calls is not; `str()` says why."""


@dataclass(frozen=True)
class Caller:
    """A chain, the location if one was named, and the rules for reading what its exchange sends."""

    chain: Chain
    location: Location | None
    rules: ReadingRules


# The token is deferred, because decrypting it costs as much as the query; the outgoing call reads it when it is sent.
_locations_numbered = Rows[Location](
    lambda salon_id: Location.objects.select_related("chain").defer("chain__crm_token").filter(altegio_id=salon_id)
)


def caller_of(salon_group_id: int | None, salon_id: int | None) -> Caller:
    """Return the caller for a location's own chain, or for the chain with this number; None means not named.

    Raises UnknownCallerError and TelephonyNotConnectedError.
    """
    location = None
    if salon_id is not None:
        location = next(iter(_locations_numbered(salon_id)), None)
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
    if not chain.crm_token_hash:
        raise _not_yet()
    return Caller(chain, location, rules_of_chain(chain) if location is None else rules_of(location))


def _not_yet() -> TelephonyNotConnectedError:
    return TelephonyNotConnectedError(_("This chain has not connected its telephony yet."))


def _best_two(altegio_id: int) -> QuerySet[Chain]:
    """Return at most two chains of this number, the proven ones first; their `rank` is 1, that of others 0."""
    rank = Case(When(is_proven(), then=1), default=0)
    numbered = Chain.objects.filter(altegio_id=altegio_id).defer("crm_token")
    return numbered.annotate(rank=rank).order_by("-rank", "pk")[:2]


_best_two_of = Rows[Chain](_best_two)


def _chain_numbered(altegio_id: int) -> Chain | None:
    """Return the proven chain of this number, or the one that staff have confirmed if several are proven.

    Return None if there is no chain of this number. Raises TelephonyNotConnectedError if none is proven (its token
    came with no accepted connection, or all its locations have left it), or if several are and none is confirmed.
    """
    best = _best_two_of(altegio_id)
    ranks: list[int] = [getattr(each, "rank", 0) for each in best]
    if not best:
        return None
    if not ranks[0]:
        raise _not_yet()
    if len(best) < 2 or not ranks[1]:
        return best[0]
    confirmed = Chain.objects.filter(is_proven(), altegio_id=altegio_id, is_confirmed=True).first()
    if confirmed is None:
        raise TelephonyNotConnectedError(
            _("Several accounts have connected this chain with different keys: name the location in salon_id.")
        )
    return confirmed

"""Whose telephone exchange is calling: the chain that a request names."""

from dataclasses import dataclass

from django.utils.translation import gettext as _

from integrations.models.place import Chain, Location
from integrations.telephony.numbers import region_of


class UnknownPlace(LookupError):
    """No such chain or location here; `str()` says which is missing."""


class NotConnected(Exception):
    """The chain is known, but has given no CRM token: nothing can be told to Altegio for it."""


@dataclass(frozen=True)
class Caller:
    """A chain, and the country its numbers are written in."""

    chain: Chain
    region: str | None


def caller_of(salon_group_id: int | None, salon_id: int | None) -> Caller:
    """The chain by its id, or that of a location. Raises UnknownPlace and NotConnected."""
    location = None
    if salon_id is not None:
        location = Location.objects.select_related("chain").filter(altegio_id=salon_id).first()
    chain = location.chain if location is not None else None
    if salon_group_id is not None:
        chain = Chain.objects.filter(altegio_id=salon_group_id).first()
    if chain is None:
        raise UnknownPlace(_("This chain or location is not known here."))
    if not chain.crm_token:
        raise NotConnected(_("This chain has not connected its telephony yet."))
    return Caller(chain, region_of(chain, location))

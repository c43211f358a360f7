"""Owners whose locations of one chain have come to more than one CRM token: told, until they have one again."""

from collections.abc import Sequence

from django.db.models import Exists, Max, OuterRef

from integrations.connections.models import Chain, Connection, Location
from integrations.telephony.chain_notices import forget_two_tokens, tell_of_two_tokens
from integrations.telephony.speakers import spoken_for_by


def look_for_two_tokens(owner_id: int | None, number: int, *, brought_by: Connection | None = None) -> None:
    """Tell of an owner whose locations of one number have come to more than one token; or of no more.

    Whether both are theirs nobody can see. Only what has just become theirs, `brought_by`, is told of; whatever they
    lose may end what was told.
    """
    if owner_id is None:
        return
    if not _has_two_tokens(owner_id, number):
        forget_two_tokens(owner_id, number)
    elif brought_by is not None:
        tell_of_two_tokens(brought_by, number)


def look_at_bound(keys: Sequence[int]) -> None:
    """`look_for_two_tokens` where these connections have become their owner's: once for each number."""
    with_token = Connection.objects.filter(pk__in=keys, location__chain__crm_token_hash__gt="")
    newest = with_token.order_by().values("location__chain__altegio_id").annotate(newest=Max("pk"))
    numbers = dict(newest.values_list("newest", "location__chain__altegio_id"))
    for connection in Connection.objects.filter(pk__in=numbers).order_by("pk"):
        look_for_two_tokens(connection.owner_id, numbers[connection.pk], brought_by=connection)


def _has_two_tokens(owner_id: int, number: int) -> bool:
    """Mostly one chain has all locations of its number: then there is no need to look through an owner's."""
    with_locations = Chain.objects.filter(Exists(Location.objects.filter(chain=OuterRef("pk"))), altegio_id=number)
    if len(with_locations.values("pk")[:2]) < 2:
        return False
    own = spoken_for_by(owner_id).filter(chain__altegio_id=number)
    one = own.order_by().values_list("chain", flat=True)[:1]
    return any(own.exclude(chain=chain_id).exists() for chain_id in one)

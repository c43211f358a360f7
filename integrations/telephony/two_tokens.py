"""Detection of owners whose locations of one chain have more than one CRM token."""

from collections.abc import Sequence

from django.db.models import Exists, Max, OuterRef

from integrations.connections.models import Chain, Connection, Location
from integrations.telephony.chain_notices import forget_two_tokens, tell_of_two_tokens
from integrations.telephony.speakers import spoken_for_by


def look_for_two_tokens(owner_id: int | None, number: int, *, brought_by: Connection | None = None) -> None:
    """Report an owner whose locations of one chain number have more than one token, or end the alert if not.

    Nobody can tell whether both tokens are the owner's. Only a connection that has just become theirs (`brought_by`)
    is reported; without it this can only end the alert.
    """
    if owner_id is None:
        return
    if not _has_two_tokens(owner_id, number):
        forget_two_tokens(owner_id, number)
    elif brought_by is not None:
        tell_of_two_tokens(brought_by, number)


def look_at_bound(keys: Sequence[int]) -> None:
    """Call `look_for_two_tokens`, once for each chain number, for connections that have become their owner's."""
    with_token = Connection.objects.filter(pk__in=keys, location__chain__crm_token_hash__gt="")
    newest = with_token.order_by().values("location__chain__altegio_id").annotate(newest=Max("pk"))
    numbers = dict(newest.values_list("newest", "location__chain__altegio_id"))
    for connection in Connection.objects.filter(pk__in=numbers).order_by("pk"):
        look_for_two_tokens(connection.owner_id, numbers[connection.pk], brought_by=connection)


def _has_two_tokens(owner_id: int, number: int) -> bool:
    """Return whether the owner speaks for locations under more than one chain of this number.

    Mostly one chain has all locations of its number; then the slower search of the owner's locations is skipped.
    """
    with_locations = Chain.objects.filter(Exists(Location.objects.filter(chain=OuterRef("pk"))), altegio_id=number)
    if len(with_locations.values("pk")[:2]) < 2:
        return False
    own = spoken_for_by(owner_id).filter(chain__altegio_id=number)
    one = own.order_by().values_list("chain", flat=True)[:1]
    return any(own.exclude(chain=chain_id).exists() for chain_id in one)

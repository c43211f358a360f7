"""The speaker of a location: the connection whose owner's CRM token the location's calls are sent under."""

from django.db.models import Case, Exists, OuterRef, QuerySet, Subquery, When

from integrations.connections.models import Application, Chain, Connection, Location


def speakers() -> QuerySet[Connection]:
    """Return accepted connections in order of precedence: a location's first one is its speaker.

    That is the newest connection of a telephony application. One of another application speaks only where a telephony
    application was never connected.
    """
    is_telephony = Case(When(application__kind=Application.Kind.TELEPHONY, then=1), default=0)
    accepted = Connection.objects.filter(activated_at__isnull=False, is_disputed=False)
    return accepted.select_related("application").order_by(is_telephony.desc(), "-activated_at", "-pk")


def spoken_for_by(owner_id: int, *, only_proven: bool = False) -> QuerySet[Location]:
    """Return the locations at which this owner is connected and is the speaker's owner.

    With `only_proven`, leave out those whose speaker was connected under an e-mail address that was only typed.
    """
    here = speakers().filter(location=OuterRef("pk"))
    connected = Connection.objects.live().filter(location=OuterRef("pk"), owner=owner_id)
    own = Location.objects.alias(speaker=Subquery(here.values("owner")[:1]))
    own = own.filter(Exists(connected), speaker=owner_id)
    if not only_proven:
        return own
    return own.alias(is_proven=Subquery(here.values("is_proven")[:1])).filter(is_proven=True)


def speakers_of(chain: Chain) -> set[int]:
    """Return the ids of the owners whose connections speak for the locations of this chain."""
    speaker = speakers().filter(location=OuterRef("pk")).values("owner")[:1]
    owners = chain.locations.annotate(speaker=Subquery(speaker)).exclude(speaker=None)
    return set(owners.values_list("speaker", flat=True))


def is_spoken_for(location: Location) -> bool:
    """Return whether a telephony application was ever connected there: then a chain's number decides nothing."""
    telephony = Application.Kind.TELEPHONY
    return speakers().filter(location=location, application__kind=telephony).exists()

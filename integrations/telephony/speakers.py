"""Who speaks for a location: under whose CRM token its calls go out."""

from django.db.models import Case, Exists, OuterRef, QuerySet, Subquery, When

from integrations.connections.models import Application, Chain, Connection, Location


def speakers() -> QuerySet[Connection]:
    """Accepted connections, first those that say under which token their locations' calls go out.

    That is the newest of a telephony application; of another one only where there never was such.
    """
    is_telephony = Case(When(application__kind=Application.Kind.TELEPHONY, then=1), default=0)
    accepted = Connection.objects.filter(activated_at__isnull=False, is_disputed=False)
    return accepted.select_related("application").order_by(is_telephony.desc(), "-activated_at", "-pk")


def spoken_for_by(owner_id: int, *, only_proven: bool = False) -> QuerySet[Location]:
    """The locations whose calls go out under a token of this owner's, who is connected to them.

    `only_proven`: without those where it came under a typed address.
    """
    here = speakers().filter(location=OuterRef("pk"))
    connected = Connection.objects.live().filter(location=OuterRef("pk"), owner=owner_id)
    own = Location.objects.alias(speaker=Subquery(here.values("owner")[:1]))
    own = own.filter(Exists(connected), speaker=owner_id)
    if not only_proven:
        return own
    return own.alias(is_proven=Subquery(here.values("is_proven")[:1])).filter(is_proven=True)


def speakers_of(chain: Chain) -> set[int]:
    """The owners who have brought this chain's token to one of their locations."""
    speaker = speakers().filter(location=OuterRef("pk")).values("owner")[:1]
    owners = chain.locations.annotate(speaker=Subquery(speaker)).exclude(speaker=None)
    return set(owners.values_list("speaker", flat=True))


def is_spoken_for(location: Location) -> bool:
    """Whether somebody's telephony was connected there: then the number of a chain says nothing of its calls."""
    telephony = Application.Kind.TELEPHONY
    return speakers().filter(location=location, application__kind=telephony).exists()

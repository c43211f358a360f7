"""The marketplace's part of a person's data export; it holds no secrets."""

from typing import Any

from django.db.models import Exists, F, OuterRef, Prefetch, Q

from accounts.models import User
from accounts.personal_data import PERSONAL_DATA
from integrations.connections.models import Arrival, Chain, Connection, ConnectionChange
from integrations.sender_names.models import SenderName
from integrations.telephony.owners import own_chains
from integrations.user_tokens.models import UserToken


def _mine(user: User) -> Q:
    return Q(owner=user) | Q(claimant=user)


def _arrivals(user: User) -> list[Any]:
    # Arrivals that wait for a sign-in are left out: the account may be a stranger's, made in advance under their
    # address.
    arrivals = Arrival.objects.filter(user=user).order_by("pk")
    return list(
        arrivals.values(
            "application__altegio_id", "arrived_at", "last_seen_at", "visits", "deadline_at", "salon_ids",
            "chain_id_given", "salon_name", "altegio_user_id", "signed_up",
        )
    )  # fmt: skip


def _connections(user: User) -> list[dict[str, Any]]:
    changes = Prefetch("changes", ConnectionChange.objects.order_by("pk"))
    connections = Connection.objects.filter(_mine(user)).select_related("application", "location")
    return [_connection(each, user) for each in connections.prefetch_related(changes).order_by("pk")]


def _connection(connection: Connection, user: User) -> dict[str, Any]:
    times = (
        "arrived_at",
        "deadline_at",
        "activated_at",
        "ended_at",
        "trial_ends_at",
        "paid_until",
        "next_payment_at",
    )
    return {
        "application": connection.application.altegio_id,
        "location": connection.location.altegio_id,
        "title": connection.location.title if connection.title else "",
        "state": connection.state,
        "is_owner": connection.owner_id == user.pk,
        **{name: getattr(connection, name) for name in times},
        "changes": [
            {"at": change.at, "from": change.from_state, "to": change.to_state, "by_you": change.by_id == user.pk}
            for change in connection.changes.all()
        ],
    }


def _sender_names(user: User) -> list[Any]:
    # Only names of today's connections: a location that they held before may be another person's by now.
    application, location = OuterRef("list__installation__application"), OuterRef("list__installation__location")
    mine = Connection.objects.at(application, location).live().shown_to_owner().filter(owner=user)
    names = SenderName.objects.filter(Exists(mine)).order_by("pk")
    salon_id = F("list__installation__location__altegio_id")
    return list(names.values("name", "state", "valid_until", "changed_at", salon_id=salon_id))


def _telephony(user: User) -> list[dict[str, Any]]:
    return [_chain(chain) for chain in own_chains(user)]


def _chain(chain: Chain) -> dict[str, Any]:
    return {"chain": chain.altegio_id, "telephony": chain.telephony, "since": chain.telephony_since}


def _notification_settings(user: User) -> list[Any]:
    """Return the settings that were read at Altegio with a token of theirs; the token is a secret and stays out."""
    numbers = user.identities.values("altegio_user_id")
    tokens = UserToken.objects.filter(altegio_user_id__in=numbers).order_by("pk")
    return list(tokens.values("location__altegio_id", "altegio_user_id", "user_settings", "fetched_at"))


PERSONAL_DATA.register("arrivals", _arrivals, rank=11)
PERSONAL_DATA.register("connections", _connections, rank=12)
PERSONAL_DATA.register("sender_names", _sender_names, rank=13)
PERSONAL_DATA.register("telephony", _telephony, rank=14)
PERSONAL_DATA.register("notification_settings", _notification_settings, rank=15)

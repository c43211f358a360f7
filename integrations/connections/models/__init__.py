"""The core models of the marketplace; a feature's own tables are defined beside the feature."""

from integrations.connections.models.application import Application, application_for
from integrations.connections.models.arrival import Arrival, ArrivalLocation, RefusedArrival
from integrations.connections.models.brand_logo import BrandLogo
from integrations.connections.models.connection import (
    Connection,
    ConnectionChange,
    event_address,
    owner_email,
)
from integrations.connections.models.installation import Installation, OfInstallation
from integrations.connections.models.location import Chain, Location, reconnect_url, token_hash
from integrations.connections.models.sync_state import Synced, SyncState
from integrations.connections.states import LIVE, NOT_ENDED, SHOWN_STATES, UNDECIDED, EndedBy, State

__all__ = [
    "LIVE",
    "NOT_ENDED",
    "SHOWN_STATES",
    "UNDECIDED",
    "Application",
    "Arrival",
    "ArrivalLocation",
    "BrandLogo",
    "Chain",
    "Connection",
    "ConnectionChange",
    "EndedBy",
    "Installation",
    "Location",
    "OfInstallation",
    "RefusedArrival",
    "State",
    "SyncState",
    "Synced",
    "application_for",
    "event_address",
    "owner_email",
    "reconnect_url",
    "token_hash",
]

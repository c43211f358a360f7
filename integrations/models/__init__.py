"""The marketplace's own nouns; a feature's tables stand beside the feature."""

from integrations.alarms.models import Alarm
from integrations.connect.models import Arrival, ArrivalLocation, RefusedArrival
from integrations.events.models import Delivery, Event
from integrations.lifecycle.models import Callback
from integrations.models.application import Application
from integrations.models.connection import Connection, ConnectionChange, ConnectionKeys, State
from integrations.models.place import Chain, Location
from integrations.outbox.models import Attempt, OutgoingCall, RateBudget, TokenStop
from integrations.reconcile.models import Finding, Reconciliation

__all__ = [
    "Alarm",
    "Application",
    "Arrival",
    "ArrivalLocation",
    "Attempt",
    "Callback",
    "Chain",
    "Connection",
    "ConnectionChange",
    "ConnectionKeys",
    "Delivery",
    "Event",
    "Finding",
    "Location",
    "OutgoingCall",
    "RateBudget",
    "Reconciliation",
    "RefusedArrival",
    "State",
    "TokenStop",
]

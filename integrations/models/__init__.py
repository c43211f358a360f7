"""The marketplace's own nouns; a feature's tables stand beside the feature."""

from integrations.alarms.models import Alarm
from integrations.connect.models import Arrival, ArrivalLocation, RefusedArrival
from integrations.dashboard.models import DaySum
from integrations.models.application import Application
from integrations.models.connection import Connection, ConnectionChange, ConnectionKeys, State
from integrations.models.place import Chain, Location
from integrations.outbox.models import Attempt, OutgoingCall, RateBudget, TokenStop

__all__ = [
    "Alarm",
    "Application",
    "Arrival",
    "ArrivalLocation",
    "Attempt",
    "Chain",
    "Connection",
    "ConnectionChange",
    "ConnectionKeys",
    "DaySum",
    "Location",
    "OutgoingCall",
    "RateBudget",
    "RefusedArrival",
    "State",
    "TokenStop",
]

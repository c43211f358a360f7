"""The marketplace's own nouns; a feature's tables stand beside the feature."""

from integrations.alarms.models import Alarm
from integrations.connect.models import Arrival, ArrivalLocation, RefusedArrival
from integrations.dashboard.models import DaySum
from integrations.events.models import Delivery, Event
from integrations.lifecycle.models import Callback
from integrations.models.application import Application
from integrations.models.connection import Connection, ConnectionChange, ConnectionKeys, State
from integrations.models.place import Chain, Location
from integrations.outbox.models import Attempt, OutgoingCall, RateBudget, TokenStop
from integrations.reconcile.models import Finding, Reconciliation
from integrations.sender_names.models import SenderName, SenderNameList
from integrations.sms.models import (
    CallbackAddress,
    ChannelSwitch,
    DailyVolume,
    MessageStatus,
    ReplacedApiKey,
    SmsConnection,
    StatusBatch,
)
from integrations.telephony.models import NotificationDay, SavedCall
from integrations.user_tokens.models import UserToken

__all__ = [
    "Alarm",
    "Application",
    "Arrival",
    "ArrivalLocation",
    "Attempt",
    "Callback",
    "CallbackAddress",
    "Chain",
    "ChannelSwitch",
    "Connection",
    "ConnectionChange",
    "ConnectionKeys",
    "DailyVolume",
    "DaySum",
    "Delivery",
    "Event",
    "Finding",
    "Location",
    "MessageStatus",
    "NotificationDay",
    "OutgoingCall",
    "RateBudget",
    "Reconciliation",
    "RefusedArrival",
    "ReplacedApiKey",
    "SavedCall",
    "SenderName",
    "SenderNameList",
    "SmsConnection",
    "State",
    "StatusBatch",
    "TokenStop",
    "UserToken",
]

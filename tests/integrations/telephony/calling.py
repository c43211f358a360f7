"""Helpers for the calls that a telephone system reports, and for what Altegio received, under which CRM token."""

from itertools import count
from typing import Any
from urllib.parse import parse_qsl, urlencode, urlsplit

from integrations.connections.models import Location
from integrations.user_tokens.models import UserToken
from sandbox import Sandbox
from tests.response import Api

EMMAS, MARIAS = "crm-aurora-7c1e", "crm-of-maria"
CALLERS = count(100)
ADDED = ("salon_group_id", "crm_token")
RINGING = {"phone": "+447700900123", "diversion": "+442071838750"}
CALLS = "telephony/calls/"
CALL = {
    "salon_id": 10101,
    "type": "incoming",
    "phone": "+447700900123",
    "diversion": "+442071838750",
    "call_id": "pbx-1",
    "duration": 61,
    "link": "https://pbx.example.com/1.mp3",
    "status": "success",
    "date": "2026-03-01T12:00:00+01:00",
    "user": "anna",
}


def payload(altegio: Sandbox, command: str) -> list[str]:
    """Return the CRM tokens under which Altegio was called."""
    return [call.body["crm_token"] for call in altegio.requests("voip") if call.body["command"] == command]


def ring(api: Api, **place: int) -> int:
    """Let another client call; return the status of the API's answer."""
    caller = {**RINGING, "phone": f"+4477009{next(CALLERS):05d}"}
    return api("post", "telephony/notifications/", {**caller, **place}).status_code


def saved(altegio: Sandbox) -> list[dict[str, Any]]:
    """Return the history of calls at Altegio."""
    return [entry for entry in altegio.telephony() if entry["command"] == "history"]


def history(altegio: Sandbox) -> list[Any]:
    """Return the requests that wrote it, including lost and repeated ones."""
    return [call for call in altegio.requests("voip") if call.body["command"] == "history"]


def switches(altegio: Sandbox) -> list[str]:
    """Return the switches of telephony at Altegio, in order: `enable` or `disable`."""
    return [call.body["type"] for call in altegio.requests("voip") if call.body["command"] == "setup"]


def emmas_token() -> None:
    """Store a user token of Emma's, with which Altegio's call list can be read."""
    UserToken.objects.create(
        location=Location.objects.get(altegio_id=10101), altegio_user_id=9001, token="emmas-user-token"
    )


def link(altegio: Sandbox, salon_id: Any, user_id: Any, *, chain: Any, token: Any, application: Any) -> str:
    """Return the address of an arrival with a chain and a CRM token written into it."""
    address = altegio.arrival_url(salon_id, application_id=application, user_id=user_id)
    unsigned = [(name, value) for name, value in parse_qsl(urlsplit(address).query) if name not in ADDED]
    added = [("salon_group_id", chain)] if chain else []
    added += [("crm_token", token)] if token else []
    return f"{urlsplit(address).path}?{urlencode([*unsigned, *added])}"

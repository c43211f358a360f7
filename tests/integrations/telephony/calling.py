"""What tests of telephony look at: who was told of calls, and under which CRM token."""

from itertools import count

from sandbox import Sandbox
from tests.response import Api

EMMAS, MARIAS = "crm-aurora-7c1e", "crm-of-maria"
CALLERS = count(100)
RINGING = {"phone": "+447700900123", "diversion": "+442071838750"}


def payload(altegio: Sandbox, command: str) -> list[str]:
    """The CRM tokens under which Altegio was told."""
    return [call.body["crm_token"] for call in altegio.requests("voip") if call.body["command"] == command]


def ring(api: Api, **place: int) -> int:
    """Another client calls: the status of the API's answer."""
    caller = {**RINGING, "phone": f"+4477009{next(CALLERS):05d}"}
    return api("post", "telephony/notifications/", {**caller, **place}).status_code

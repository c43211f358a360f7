"""Preset mappings for exchanges whose webhooks are known; staff compare them with what the exchange really sends."""

from typing import Any

PRESETS: dict[str, dict[str, Any]] = {
    "freeswitch": {
        "call_id": "variables.uuid",
        "type": {
            "path": "variables.call_direction",
            "values": {"inbound": "incoming", "outbound": "outgoing", "local": "internal"},
        },
        "phone": {
            "by": "variables.call_direction",
            "cases": {"outbound": "callflow[0].caller_profile.destination_number"},
            "otherwise": "callflow[0].caller_profile.caller_id_number",
        },
        "diversion": {
            "by": "variables.call_direction",
            "cases": {"outbound": "callflow[0].caller_profile.caller_id_number"},
            "otherwise": ["variables.sip_to_user", "callflow[0].caller_profile.destination_number"],
        },
        "user": "variables.last_sent_callee_id_number",
        "duration": "variables.billsec",
        "status": {"by": "variables.billsec", "cases": {"0": {"value": "missed"}}, "otherwise": {"value": "success"}},
        "date": "variables.start_epoch",
    },
    "twilio": {
        "call_id": "CallSid",
        # A leg that <Dial> makes (outbound-dial) is part of another call, so it gets no type and is refused.
        "type": {
            "by": "Direction",
            "cases": {"inbound": {"value": "incoming"}, "outbound-api": {"value": "outgoing"}},
        },
        "phone": {"by": "Direction", "cases": {"inbound": "From"}, "otherwise": "To"},
        "diversion": {"by": "Direction", "cases": {"inbound": "To"}, "otherwise": "From"},
        "status": "CallStatus",
        "duration": "CallDuration",
        "link": "RecordingUrl",
        "date": "Timestamp",
    },
    "zadarma": {
        "call_id": "pbx_call_id",
        # NOTIFY_START and a call's other events come to the same address under the same id; NOTIFY_END alone counts.
        "type": {"by": "event", "cases": {"NOTIFY_END": {"value": "incoming"}}},
        "phone": "caller_id",
        "diversion": ["called_did", "internal"],
        "user": "internal",
        "status": "disposition",
        "duration": "duration",
        "date": "call_start",
    },
    "binotel": {
        "call_id": "callDetails.generalCallID",
        "type": {"path": "callDetails.callType", "values": {"0": "incoming", "1": "outgoing"}},
        "phone": "callDetails.externalNumber",
        "diversion": ["callDetails.didNumber", "callDetails.internalNumber"],
        "user": "callDetails.internalNumber",
        "status": "callDetails.disposition",
        "duration": "callDetails.billsec",
        "date": "callDetails.startTime",
    },
    # The field names are those of examples/3cx.xml, because 3CX itself defines none.
    "3cx": {
        "type": {
            "path": "call_type",
            "values": {
                "Inbound": "incoming",
                "Missed": "incoming",
                "Outbound": "outgoing",
                "Notanswered": "outgoing",
            },
        },
        "phone": "number",
        "diversion": "agent",
        "user": "agent",
        "status": {
            "by": "call_type",
            "cases": {"Inbound": {"value": "success"}, "Outbound": {"value": "success"}},
            "otherwise": {"value": "missed"},
        },
        "duration": "duration",
        "date": "start",
    },
}

TITLES = {
    "freeswitch": "FreeSWITCH",
    "twilio": "Twilio",
    "zadarma": "Zadarma",
    "binotel": "Binotel",
    "3cx": "3CX",
}

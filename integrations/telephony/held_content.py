"""The content that Altegio may hold of a phone call that was corrected later: its copy cannot be changed."""

import json
from collections.abc import Mapping
from datetime import datetime
from typing import Any

from django.db.models import QuerySet

from integrations.outbox.models import OutgoingCall
from integrations.outbox.settling import may_be_done
from integrations.telephony import legs
from integrations.telephony.models import PhoneCall
from partner_portal.core.english import english as _
from partner_portal.core.masking import MASK, mask

HELD_AS_BEFORE = _("Altegio holds this call as it was told before: the correction was not sent.")


def last_sent(rounds: QuerySet[OutgoingCall]) -> dict[str, Any]:
    """Return the recorded body of the newest attempt that Altegio may have accepted; {} if none is readable."""
    newest = may_be_done(rounds).order_by("started_at", "pk").last()
    try:
        body = json.loads(newest.request_body) if newest else {}
    except ValueError:
        return {}
    return body if isinstance(body, dict) else {}


def restore(saved: PhoneCall, sent: Mapping[str, Any], wire: Mapping[str, Any]) -> None:
    """Set a phone call whose content is `wire` back to what Altegio was `sent`; warn of each field that differed.

    A sent value that is masked on record cannot be restored; its field only gets the warning.
    """
    names = [name for name in legs.FIELDS if sent and _plain(sent.get(name)) != mask(_plain(wire.get(name)))]
    for name in names:
        value = sent.get(name) or legs.FIELDS[name]
        if MASK not in _plain(value):
            setattr(saved, name, datetime.fromisoformat(value) if name == "date" and value else value)
    if names:
        saved.warnings = [*saved.warnings, *({"field": name, "message": HELD_AS_BEFORE} for name in names)]
        saved.save(update_fields=[*legs.FIELDS, "warnings"])


def _plain(value: object) -> str:
    return str(value or "")

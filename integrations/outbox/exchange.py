"""The exact request and answer of a call, for Altegio's support: as sent, with the secrets masked."""

from integrations.outbox.models import Attempt, OutgoingCall
from partner_portal.core.masking import MASK


def exchange_text(call: OutgoingCall) -> str:
    """Return every attempt of a call, oldest first, as text to copy."""
    parts = [_attempt_text(attempt) for attempt in call.attempts.all()]
    return "\n\n".join(parts) or "Nothing has been sent yet."


def _attempt_text(attempt: Attempt) -> str:
    lines = [
        f"--- {attempt.get_purpose_display()} at {attempt.started_at:%Y-%m-%d %H:%M:%S} UTC, {_duration(attempt)}",
        f"{attempt.method} {attempt.url}",
        f"Authorization: Bearer {MASK}",
        "Accept: application/vnd.api.v2+json",
    ]
    if attempt.request_body:
        lines += ["Content-Type: application/json", "", attempt.request_body]
    lines += ["", f"HTTP {attempt.status_code}" if attempt.status_code else attempt.message or "No answer yet"]
    if attempt.response_body:
        lines += ["", attempt.response_body]
    return "\n".join(lines)


def _duration(attempt: Attempt) -> str:
    if attempt.finished_at is None:
        return "not ended: the worker was lost, or is at it"
    return f"{(attempt.finished_at - attempt.started_at).total_seconds():.3f} s"

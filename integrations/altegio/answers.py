"""The meaning of an answer, decided by its status code and shape, never by its words (docs/altegio.md §2).

Texts and numbers are cleaned here, where they enter, so that no reader of an `Answer` has to guard against them.
"""

import enum
from collections.abc import Mapping
from dataclasses import dataclass, field, replace
from datetime import UTC, datetime
from decimal import Decimal
from typing import Any

from integrations.altegio.wire import from_wire, parse_id
from partner_portal.core.clean import InvalidJsonError, clean_line, clean_text, parse_json, read_number
from partner_portal.core.http_client.retry_after import seconds_to_wait


class Outcome(enum.StrEnum):
    """What is known after a call."""

    ACCEPTED = "accepted"  # Altegio did it
    REFUSED = "refused"  # Altegio says no, and says why
    UNAUTHORIZED = "unauthorized"  # 401: the token is not accepted; no call with it will be
    LIMITED = "limited"  # 429: not now, nothing was done
    NOT_SENT = "not_sent"  # no connection was made: nothing was done
    UNKNOWN = "unknown"  # it may or may not have happened: ask the status call


GATEWAY_TIMEOUT = 504
# A gateway that knows no such address answers with one of these, often without a body.
NO_SUCH_ADDRESS = (404, 405, 410)


@dataclass(frozen=True)
class Answer:
    """One answer of Altegio, or the lack of one (`status_code` None)."""

    outcome: Outcome
    status_code: int | None = None
    data: Any = None
    message: str = ""
    retry_after: float | None = None
    text: str = ""
    headers: Mapping[str, str] = field(default_factory=dict)
    envelope: Mapping[str, Any] | None = None  # the whole object; None if the text is not the API's JSON

    @property
    def may_be_altegios(self) -> bool:
        """Whether the body is Altegio's envelope or empty (docs/altegio.md); a gateway's own JSON is neither."""
        return self.envelope is not None and (not self.envelope or "success" in self.envelope)

    @property
    def is_certain(self) -> bool:
        """Whether no gateway in between may have written it instead of Altegio."""
        return self.may_be_altegios and (bool(self.envelope) or self.status_code not in NO_SUCH_ADDRESS)

    def as_unknown(self) -> "Answer":
        """Return the answer as one that says nothing about the call: it may have happened or not."""
        return replace(
            self, outcome=Outcome.UNKNOWN, message=f"HTTP {self.status_code}, and the answer is not Altegio's"
        )

    @property
    def gave_up_waiting(self) -> bool:
        """Whether we, or a gateway at Altegio, stopped waiting, so that Altegio may still process the request."""
        return self.outcome is not Outcome.NOT_SENT and self.status_code in (None, GATEWAY_TIMEOUT)


def no_answer(why: str, *, was_sent: bool = True) -> Answer:
    """Return the answer for a call that got none.

    Its outcome is unknown after a time-out or a broken connection; not `was_sent` means that no connection was made.
    """
    return Answer(Outcome.UNKNOWN if was_sent else Outcome.NOT_SENT, message=why)


def read_answer(status_code: int, headers: Mapping[str, str], text: str, *, cut: bool = False) -> Answer:
    """Return an HTTP response as an `Answer`. `cut` says that only the beginning of its text was read."""
    envelope, is_json = ({}, False) if cut else _envelope(text)
    outcome = _outcome(status_code, envelope, is_json=is_json)
    return Answer(
        outcome=outcome,
        status_code=status_code,
        data=envelope.get("data"),
        message=_message(envelope) or _plain_reason(status_code, is_json=is_json, outcome=outcome, cut=cut),
        retry_after=seconds_to_wait(headers.get("retry-after", ""), datetime.now(UTC)),
        text=clean_text(text),
        headers=headers,
        envelope=envelope if is_json else None,
    )


def _envelope(text: str) -> tuple[dict[str, Any], bool]:
    """Return the response's object ({} if it holds none), and whether the text is what Altegio's API writes."""
    if not text.strip():
        return {}, True
    try:
        body = parse_json(text)
    except InvalidJsonError:
        return {}, False
    return (body, True) if isinstance(body, dict) else ({"data": body}, body is None or isinstance(body, list))


def _outcome(status_code: int, envelope: dict[str, Any], *, is_json: bool) -> Outcome:
    if status_code == 401:
        return Outcome.UNAUTHORIZED
    if status_code == 429:
        return Outcome.LIMITED
    if not is_json:
        return Outcome.UNKNOWN
    if 200 <= status_code < 300:
        return Outcome.UNKNOWN if envelope.get("success") is False else Outcome.ACCEPTED
    # A 408 says that Altegio did not read the whole request; a 3xx may follow a request that was processed.
    if 400 <= status_code < 500 and status_code != 408:
        return Outcome.REFUSED
    return Outcome.UNKNOWN


def _message(envelope: dict[str, Any]) -> str:
    """Return Altegio's own words: `meta.message`, and for 422 the details of `meta.errors`."""
    meta = envelope.get("meta")
    if not isinstance(meta, dict):
        return ""
    words = [meta["message"]] if isinstance(meta.get("message"), str) else []
    errors = meta.get("errors")
    if isinstance(errors, dict):
        words += [f"{name}: {_flat(detail)}" for name, detail in errors.items()]
    elif errors:
        words.append(_flat(errors))
    return clean_line("; ".join(words), 500)


def words_of(text: str) -> str:
    """Return what Altegio itself says in an answer's text; "" if it says nothing, or the text is cut off."""
    return _message(_envelope(text)[0])


def read_code(answer: Answer) -> int | None:
    """Return Altegio's own number for a refusal (`meta.code`; docs/altegio.md §2, SMS statuses), if there is one."""
    envelope, _is_json = _envelope(answer.text)
    meta = envelope.get("meta")
    code = meta.get("code", envelope.get("code")) if isinstance(meta, dict) else envelope.get("code")
    return code if isinstance(code, int) and not isinstance(code, bool) and abs(code) < 2**31 else None


def read_list(answer: Answer) -> list[dict[str, Any]]:
    """Return the objects of an answer that is a list."""
    return objects_of(answer.data)


def read_user_settings(answer: Answer) -> dict[str, Any] | None:
    """Return a user's notification settings, an object with `mode` and `notification_types`; else None."""
    return answer.data if isinstance(answer.data, dict) else None


def _flat(detail: Any) -> str:
    return ", ".join(map(str, detail)) if isinstance(detail, list) else str(detail)


def _plain_reason(status_code: int, *, is_json: bool, outcome: Outcome, cut: bool) -> str:
    if outcome is Outcome.ACCEPTED:
        return ""
    if 300 <= status_code < 400:
        return f"HTTP {status_code}, a redirect: it is not followed"
    if cut:
        return f"HTTP {status_code}, and the answer is too large"
    return f"HTTP {status_code}" if is_json else f"HTTP {status_code}, and the answer is not JSON"


class AltegioState(enum.StrEnum):
    """The value of `connection_status.status`; NONE if there is no current connection."""

    PENDING = "pending"
    ACTIVE = "active"
    FROZEN = "freezed"
    NONE = "none"


# The log's word for the end of a connection.
UNINSTALLED = "uninstalled"


@dataclass(frozen=True)
class RemotePayment:
    """A payment in the status call's answer. Unreadable fields are None."""

    id: int | None
    payment_sum: Decimal | None
    payment_date: datetime | None
    period_from: datetime | None
    period_to: datetime | None
    is_refunded: bool


@dataclass(frozen=True)
class ConnectionStatus:
    """The status call's answer (docs/altegio.md §2): what Altegio holds to be true about one connection."""

    state: AltegioState
    created_at: datetime | None
    newest_log_at: datetime | None
    payments: tuple[RemotePayment, ...]
    newest_end_at: datetime | None = None
    # The first time at which the log says that it became active; None if the log does not go back so far.
    first_active_at: datetime | None = None
    # The activation's settings as Altegio recorded them, unchanged; they may hold the API key. None if it sends none.
    special_settings: Any = field(default=None, repr=False)
    # Whether `payments` are all that Altegio holds: it sent a list of them, and the id of each can be read. Otherwise
    # that one is not among them proves nothing.
    shows_all_payments: bool = False

    @property
    def newest_sign_at(self) -> datetime | None:
        """The time of the connection's last change: the newest log entry, or the consent if there is no log."""
        return self.newest_log_at or self.created_at


NOT_CONNECTED = ConnectionStatus(AltegioState.NONE, None, None, ())


def read_status(answer: Answer, zone: str) -> ConnectionStatus | None:
    """Return the status call's answer. Altegio's 404 says that there is no connection.

    Return None if the status cannot be known now: there is no answer, it is not Altegio's, or it holds a state that
    docs/altegio.md §2 does not name. Such a state does not end a connection.
    """
    if answer.outcome is Outcome.REFUSED and answer.status_code == 404 and answer.may_be_altegios:
        return NOT_CONNECTED
    if answer.outcome is not Outcome.ACCEPTED or not _is_of_status_call(answer):
        return None
    data = answer.data if isinstance(answer.data, dict) else {}
    current = data.get("connection_status") or {}
    state = _state(current)
    if state is None:
        return None
    logs = [
        (from_wire(entry.get("changed_at"), zone), entry.get("status_to")) for entry in objects_of(data.get("logs"))
    ]
    payments, shows_all_payments = _read_payments(data.get("payments"), zone)
    return ConnectionStatus(
        state=state,
        created_at=from_wire(current.get("created_at"), zone),
        newest_log_at=max((moment for moment, _to in logs if moment), default=None),
        payments=payments,
        shows_all_payments=shows_all_payments,
        newest_end_at=max((moment for moment, to in logs if moment and to == UNINSTALLED), default=None),
        first_active_at=min((moment for moment, to in logs if moment and to == AltegioState.ACTIVE), default=None),
        special_settings=data.get("special_settings"),
    )


def _read_payments(value: Any, zone: str) -> tuple[tuple[RemotePayment, ...], bool]:
    """Return the payments that can be read, and whether these are all of them."""
    # PHP writes a list whose numbers have gaps as an object.
    listed = list(value.values()) if isinstance(value, dict) else value
    payments = tuple(read_remote_payment(entry, zone) for entry in objects_of(listed))
    return payments, isinstance(listed, list) and len(listed) == sum(payment.id is not None for payment in payments)


def _is_of_status_call(answer: Answer) -> bool:
    """Return whether an acceptance has the status call's shape, or Altegio's envelope with nothing in it.

    Anything else, such as a gateway's `{"ok": true}`, says nothing about a connection, so it must not end one.
    """
    if isinstance(answer.data, dict) and not answer.data.keys().isdisjoint({"connection_status", "payments", "logs"}):
        return True
    return not answer.data and not {"success", "data"} - (answer.envelope or {}).keys()


_STATES = {
    **{state.value: state for state in AltegioState},
    "frozen": AltegioState.FROZEN,
    UNINSTALLED: AltegioState.NONE,
}


def _state(current: Any) -> AltegioState | None:
    """Return the state in `connection_status`: NONE if that is empty, None if the state is unknown."""
    if not current:
        return AltegioState.NONE
    word = current.get("status") if isinstance(current, dict) else None
    return _STATES.get(word) if isinstance(word, str) else None


def objects_of(value: Any) -> list[dict[str, Any]]:
    """Return the objects in a list; nothing if the value is not a list."""
    return [entry for entry in value if isinstance(entry, dict)] if isinstance(value, list) else []


def read_remote_payment(entry: Mapping[str, Any], zone: str) -> RemotePayment:
    """Return a payment as the status call writes it; what cannot be read is None."""
    return RemotePayment(
        id=parse_id(entry.get("id")),
        payment_sum=as_decimal(entry.get("payment_sum")),
        payment_date=from_wire(entry.get("payment_date"), zone),
        period_from=from_wire(entry.get("period_from"), zone),
        period_to=from_wire(entry.get("period_to"), zone),
        is_refunded=entry.get("is_refunded") in (True, 1, "1", "true") or bool(entry.get("refunded_at")),
    )


def read_payment_id(answer: Answer) -> int | None:
    """Return the id that Altegio gave a reported payment; a refund needs it."""
    return parse_id(answer.data.get("id")) if isinstance(answer.data, dict) else None


def as_decimal(value: Any) -> Decimal | None:
    """Return a finite number, whether it came as a number or as text; None for anything else."""
    if isinstance(value, bool) or not isinstance(value, int | str | Decimal):
        return None
    number = read_number(value) if isinstance(value, str) else value
    return None if number is None else Decimal(number)


def line_of(value: Any) -> str:
    """Return a text or number as one clean line; "" for anything else."""
    return clean_line(str(value), 300) if isinstance(value, str | int) else ""

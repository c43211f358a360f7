"""The owners and the partner's systems: they act, insist where nobody answers, and note what they were promised."""

import re
import time
from collections import Counter
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
from decimal import Decimal
from threading import Thread
from typing import Any

import requests

from chaos.plan import Act, StoryPlan
from chaos.stage import Stage, pause
from sandbox.models import Status, User
from sandbox.refusals import Refusal

# Whoever gets no answer, or one that says "later", comes back for so many seconds.
PATIENCE = 300.0
AGAIN_AFTER = 0.3
LATER = (429, 500, 502, 503, 504)
FORM = re.compile(r'action="([^"]+/sign-up/)"')
STRANGER = 1_000_000


class GaveUp(Exception):
    """Something did not come about in time; `str()` says what."""


@dataclass
class Paid:
    """A payment that the portal took."""

    external_id: str
    salon_id: int
    amount: Decimal
    id: int
    may_fail: bool = False  # its location was disconnected meanwhile
    refund_asked: bool = False


@dataclass
class Notes:
    """What the portal has answered for, and what Altegio's owners did."""

    grants: Counter[int] = field(default_factory=Counter)
    strangers: set[int] = field(default_factory=set)
    payments: list[Paid] = field(default_factory=list)
    names: dict[int, list[str]] = field(default_factory=dict)
    statuses: list[tuple[str, int]] = field(default_factory=list)
    notified: dict[str, datetime] = field(default_factory=dict)
    saved_calls: dict[str, str] = field(default_factory=dict)
    problems: list[str] = field(default_factory=list)


class Story(Thread):
    """One plan, lived in a thread of its own."""

    def __init__(self, plan: StoryPlan, stage: Stage) -> None:
        super().__init__(daemon=True)
        self.plan, self.stage, self.notes = plan, stage, Notes()
        self.altegio = stage.altegio
        self.chain, self.locations = stage.altegio.add_chain(plan.locations)
        self.user_id = self._make_user(plan.number, "owner")
        self.steps, self.done = 1 + len(plan.acts), 0
        self.email = f"owner-{plan.number}@people.example"

    def run(self) -> None:
        pause(self.plan.starts_at)
        try:
            self._connect(self.locations, late=self.plan.arrival == "late")
            self.done += 1
            for act in self.plan.acts:
                pause(act.pause)
                getattr(self, f"_{act.name}")(act, self.locations[act.place])
                self.done += 1
        except Exception as error:  # the thread's end must be told in the seed's report
            self.notes.problems.append(f"story {self.plan.number}: {type(error).__name__}: {error}")
        self.done = self.steps

    # --- arriving ---------------------------------------------------------------------------------
    def _connect(self, locations: list[int], *, late: bool = False) -> None:
        signed = self.plan.arrival != "sign-up"
        user_id = self.user_id if signed else None
        at = datetime.now(UTC) - timedelta(hours=2) if late else None
        self.altegio.grant(locations, self.plan.application, user_id, at)
        url = self.altegio.arrival_url(locations, self.plan.application, user_id)
        if signed:
            self._insist("the arrival", lambda: self.stage.portal.page(url), (303,))
        else:
            page = self._sign_up(url)
        if late:
            return
        self.notes.grants.update(locations)
        for salon_id in locations:
            self._wait_for(salon_id, Status.ACTIVE, Status.FREEZED)
        if not signed:
            self._read_to_the_end(page)

    def _sign_up(self, url: str) -> str:
        """Returns the address of the status page."""
        form = self._insist("the form", lambda: self.stage.portal.page(url), (200,))
        found = FORM.search(form.text)
        if found is None:
            raise GaveUp("the page has no form to sign up")
        person = {"name": "An Owner", "email": self.email, "phone": "", "password": "a-long-password-4711"}
        address = found.group(1)
        post = lambda: self.stage.portal.page(address, method="POST", data=person)  # noqa: E731
        return self._insist("signing up", post, (303,)).headers["Location"]

    def _read_to_the_end(self, page: str) -> None:
        """Until the page has said how it ended.

        Nothing proves that two sign-ups are one person's: the second one, while the first is undecided, is a
        conflict for staff (INTERFACE.md, Claims).
        """
        accept = {"Accept": "application/json"}
        ends_at = time.monotonic() + PATIENCE
        while time.monotonic() < ends_at:
            told = self._insist("the status page", lambda: self.stage.portal.page(page, headers=accept), (200,))
            if told.json()["state"] != "pending":
                return
            pause(AGAIN_AFTER)
        raise GaveUp("the status page is still pending")

    def _stranger(self, act: Act, salon_id: int) -> None:
        """Somebody else opens a link for a location that is connected: they must not get it."""
        stranger = self._make_user(STRANGER + act.number, "stranger")
        self.notes.strangers.add(salon_id)
        url = self.altegio.arrival_url(salon_id, self.plan.application, stranger)
        self._insist("the stranger's arrival", lambda: self.stage.portal.page(url), (303,))

    def _make_user(self, number: int, who: str) -> int:
        user_id = 20_000 + number
        user = User(user_id, f"{who} {number}", f"4477{number:08d}", f"{who}-{number}@people.example")
        self.altegio.add_user(user)
        return user_id

    # --- money ------------------------------------------------------------------------------------
    def _pay(self, act: Act, salon_id: int) -> None:
        """Some pay for the time that is, some for a time to come."""
        starts = datetime.now(UTC).replace(microsecond=0) + timedelta(days=0 if act.chance < 0.6 else 60)
        amount = f"{10 + act.number / 100:.2f}"
        told = {
            "external_id": f"payment-{act.number}",
            "salon_id": salon_id,
            "application_id": self.plan.application,
            "amount": amount,
            "currency": "EUR",
            "paid_at": datetime.now(UTC).replace(microsecond=0).isoformat(),
            "period_from": (starts - timedelta(hours=1)).isoformat(),
            "period_to": (starts + timedelta(days=30)).isoformat(),
        }
        payment_id = self._call("POST", "payments/", told, (200, 202)).json()["id"]
        self.notes.payments.append(Paid(f"payment-{act.number}", salon_id, Decimal(amount), payment_id))
        if act.chance < 0.3 and self._call("POST", "payments/", told, (200,)).json()["id"] != payment_id:
            raise GaveUp(f"payment-{act.number} told twice became two payments")

    def _refund(self, act: Act, salon_id: int) -> None:
        paid = [item for item in self.notes.payments if item.salon_id == salon_id and not item.refund_asked]
        if not paid:
            self._pay(act, salon_id)
            paid = self.notes.payments[-1:]
        payment = paid[-1]
        answer = self._call("POST", f"payments/{payment.id}/refund/", None, (200, 202, 409))
        if answer.status_code != 409:
            payment.refund_asked = True
        elif not payment.may_fail:
            raise GaveUp(f"the refund of {payment.external_id} was refused: {answer.text}")

    # --- messages ---------------------------------------------------------------------------------
    def _names(self, act: Act, salon_id: int) -> None:
        names = [f"N{act.number}-{index}" for index in range(1 + int(act.chance * 3))]
        self._call("PUT", f"locations/{salon_id}/sender-names/", {"names": names}, (202,), later=(404,))
        self.notes.names[salon_id] = names

    def _statuses(self, act: Act, salon_id: int) -> None:
        """Handed over, then delivered: in this order for each message."""
        ids = [f"{act.number}-{index}" for index in range(1 + int(act.chance * 40))]
        for status in (8, 1):
            body = [
                {"id": one, "status": status, "payment_sum": "0.05", "currency_iso": "EUR", "parts_amount": 1}
                for one in ids
            ]
            self._call("POST", "sms/statuses/", body, (202,))
            self.notes.statuses += [(one, status) for one in ids]

    # --- telephony --------------------------------------------------------------------------------
    def _notify(self, act: Act, _salon_id: int) -> None:
        phone = f"+44207946{act.number:04d}"
        body = {"salon_group_id": self.chain.id, "phone": phone, "diversion": "+442079460000"}
        self._call("POST", "telephony/notifications/", body, (202,), later=(404, 409))
        self.notes.notified[phone] = datetime.now(UTC)

    def _save_call(self, act: Act, _salon_id: int) -> None:
        phone, call_id = f"+44207946{act.number:04d}", f"call-{act.number}"
        body = {
            "salon_group_id": self.chain.id,
            "type": "incoming",
            "phone": phone,
            "diversion": "+442079460000",
            "call_id": call_id,
            "duration": 30,
            "status": "success",
            "date": datetime.now(UTC).replace(microsecond=0).isoformat(),
        }
        self._call("POST", "telephony/calls/", body, (200, 202), later=(404, 409))
        self.notes.saved_calls[call_id] = phone

    # --- the connection's life --------------------------------------------------------------------
    def _freeze(self, _act: Act, salon_id: int) -> None:
        self.altegio.freeze(salon_id, self.plan.application)

    def _uninstall(self, _act: Act, salon_id: int) -> None:
        """The owner presses Disconnect at Altegio."""
        self._payments_may_fail(salon_id)
        self.altegio.uninstall(salon_id, self.plan.application)

    def _disconnect(self, _act: Act, salon_id: int) -> None:
        """The partner disconnects through the API, and waits until Altegio has done it."""
        self._payments_may_fail(salon_id)
        newest = self._newest_connection(salon_id)
        self._call("POST", f"connections/{newest}/uninstall/", None, (202,), later=(409,))
        self._wait_for(salon_id, Status.UNINSTALLED)

    def _reconnect(self, _act: Act, salon_id: int) -> None:
        self._connect([salon_id])

    def _false_callback(self, act: Act, salon_id: int) -> None:
        """A callback that is late, doubled or untrue."""
        event = "uninstall" if act.chance < 0.6 else "freeze"
        body = {"salon_id": salon_id, "application_id": self.plan.application, "event": event}
        self.altegio.send_callback(body, delay=act.chance)

    def _event(self, _act: Act, salon_id: int) -> None:
        try:
            self.altegio.send_event(salon_id, None, self.plan.application)
        except Refusal:
            return  # frozen: Altegio sends none

    def _newest_connection(self, salon_id: int) -> int:
        answer = self._call("GET", f"connections/?salon_id={salon_id}", None, (200,))
        here = [row for row in answer.json()["results"] if row["application_id"] == self.plan.application]
        newest: int = max(row["id"] for row in here)
        return newest

    def _payments_may_fail(self, salon_id: int) -> None:
        for payment in self.notes.payments:
            if payment.salon_id == salon_id:
                payment.may_fail = True

    # --- insisting --------------------------------------------------------------------------------
    def _call(
        self, method: str, path: str, body: Any, wanted: tuple[int, ...], *, later: tuple[int, ...] = ()
    ) -> requests.Response:
        return self._insist(f"{method} {path}", lambda: self.stage.api(method, path, body), wanted, later)

    def _insist(self, what: str, do: Any, wanted: tuple[int, ...], later: tuple[int, ...] = ()) -> requests.Response:
        """The answer, once there is one of the `wanted`; whoever waits asks again. Raises GaveUp."""
        ends_at, said = time.monotonic() + PATIENCE, "no answer"
        while time.monotonic() < ends_at:
            try:
                answer: requests.Response = do()
            except requests.RequestException as error:
                said = type(error).__name__
            else:
                if answer.status_code in wanted:
                    return answer
                said = f"{answer.status_code} {answer.text[:200]}"
                if answer.status_code not in (*LATER, *later):
                    break
            pause(AGAIN_AFTER)
        raise GaveUp(f"{what}: {said}")

    def _wait_for(self, salon_id: int, *statuses: Status) -> None:
        ends_at = time.monotonic() + PATIENCE
        while (status := self.altegio.status_of(salon_id, self.plan.application)) not in statuses:
            if time.monotonic() > ends_at:
                raise GaveUp(f"location {salon_id} is {status} at Altegio, and not {' or '.join(statuses)}")
            pause(0.05)

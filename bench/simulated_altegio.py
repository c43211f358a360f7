"""Altegio inside this process. It answers at once, and fails the first call about some subjects."""

import random
import re
import time
from collections import Counter
from collections.abc import Iterable
from datetime import UTC, datetime
from typing import Any

import simplejson
from django.conf import settings

from integrations.altegio.answers import Answer, no_answer, read_answer
from integrations.altegio.requests import ApiRequest
from integrations.altegio.wire import to_wire


class SimulatedAltegio:
    """Altegio's side of the calls. It answers at once, and fails the first call about some subjects."""

    def __init__(self, faults: float, seed: int) -> None:
        self.journal: list[tuple[float, str, int]] = []
        self.overtaken: Counter[str] = Counter()
        self.activated_at: dict[int, float] = {}
        self.unexpected: set[str] = set()
        self._granted_at: dict[int, float] = {}
        self._untried: set[int] = set()
        self._payments: dict[int, dict[str, Any]] = {}
        self._faults, self._seed = faults, seed
        self._tried: set[tuple[str, int]] = set()

    def grant(self, salon_ids: Iterable[int]) -> None:
        """Give consent for these locations, as their owner does by pressing Connect."""
        for salon_id in salon_ids:
            self._granted_at[salon_id] = time.time()
            self._untried.add(salon_id)

    def has_active(self, salon_ids: Iterable[int]) -> None:
        """Make these locations active, as if connected a day ago."""
        self.activated_at.update(dict.fromkeys(salon_ids, time.time() - 86400))

    def fault_of(self, kind: str, subject: int) -> str:
        """Return the fault of the first call of this kind about this subject: "failed", "lost", or "" for none."""
        drawn = random.Random(f"{self._seed}:{kind}:{subject}").random()
        return "failed" if drawn < self._faults / 2 else "lost" if drawn < self._faults else ""

    def answer(self, call: ApiRequest) -> Answer:
        """Return the answer to a call. A late activation is refused, as Altegio does."""
        kind, subject = self._read(call)
        self._note(kind, subject)
        fault = "" if (kind, subject) in self._tried or kind == "status" else self.fault_of(kind, subject)
        self._tried.add((kind, subject))
        if fault == "failed":
            return read_answer(502, {}, "<html>Bad Gateway</html>")
        code, data = getattr(self, f"_{kind}", self._nothing)(subject, call)
        if fault == "lost":
            return no_answer("No answer from Altegio within the time-out")
        return read_answer(code, {}, simplejson.dumps({"success": code < 300, "data": data}, use_decimal=True))

    def _note(self, kind: str, subject: int) -> None:
        if kind == "activate":
            self._untried.discard(subject)
        elif not (kind == "status" and subject in self._granted_at) and self.untried_in_time():
            self.overtaken[kind] += 1
        self.journal.append((time.time(), kind, subject))

    def untried_in_time(self) -> int:
        """Return how many granted locations no activation was sent for, though it would be in time."""
        window = settings.ALTEGIO_ACTIVATION_WINDOW
        late = [salon_id for salon_id in self._untried if time.time() >= self._granted_at[salon_id] + window]
        self._untried.difference_update(late)
        return len(self._untried)

    def _read(self, call: ApiRequest) -> tuple[str, int]:
        numbers, body = [int(n) for n in re.findall(r"/(\d+)", call.path)], call.body
        match call.path.split("/"):
            case [_, "marketplace", "partner", "callback"]:
                return "activate", body["salon_id"]
            case [_, "marketplace", "salon", *_]:
                return "status", numbers[0]
            case [_, "marketplace", "application", _, "salons" | "tariffs" as what]:
                return what, (call.query or {}).get("page", 0)
            case [_, "marketplace", "partner", "payment"]:
                return "payment", body["salon_id"]
            case [_, "marketplace", "partner", "payment", "refund", _]:
                return "refund", numbers[0]
            case [_, "marketplace", "partner", "short_names"]:
                return "sender_names", body["salon_id"]
            case [_, "voip", "integration"]:
                return {"event": "notification", "setup": "telephony"}[body["command"]], len(self.journal)
            case [_, "smsprovider", *_]:
                return "statuses", len(self.journal)
        self.unexpected.add(call.path)
        raise AssertionError(f"Nobody expected a call of {call.path}.")

    def _nothing(self, _subject: int, _call: ApiRequest) -> tuple[int, Any]:
        return 200, None

    def _activate(self, salon_id: int, _call: ApiRequest) -> tuple[int, Any]:
        in_time = time.time() < self._granted_at[salon_id] + settings.ALTEGIO_ACTIVATION_WINDOW
        if not in_time or salon_id in self.activated_at:
            return 403, None
        self.activated_at[salon_id] = time.time()
        return 201, None

    def _status(self, salon_id: int, _call: ApiRequest) -> tuple[int, Any]:
        since = self.activated_at.get(salon_id) or self._granted_at[salon_id]
        state = "active" if salon_id in self.activated_at else "pending"
        payments = [told for told in self._payments.values() if told["salon_id"] == salon_id]
        wire = to_wire(datetime.fromtimestamp(since, UTC), settings.ALTEGIO_TIME_ZONE)
        return 200, {"connection_status": {"status": state, "created_at": wire}, "payments": payments, "logs": []}

    def _salons(self, page: int, call: ApiRequest) -> tuple[int, Any]:
        count = call.query["count"]
        shown = list(self.activated_at)[(page - 1) * count : page * count]
        return 200, [{"id": salon_id, "title": f"Salon {salon_id}", "active": True} for salon_id in shown]

    def _tariffs(self, _application: int, _call: ApiRequest) -> tuple[int, Any]:
        return 200, []

    def _payment(self, _salon_id: int, call: ApiRequest) -> tuple[int, Any]:
        number = len(self._payments) + 1
        self._payments[number] = {**call.body, "id": number, "is_refunded": False}
        return 200, {"id": number}

    def _refund(self, number: int, _call: ApiRequest) -> tuple[int, Any]:
        self._payments[number]["is_refunded"] = True
        return 200, None

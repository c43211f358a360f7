"""The acts of owners and of the partner's systems with their connections, one after another."""

from datetime import UTC, datetime, timedelta
from decimal import Decimal

from chaos.plan import Act
from chaos.rivals import Rivals
from chaos.story import GaveUpError, Paid
from sandbox.models import Status
from sandbox.refusals import RefusalError


class Story(Rivals):
    """A story with the acts of the owner and of the partner's systems."""

    # --- money ------------------------------------------------------------------------------------
    def _pay(self, act: Act, salon_id: int) -> None:
        """Report a payment, sometimes twice, for the current time or for a time to come."""
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
            raise GaveUpError(f"payment-{act.number} told twice became two payments")

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
            raise GaveUpError(f"the refund of {payment.external_id} was refused: {answer.text}")

    # --- messages ---------------------------------------------------------------------------------
    def _names(self, act: Act, salon_id: int) -> None:
        names = [f"N{act.number}-{index}" for index in range(1 + int(act.chance * 3))]
        self._call("PUT", f"locations/{salon_id}/sender-names/", {"names": names}, (202,), later=(404,))
        self.notes.names[salon_id] = names

    def _statuses(self, act: Act, salon_id: int) -> None:
        """Report each message as handed to the operator, then as delivered."""
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
        self.notes.phone_calls[call_id] = phone

    # --- the connection's life --------------------------------------------------------------------
    def _freeze(self, _act: Act, salon_id: int) -> None:
        self.altegio.freeze(salon_id, self.plan.application)

    def _uninstall(self, _act: Act, salon_id: int) -> None:
        """Disconnect at Altegio, as the owner does."""
        self._payments_may_fail(salon_id)
        self.altegio.uninstall(salon_id, self.plan.application)

    def _disconnect(self, _act: Act, salon_id: int) -> None:
        """Disconnect through the API, as the partner does, and wait until Altegio has done it."""
        self._payments_may_fail(salon_id)
        newest = self._newest_connection(salon_id)
        self._call("POST", f"connections/{newest}/uninstall/", None, (202,), later=(409,))
        self._wait_for(salon_id, Status.UNINSTALLED)

    def _reconnect(self, _act: Act, salon_id: int) -> None:
        self._connect([salon_id])

    def _false_callback(self, act: Act, salon_id: int) -> None:
        """Send a callback that is late, doubled or untrue."""
        event = "uninstall" if act.chance < 0.6 else "freeze"
        body = {"salon_id": salon_id, "application_id": self.plan.application, "event": event}
        self.altegio.send_callback(body, delay=act.chance)

    def _event(self, _act: Act, salon_id: int) -> None:
        try:
            self.altegio.send_event(salon_id, None, self.plan.application)
        except RefusalError:
            return  # frozen: Altegio sends none

    def _newest_connection(self, salon_id: int) -> int:
        answer = self._call("GET", f"connections/?salon_id={salon_id}", None, (200,))
        here = [row for row in answer.json()["results"] if row["application_id"] == self.plan.application]
        # Beside the owner's claim there may be those of others on the same location.
        live = [row for row in here if row["state"] in ("active", "frozen")]
        newest: int = max(row["id"] for row in live or here)
        return newest

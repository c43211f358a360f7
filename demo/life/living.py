"""Half a year of life: owners connect, pay and leave, and the partner's own systems do their work."""

import os
from datetime import timedelta

from django.conf import settings

from accounts.models import ApiKey
from demo.life import everyday, today
from demo.life.doors import Altegio, Partner, Staff
from demo.life.past import move_back
from demo.life.plan import DAY, MONTH, SMS, Business, Place, Plan, Story, make_plan
from demo.life.stage import Stage, each, wait_until
from integrations.connections.models import Arrival

SCOPES = ["read", "billing", "sms", "telephony", "webhooks", "customers", "chat"]


def is_lived_in() -> bool:
    """Return whether anybody has come to this portal."""
    return Arrival.objects.exists()


def live(locations: int) -> None:
    """Fill the portal at `PORTAL_URL` from the sandbox, with so many locations and what follows from them."""
    altegio = Altegio(settings.ALTEGIO_APP_URL)
    plan = make_plan([Business(**business) for business in altegio.tell("crowd", locations=locations)])
    with altegio.without_limits():
        live_through(altegio, plan)


def live_through(altegio: Altegio, plan: Plan) -> None:
    """Play the whole plan, and then date it back."""
    _key, secret = ApiKey.objects.create_key(name="Partner's own systems", scopes=SCOPES)
    staff = Staff(settings.PORTAL_URL, os.environ["DJANGO_SUPERUSER_EMAIL"], os.environ["DJANGO_SUPERUSER_PASSWORD"])
    stage = Stage(altegio, Partner(settings.PORTAL_URL, secret), staff, plan)
    subscribe(stage)
    connect(stage)
    name(stage)
    pay(stage)
    leave(stage)
    everyday.pass_by(stage)
    today.pass_by(stage)
    move_back(stage.chronicle)


def subscribe(stage: Stage) -> None:
    """Register two addresses of the partner's: one that works, and one that has moved away."""
    works, gone = (f"{settings.ALTEGIO_APP_URL}/_sandbox/{name}" for name in ("partner", "old-cabinet"))
    bad = ["connection.failed", "connection.expired", "payment.failed"]
    all_that_counts = ["connection.activated", "connection.uninstalled", "payment.refunded", "altegio.events", *bad]
    for url, description, types in ((works, "Billing system", all_that_counts), (gone, "Old cabinet", bad)):
        stage.partner.call("POST", "/webhooks/", {"url": url, "description": description, "types": types})


def connect(stage: Stage) -> None:
    """Connect each business, with all its locations at once."""

    def arrive(number: int) -> int:
        arriving = stage.plan.arrivals[number]
        stage.chronicle.turn([story.place for story in arriving.stories], arriving.stories[0].came)
        salons = list(arriving.business.salon_ids)
        stage.altegio.press_connect(salons, arriving.application, arriving.business.user_id)
        return len(salons)

    each("connections", arrive, range(len(stage.plan.arrivals)), len(stage.plan.stories))
    wait_until(stage.is_decided)


def name(stage: Stage) -> None:
    """Set sender names and external ids of some connections, as the partner's systems do."""
    known = stage.connections()

    def set_up(place: Place) -> int:
        salon_id = place[1]
        if salon_id % 3:
            stage.partner.call("PATCH", f"/connections/{known[place]}/", {"external_id": f"C-{salon_id}"})
        names = ["Salon", f"Studio{salon_id % 1000}"] if salon_id % 4 else [f"Studio{salon_id % 1000}"]
        stage.partner.call("PUT", f"/locations/{salon_id}/sender-names/", {"names": names})
        return 1

    chosen = [story.place for story in stage.plan.stories if story.place[0] == SMS][::4]
    _refuse(stage, "short_names", chosen[7::20], "This sender name belongs to another company.")
    each("sender names", set_up, chosen, len(chosen))


def pay(stage: Stage) -> None:
    """Report each payment, as the partner's billing system does; a few are refunded, some Altegio refuses."""
    payers = [story for story in stage.plan.stories if story.payments]
    _refuse(stage, "payment", [story.place for story in payers[5::50]], "The location's account is closed.")
    refunds: list[int] = []
    payments = [(story, number) for story in payers for number in range(len(story.payments))]

    def report(item: tuple[Story, int]) -> int:
        story, number = item
        (application, salon_id), paid = story.place, story.payments[number]
        at = (stage.chronicle.begun_at - paid.ago).replace(microsecond=0)
        body = {
            "external_id": f"INV-{application}-{salon_id}-{number + 1}",
            "salon_id": salon_id,
            "application_id": application,
            "amount": paid.amount,
            "currency": paid.currency,
            "paid_at": at.isoformat(),
            "period_from": at.isoformat(),
            "period_to": (at + MONTH * paid.months - timedelta(seconds=1)).isoformat(),
        }
        payment = stage.partner.call("POST", "/payments/", body)
        if paid.is_refunded:
            refunds.append(payment["id"])
        return 1

    each("payments", report, payments, len(payments))
    wait_until(stage.is_at_rest)
    for payment_id in refunds:
        stage.partner.call("POST", f"/payments/{payment_id}/refund/")


def leave(stage: Stage) -> None:
    """Freeze what is not paid for, as Altegio does, and disconnect, as owners do."""
    wait_until(stage.is_at_rest)
    for call, chosen in (
        ("freeze", [(story.place, story.frozen) for story in stage.plan.stories if story.frozen is not None]),
        ("uninstall", [(story.place, story.left) for story in stage.plan.stories if story.left is not None]),
    ):
        for place, ago in chosen:
            stage.chronicle.turn([place], ago)
            stage.at_altegio(call, place)
        wait_until(stage.is_at_rest)
    for story in stage.plan.stories:
        if story.stays:
            stage.chronicle.turn([story.place], min(story.came, DAY / 2))


def _refuse(stage: Stage, call: str, places: list[Place], words: str) -> None:
    """Let Altegio refuse the next such call about each of these places."""
    body = {"success": False, "meta": {"message": words}}
    for _application, salon_id in places:
        stage.altegio.tell(
            "faults", kind="error", call=call, location_id=salon_id, status=422, body=body, remaining=1
        )

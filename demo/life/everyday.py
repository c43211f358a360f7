"""The daily use of the applications: messages are sent, phones ring, clients chat."""

from collections import defaultdict
from datetime import timedelta
from itertools import count

from demo.life.plan import CHAT, DAY, SMS, TELEPHONY, Story
from demo.life.stage import Stage, each, wait_until
from integrations.messaging.models import RequestedMessage

DAYS = 14
TEXTS = (
    "Your appointment is tomorrow at 10:30. Reply to this number to move it.",
    "Ждём вас завтра в 12:00. Если планы изменились, ответьте на это сообщение.",
    "A new stylist joins us this week: book your first visit with 15 % off.",
    "Köszönjük a látogatást! Időpontot bármikor foglalhat nálunk.",
)
# Statuses as gateways report them; OUTCOMES has each as often as it happens in ten.
DELIVERED, ON_ITS_WAY, NOT_DELIVERED, REJECTED = 1, 4, 2, 16
OUTCOMES = (*[DELIVERED] * 7, NOT_DELIVERED, NOT_DELIVERED, REJECTED)
COST = {"GBP": 0.041, "KZT": 18.5, "HUF": 19.9, "BRL": 0.21, "PLN": 0.16, "EUR": 0.048}
PEOPLE = ("Anna", "Дамир", "Júlia", "Bruno", "Ewa", "Sam")


def pass_by(stage: Stage) -> None:
    """Play two weeks of daily use."""
    send_messages(stage)
    ring(stage)
    chat(stage)


def send_messages(stage: Stage) -> None:
    """Let Altegio send messages on each of the days, and the partner's gateway report what became of them."""
    chosen = [story for story in stage.stories(SMS) if story.came > DAYS * DAY]
    days = {story.place: DAY * (index % DAYS) + timedelta(hours=2) for index, story in enumerate(chosen)}
    numbers = count()

    def send(story: Story) -> int:
        stage.chronicle.turn([story.place], days[story.place])
        number = next(numbers)
        stage.altegio.tell(
            "messages", salon_id=story.place[1], count=1 + number % 3, text=TEXTS[number % len(TEXTS)], sender="Salon"
        )
        return 1

    each("messages of locations", send, chosen, len(chosen))
    wait_until(lambda: all(each["ext_id"] or each["refusal"] or each["problem"] for each in stage.altegio.messages()))
    report(stage)


def report(stage: Stage) -> None:
    """Report the gateway's statuses, in one list for each day."""
    currencies = {salon: each.business.currency for each in stage.plan.arrivals for salon in each.business.salon_ids}
    of_day: dict[timedelta, list[dict[str, object]]] = defaultdict(list)
    for message in RequestedMessage.objects.select_related("connection__location"):
        salon_id = message.connection.location.altegio_id
        day = stage.chronicle.last(SMS, salon_id)
        status = {
            "ext_id": message.ext_id,
            "salon_id": salon_id,
            "status": ON_ITS_WAY if len(of_day[day]) % 5 == 1 and day < DAY else stage.chance.choice(OUTCOMES),
            "payment_sum": f"{COST[currencies[salon_id]]}",
            "currency_iso": currencies[salon_id],
            "parts_amount": 1,
        }
        of_day[day].append(status)

    def tell(day: timedelta) -> int:
        # The status of the last message of today is not known yet.
        statuses = of_day[day] if day > DAY else of_day[day][:-1]
        if statuses:
            stage.partner.call("POST", "/sms/statuses/", statuses)
        return 1

    each("days of message statuses", tell, list(of_day), len(of_day))


def ring(stage: Stage) -> None:
    """Report calls over two weeks from the exchange of each chain, and a call that rings now."""
    chains = {each.business.salon_group_id: each for each in stage.plan.arrivals if each.application == TELEPHONY}

    def call(chain_id: int | None) -> int:
        place = {"salon_group_id": chain_id}
        number = f"{(chain_id or 0) % 1000:04d}"
        line = f"+361555{number}"
        ringing = {**place, "phone": f"+3620555{number}", "diversion": line}
        stage.partner.call("POST", "/telephony/notifications/", ringing)
        calls = [{**place, **_phone_call(stage, nth, f"{chain_id}-{nth}", line)} for nth in range(8)]
        stage.partner.call("POST", "/telephony/calls/", calls)
        return 1

    alive = [chain for chain, arriving in chains.items() if any(story.stays for story in arriving.stories)]
    each("telephone exchanges", call, alive, len(alive))


def _phone_call(stage: Stage, number: int, call_id: str, line: str) -> dict[str, object]:
    is_missed = stage.chance.random() < 0.25
    rang = stage.chronicle.begun_at - DAY * stage.chance.random() * DAYS
    return {
        "call_id": call_id,
        "type": "outgoing" if number % 5 == 4 else "incoming",
        "phone": "anonymous" if number == 6 else f"+3630{stage.chance.randint(2_000_000, 9_999_999)}",
        "diversion": line,
        "user": stage.chance.choice(("101", "102", "Reception")),
        "status": "missed" if is_missed else "success",
        "duration": 0 if is_missed else stage.chance.randint(15, 600),
        "date": rang.isoformat(),
    }


def chat(stage: Stage) -> None:
    """Set the bot's panel at each location, and report what clients wrote to it."""
    known = stage.connections()

    def write(story: Story) -> int:
        path = f"/connections/{known[story.place]}"
        stage.partner.call("PUT", f"{path}/chat-panel/", {"url": "https://bluebird.example/chat"})
        for number in range(3):
            name = PEOPLE[(story.place[1] + number) % len(PEOPLE)]
            body = {
                "phone": f"+3620555{1000 + number}",
                "name": name,
                "message": "Is Saturday free?",
            }
            stage.partner.call("POST", f"{path}/chat-messages/", body)
        return 1

    chosen = stage.stories(CHAT)
    each("chat bots", write, chosen, len(chosen))

"""The invariants that must hold when the faults are over and everything has settled. Each check yields what is wrong.

Altegio's books are the reference; the stories' notes hold what the portal accepted.
"""

from collections import Counter, defaultdict
from collections.abc import Callable, Iterable, Iterator

from chaos.plan import TELEPHONY
from chaos.rivals import BOTS_IDS
from chaos.stage import MOVING, PER_MINUTE, PER_SECOND, Stage
from chaos.stories import Story
from chaos.story import Paid
from sandbox.models import Connection, Payment, Status

Check = Callable[[Stage, list[Story]], Iterable[str]]
_checks: list[Check] = []
# States with another name in the API (docs/interface.md §5a).
SHOWN = {"granted": "pending"}
TOLD_STATES = ("activated", "frozen", "unfrozen", "uninstalled", "expired", "failed", "conflict")
LIVE = {"active": Status.ACTIVE, "frozen": Status.FREEZED}


def check(function: Check) -> Check:
    """Register one of the invariants. A decorator."""
    _checks.append(function)
    return function


def broken(stage: Stage, stories: list[Story]) -> list[str]:
    """Return everything that does not hold, each as a text."""
    return [f"{function.__name__}: {text}" for function in _checks for text in function(stage, stories)]


def _at_altegio(stage: Stage, story: Story, salon_id: int) -> Connection:
    found = stage.altegio.connection(salon_id, story.plan.application)
    if found is None:
        raise LookupError(f"Altegio knows no connection of {salon_id}")
    return found


@check
def the_stories_went_on(_stage: Stage, stories: list[Story]) -> Iterator[str]:
    """Check that everyone who kept asking got what they wanted in time."""
    for story in stories:
        yield from story.notes.problems


@check
def every_grant_was_activated_once(stage: Stage, stories: list[Story]) -> Iterator[str]:
    """Check that each grant was activated once.

    Altegio accepts an activation only within the window, so one that it accepted was in time.
    """
    accepted = Counter(entry.location_id for entry in stage.altegio.requests("activate") if entry.processed)
    for story in stories:
        for salon_id in story.locations:
            if accepted[salon_id] != story.notes.grants[salon_id]:
                yield f"{salon_id}: {story.notes.grants[salon_id]} grants, {accepted[salon_id]} activations"


@check
def states_are_equal(stage: Stage, stories: list[Story]) -> Iterator[str]:
    """Check that a location is live here exactly if it is at Altegio. A stranger's claim is left to staff."""
    rows = stage.query(
        "SELECT l.altegio_id, a.altegio_id, c.state FROM connections_connection c "
        "JOIN connections_location l ON l.id = c.location_id JOIN connections_application a "
        "ON a.id = c.application_id ORDER BY c.id"
    )
    here: dict[tuple[int, int], list[str]] = defaultdict(list)
    for salon_id, application, state in rows:
        here[application, salon_id].append(state)
    for story in stories:
        for salon_id in story.locations:
            states = here[story.plan.application, salon_id]
            status = _at_altegio(stage, story, salon_id).status
            live = [LIVE[state] for state in states if state in LIVE]
            wanted = [status] if status in LIVE.values() else []
            disputed = salon_id in story.notes.strangers and "conflict" in states
            if live != wanted and not (disputed and not live):
                yield f"{salon_id}: {states} here, {status} at Altegio"
            if "granted" in states:
                yield f"{salon_id}: still granted"


@check
def nobody_has_what_is_not_theirs(stage: Stage, stories: list[Story]) -> Iterator[str]:
    """Check that a connection belongs to the person who granted it.

    A live one has an owner, unless it was signed up for, or staff are asked whose it is.
    """
    rows = stage.query(
        "SELECT l.altegio_id, c.state, u.email, c.is_disputed AND EXISTS (SELECT FROM alerts_alert a "
        "WHERE a.connection_id = c.id AND a.kind = 'conflict' AND a.cleared_at IS NULL) "
        "FROM connections_connection c JOIN connections_location l "
        "ON l.id = c.location_id LEFT JOIN accounts_user u ON u.id = c.owner_id"
    )
    emails = {salon_id: {story.email} for story in stories for salon_id in story.locations}
    for story in stories:
        for salon_id, heir in story.notes.heirs.items():
            emails[salon_id].add(heir)
    owners = {salon_id: story.email for story in stories for salon_id in story.locations}
    signed_up = {salon for story in stories if story.plan.arrival == "sign-up" for salon in story.locations}
    for salon_id, state, email, is_asked in rows:
        may = {owners.get(salon_id)} if state in LIVE else emails.get(salon_id, set())
        if email is not None and email not in may:
            yield f"{salon_id} ({state}) belongs to {email}"
        if email is None and state in LIVE and salon_id not in signed_up and not is_asked:
            yield f"{salon_id} ({state}) belongs to nobody"


@check
def payments_are_equal(stage: Stage, stories: list[Story]) -> Iterator[str]:
    """Check that each payment is at Altegio once, or not at all and the portal says so; the same for its refund."""
    rows = stage.query("SELECT external_id, status, altegio_payment_id, error FROM billing_payment")
    here = {row[0]: row[1:] for row in rows}
    known: set[int] = set()
    for story in stories:
        for paid in story.notes.payments:
            payments = _at_altegio(stage, story, paid.salon_id).payments
            held = [item for item in payments if item.payment_sum == paid.amount]
            known.update(item.id for item in held)
            if paid.external_id not in here:
                yield f"{paid.external_id} was accepted and is lost"
                continue
            status, altegio_id, error = here[paid.external_id]
            for problem in _payment_problems(paid, held, status, error):
                yield f"{paid.external_id} at {paid.salon_id} is {status} here ({altegio_id}, {error!r}): {problem}"
    unasked = (item for at in stage.altegio.world.state.connections for item in at.payments if item.id not in known)
    yield from (f"Altegio holds payment {item.id} that nobody asked for" for item in unasked)


def _payment_problems(paid: Paid, held: list[Payment], status: str, error: str) -> Iterator[str]:
    if len(held) > 1:
        yield f"{len(held)} times at Altegio"
    at_altegio = "refunded" if held and held[0].is_refunded else "reported" if held else "nothing"
    if at_altegio not in _may_be_held(status, error):
        yield f"at Altegio: {at_altegio}"
    if status not in _may_become(refund_asked=paid.refund_asked, may_fail=paid.may_fail):
        yield f"refund asked: {paid.refund_asked}, disconnected: {paid.may_fail}"


def _may_be_held(status: str, error: str) -> tuple[str, ...]:
    if status == "failed" and error.startswith("Altegio says the location is not connected; whether"):
        return ("nothing", "reported")  # Altegio does not report on a connection that is gone
    if status == "reported" and error.startswith("Altegio refuses the refund, but an earlier try had no answer"):
        return ("reported", "refunded")
    return {"reported": ("reported",), "refunded": ("refunded",)}.get(status, ("nothing",))


def _may_become(*, refund_asked: bool, may_fail: bool) -> tuple[str, ...]:
    wanted = ("refunded", "cancelled") if refund_asked else ("reported",)
    return (*wanted, "failed", "reported") if may_fail else wanted


@check
def the_partner_was_told_of_each_change_in_its_order(stage: Stage, _stories: list[Story]) -> Iterator[str]:
    """Check that the events received for a connection, each counted once, are what its history holds."""
    yield from stage.partner.problems
    received: dict[int, list[tuple[str | None, str]]] = defaultdict(list)
    for event in stage.partner.received:
        if event.type.removeprefix("connection.") in TOLD_STATES:
            connection = event.data["connection"]
            received[connection["id"]].append((event.data["previous_state"], connection["state"]))
    happened: dict[int, list[tuple[str | None, str]]] = defaultdict(list)
    changes = "SELECT connection_id, from_state, to_state FROM connections_connectionchange ORDER BY id"
    for pk, before, after in stage.query(changes):
        if after not in ("granted", before):  # a change back to waiting, or only of the holder, sends no event
            happened[pk].append((SHOWN.get(before, before) or None, after))
    for pk in received.keys() | happened.keys():
        if received[pk] != happened[pk]:
            yield f"connection {pk}: the partner was told {received[pk]}, it was {happened[pk]}"


@check
def the_partner_was_told_how_each_payment_ended(stage: Stage, _stories: list[Story]) -> Iterator[str]:
    ends = {
        event.data["payment"]["id"]: event.data["payment"]["status"]
        for event in stage.partner.received
        if event.type.startswith("payment.")
    }
    ended = "SELECT id, status FROM billing_payment WHERE status IN ('reported', 'failed', 'refunded')"
    for pk, status in stage.query(ended):
        if ends.get(pk) != status:
            yield f"payment {pk} is {status}, the partner was told {ends.get(pk)}"


@check
def sender_names_are_equal(stage: Stage, stories: list[Story]) -> Iterator[str]:
    for story in stories:
        for salon_id, names in story.notes.names.items():
            held = _at_altegio(stage, story, salon_id)
            if held.is_installed and held.short_names != names:
                yield f"{salon_id}: {names} wanted, {held.short_names} at Altegio"


@check
def no_status_is_lost_doubled_or_overtaken(stage: Stage, stories: list[Story]) -> Iterator[str]:
    """Check that every status arrived, in its order, and twice only if the first sending had no answer."""
    at_altegio: dict[str, list[int]] = defaultdict(list)
    for item in stage.altegio.sms_statuses():
        at_altegio[str(item["id"])].append(item["status"])
    asked: dict[str, list[int]] = defaultdict(list)
    for story in stories:
        for message, status in story.notes.statuses:
            asked[message].append(status)
    for message, wanted in asked.items():
        held = at_altegio.pop(message, [])
        if list(dict.fromkeys(held)) != wanted or held[-1:] != wanted[-1:]:
            yield f"message {message}: {wanted} told, {held} at Altegio"
    yield from (f"message {message} was never told" for message in at_altegio)
    bodies = stage.query(
        "SELECT a.request_body FROM outbox_attempt a JOIN outbox_outgoingcall c ON c.id = a.call_id "
        "WHERE c.kind = 'sms_statuses' AND a.outcome = 'accepted'"
    )
    accepted = Counter(part for (body,) in bodies for part in body.split("}, {"))
    yield from (f"sent again after a yes: {part}" for part, times in accepted.items() if times > 1)


@check
def calls_were_told_or_dropped_as_too_old(stage: Stage, stories: list[Story]) -> Iterator[str]:
    states: dict[str, str] = dict(
        stage.query(
            "SELECT params->>'phone', state FROM outbox_outgoingcall WHERE kind = 'call_notification' "
            "ORDER BY state DESC"  # of repeated ones the last row counts, so done beats expired
        )
    )
    told = stage.altegio.telephony()
    shown = {item["phone"] for item in told if item["command"] == "event"}
    saved = Counter((item["call_id"], item["phone"]) for item in told if item["command"] == "history")
    # Phone calls accepted while the telephony was being switched on, before the last connection ended: kept for a
    # day.
    kept = stage.query(
        "SELECT p.call_id, p.phone FROM telephony_phonecall p JOIN connections_chain c ON c.id = p.chain_id "
        "WHERE p.state = 'kept' AND c.telephony = 'off'"
    )
    # Phone calls that faults hit twice. The portal does not send them a third time by itself, and staff got an alert.
    doubtful = stage.query("SELECT call_id, phone FROM telephony_phonecall WHERE state = 'failed' AND is_unconfirmed")
    for story in stories:
        for phone in story.notes.notified:
            state = states.get(phone, "lost")
            if state not in ("done", "expired") or (state == "done" and phone not in shown):
                yield f"notification {phone} is {state} here, shown: {phone in shown}"
        for wanted in story.notes.phone_calls.items():
            times = saved.pop(wanted, 0)
            if times != 1 and not (times == 0 and wanted in [*kept, *doubtful]):
                yield f"saved call {wanted} is not once at Altegio"
    yield from (f"saved call {extra} that nobody told" for extra in saved)


@check
def telephony_is_on_where_a_connection_is(stage: Stage, stories: list[Story]) -> Iterator[str]:
    for story in stories:
        if story.plan.application == TELEPHONY:
            alive = any(_at_altegio(stage, story, salon_id).is_installed for salon_id in story.locations)
            if stage.altegio.chain(story.chain.id).telephony_enabled != alive:
                yield f"chain {story.chain.id}: telephony is {'off' if alive else 'on'}"


@check
def what_was_answered_200_is_stored(stage: Stage, _stories: list[Story]) -> Iterator[str]:
    sent = Counter("events" in item.url for item in stage.altegio.sent_callbacks() if item.code == 200)
    for is_event, table in ((True, "webhooks_event"), (False, "lifecycle_callback")):
        stored: int = stage.query(f"SELECT count(*) FROM {table}")[0][0]
        if stored < sent[is_event]:
            yield f"{table}: {sent[is_event]} answered 200, {stored} stored"


@check
def nothing_is_stuck(stage: Stage, _stories: list[Story]) -> Iterator[str]:
    stuck = stage.query(
        f"SELECT kind, state, count(*), max(reason) FROM outbox_outgoingcall o WHERE {MOVING} GROUP BY kind, state"
    )
    yield from (f"{count} calls {kind} are {state}: {reason}" for kind, state, count, reason in stuck)
    failed = stage.query("SELECT note FROM lifecycle_callback WHERE state IN ('waiting', 'failed')")
    yield from (f"a callback was not processed: {note}" for (note,) in failed)
    batches = stage.query("SELECT state, refusal FROM messaging_statusbatch WHERE state <> 'sent'")
    yield from (f"statuses are {state}: {refusal}" for state, refusal in batches)
    yield from (f"{name} died by itself" for name in stage.died_by_itself())


@check
def the_limit_was_kept(stage: Stage, _stories: list[Story]) -> Iterator[str]:
    second, minute = stage.altegio.busiest_second(), stage.altegio.busiest_minute()
    if second > PER_SECOND or minute > PER_MINUTE:
        yield f"{second} calls in a second, {minute} in a minute"


@check
def nothing_rests_unseen(stage: Stage, _stories: list[Story]) -> Iterator[str]:
    """Check that every undecided connection has a call that will move it, and that no alert is open without a cause.

    The watch must have found nothing, and nothing may be a dead letter.
    """
    rows = stage.query(
        "SELECT l.altegio_id, c.state FROM connections_connection c JOIN connections_location l "
        "ON l.id = c.location_id WHERE c.state IN ('granted', 'conflict') AND NOT EXISTS (SELECT 1 FROM "
        "outbox_outgoingcall o WHERE o.connection_id = c.id AND o.kind = 'activate' "
        "AND o.state IN ('held', 'queued', 'sending', 'unconfirmed'))"
    )
    yield from (f"{salon_id} is {state}, and nothing waits to move it" for salon_id, state in rows)
    alerts = stage.query("SELECT kind, text FROM alerts_alert WHERE kind IN ('watch', 'dead')")
    yield from (f"{kind}: {text}" for kind, text in alerts)
    causes = stage.query(
        "SELECT a.kind, a.text, c.state FROM alerts_alert a JOIN connections_connection c "
        "ON c.id = a.connection_id WHERE a.cleared_at IS NULL AND ("
        "(a.kind = 'conflict' AND c.state NOT IN ('conflict', 'active', 'frozen')) "
        "OR (a.kind = 'window' AND c.state <> 'granted'))"
    )
    yield from (f"an alert is open, its cause has ended: {kind} {text} ({state})" for kind, text, state in causes)


@check
def what_staff_decided_stays(stage: Stage, stories: list[Story]) -> Iterator[str]:
    ended = {pk for story in stories for pk in story.notes.dismissed}
    if ended:
        listed = ",".join(map(str, sorted(ended)))
        rows = stage.query(f"SELECT id, state, reason FROM connections_connection WHERE id IN ({listed})")
        yield from (f"claim {pk} was dismissed and is {state}: {why}" for pk, state, why in rows if state != "failed")


@check
def no_bot_makes_an_owner_wait(stage: Stage, stories: list[Story]) -> Iterator[str]:
    """Check that, while an owner's activation waits and the limit is used up, a bot's ids use at most a quarter of
    it.
    """
    calls = stage.altegio.requests()
    for story in stories:
        for salon_id, arrived in story.notes.arrived.items():
            accepted = [
                each.monotonic
                for each in calls
                if each.call == "activate" and each.processed and each.location_id == salon_id
            ]
            until = min((at for at in accepted if at > arrived), default=arrived)
            meanwhile = [each for each in calls if arrived < each.monotonic < until]
            bots = sum((each.location_id or 0) in BOTS_IDS for each in meanwhile)
            is_full = len(meanwhile) > 0.8 * PER_SECOND * (until - arrived) and until - arrived > 5
            if is_full and bots > len(meanwhile) / 4:
                yield f"{salon_id} waited {until - arrived:.1f} s, beside {bots} calls for a bot's ids"

"""The doctor's checks. Each yields results that say well, worth a look or wrong, and what to do about it."""

import time
from collections.abc import Callable, Iterator
from dataclasses import replace

from django.conf import settings
from django.core.cache import cache
from django.core.checks import WARNING, run_checks
from django.db import DatabaseError, connection
from django.db.migrations.executor import MigrationExecutor

from accounts.models import User
from accounts.roles import staff_who_may
from integrations.altegio import requests
from integrations.altegio.answers import Answer, Outcome
from integrations.altegio.requests import ApiRequest
from integrations.backoffice.doctor.check_result import CheckResult, Health
from integrations.backoffice.doctor.clock import fitting_zones, is_local_time, newest_samples
from integrations.backoffice.doctor.surroundings import mail_server, stored_secrets
from integrations.backoffice.health import HEARTBEAT, MAX_SILENCE
from integrations.connections.models import Application, Connection, application_for
from integrations.contract_drift.models import Drift
from integrations.outbox.direct_requests import ask_now
from integrations.outbox.executor import altegio_client
from integrations.outbox.hosts import NOT_THERE, known_host, other_host
from integrations.outbox.token_stop import token_is_stopped
from integrations.user_tokens.models import ApplicationToken
from partner_portal.celery import app

MAX_DRIFT = 10
THEN_AGAIN = "Then run this again: what else stands in the database was not examined."


def examine() -> Iterator[CheckResult]:
    """Run all checks and yield their results; nothing is changed here or at Altegio.

    If the database cannot be reached or needs a migration, run only the checks that need no database.
    """
    for question in QUESTIONS if database_is_ready() else WITHOUT_DATABASE:
        try:
            yield from question()
        except Exception as error:  # a check that fails is a result too
            what = question.__name__.strip("_").replace("_", " ").capitalize()
            yield CheckResult(what, Health.WRONG, _in_a_line(error))


def database_is_ready() -> bool:
    """Return whether the database answers and has no unapplied migration."""
    try:
        return not _waiting_migrations()
    except DatabaseError:
        return False


def _waiting_migrations() -> int:
    executor = MigrationExecutor(connection)
    return len(executor.migration_plan(executor.loader.graph.leaf_nodes()))


def _in_a_line(error: Exception) -> str:
    return " ".join(f"{type(error).__name__}: {error}".split())[:200]


def _configuration() -> Iterator[CheckResult]:
    messages = [
        message for message in run_checks(include_deployment_checks=not settings.DEBUG) if not message.is_silenced()
    ]
    for message in messages:
        health = Health.WRONG if message.level > WARNING else Health.LOOK
        yield CheckResult("Configuration", health, str(message.msg).split("\n")[0], str(message.hint or ""))
    if not messages:
        yield CheckResult("Configuration", Health.WELL, "complete")


def _database() -> Iterator[CheckResult]:
    try:
        waiting = _waiting_migrations()
    except DatabaseError as error:
        yield CheckResult("Database", Health.WRONG, _in_a_line(error), f"Check DATABASE_URL. {THEN_AGAIN}")
        return
    if waiting:
        advice = f"Run: python manage.py migrate --noinput. {THEN_AGAIN}"
        yield CheckResult("Database", Health.WRONG, f"{waiting} migrations wait", advice)
    else:
        yield CheckResult("Database", Health.WELL, f"{connection.vendor}, up to date")


def _broker_and_cache() -> Iterator[CheckResult]:
    with app.connection_for_write() as broker:
        broker.ensure_connection(max_retries=1, timeout=2)
    cache.set("doctor", 1, timeout=5)
    kind = "Redis" if settings.REDIS_URL else "embedded (for a trial; production wants REDIS_URL)"
    yield CheckResult("Broker and cache", Health.WELL, kind)


def _worker() -> Iterator[CheckResult]:
    silent = time.time() - float(cache.get(HEARTBEAT) or 0)
    if silent <= MAX_SILENCE:
        yield CheckResult("Worker and beat", Health.WELL, f"last sign of life {silent:.0f} s ago")
    else:
        yield CheckResult(
            "Worker and beat", Health.LOOK, "no sign of life", "Start the worker and beat of the Procfile."
        )


def _staff() -> Iterator[CheckResult]:
    if User.objects.filter(is_staff=True, is_active=True).exists():
        yield from _readers_of_alerts()
    else:
        yield CheckResult("Staff", Health.LOOK, "nobody can open the admin", "Run: python manage.py createsuperuser")


def _readers_of_alerts() -> Iterator[CheckResult]:
    if staff_who_may("alerts.view_alert").exists():
        yield CheckResult(
            "Staff", Health.WELL, "there is an account for the admin, and alerts go to who may see them"
        )
    else:
        advice = "Give somebody of the staff who has an e-mail address a role: Users, Rights."
        yield CheckResult("Staff", Health.LOOK, "nobody gets alerts by e-mail", advice)


def _applications() -> Iterator[CheckResult]:
    application_for()
    names = [f"{application} (#{application.altegio_id})" for application in Application.objects.all()]
    if names:
        yield CheckResult("Applications", Health.WELL, ", ".join(names))
    else:
        advice = "Set ALTEGIO_APPLICATION_ID to the id in Altegio's developer account."
        yield CheckResult("Applications", Health.WRONG, "none is known", advice)


def _altegio() -> Iterator[CheckResult]:
    if not settings.ALTEGIO_PARTNER_TOKEN:
        advice = "Set ALTEGIO_PARTNER_TOKEN to the token in Altegio's developer account."
        yield CheckResult("Altegio", Health.WRONG, "no partner token", advice)
        return
    if token_is_stopped():
        advice = "Set the right token, or resume it in the admin (stopped tokens) once Altegio accepts it again."
        yield CheckResult("Calls to Altegio", Health.WRONG, "stopped: Altegio refused the partner token", advice)
    yield _reach("Altegio's API", requests.countries())
    for application in Application.objects.order_by("pk"):
        number = application.altegio_id
        yield _reach(f"Altegio, application {number}", requests.connected_locations(number, page=1, count=1))
        yield _read(f"Tariffs of application {number}", *_on_either_host("fetch_tariffs", requests.tariffs(number)))


def _application_tokens() -> Iterator[CheckResult]:
    """Try each application token at the newest live location of its application that has no user token of its own."""
    for token in ApplicationToken.objects.select_related("application").order_by("pk"):
        what = f"Application token of {token.application}"
        live = Connection.objects.live().filter(application=token.application, location__user_token=None)
        newest = live.select_related("location").order_by("-activated_at").first()
        if newest is None:
            yield CheckResult(what, Health.LOOK, "it can be tried once a location is connected")
            continue
        call = requests.company(token.token, newest.location.altegio_id)
        answer = ask_now(call)
        if answer.outcome in (Outcome.UNAUTHORIZED, Outcome.REFUSED):
            advice = (
                "Copy application_token anew from the developer account (API access), and check its rights there."
            )
            yield CheckResult(what, Health.WRONG, f"{answer.status_code}: {answer.message}", advice)
        else:
            yield _read(what, call, answer)


def _clock() -> Iterator[CheckResult]:
    """Check by the newest consents whether `ALTEGIO_TIME_ZONE` is the zone in which Altegio writes its times."""
    what, zone = "Altegio's time zone", settings.ALTEGIO_TIME_ZONE
    samples = newest_samples()
    if not samples:
        advice = "Connect a location, then run this again within the hour; until then ALTEGIO_TIME_ZONE is trusted."
        yield CheckResult(what, Health.LOOK, f"not known yet; {zone} is assumed", advice)
    elif all(sample.fits(zone) for sample in samples):
        yield CheckResult(what, Health.WELL, f"{zone} fits the newest consents ({len(samples)})")
    elif fitting := fitting_zones(samples):
        advice = f"Set ALTEGIO_TIME_ZONE to one that fits: {', '.join(fitting)}. Then run this again."
        yield CheckResult(what, Health.WRONG, f"{zone} does not fit the newest consents", advice)
    else:
        local = "each location's own time is written" if is_local_time(samples) else "no zone fits all consents"
        advice = "No setting fits that. Please report it, with the status answers of these locations."
        yield CheckResult(what, Health.WRONG, local, advice)


def _reach(what: str, call: ApiRequest) -> CheckResult:
    return _read(what, call, ask_now(call))


def _on_either_host(kind: str, call: ApiRequest) -> tuple[ApiRequest, Answer]:
    """Send a request to the host where this kind of call worked last, or to the other one if it is not there."""
    call = replace(call, host=known_host(kind))
    answer = ask_now(call)
    if answer.status_code not in NOT_THERE:
        return call, answer
    other = replace(call, host=other_host(call.host))
    return other, ask_now(other)


def _read(what: str, call: ApiRequest, answer: Answer) -> CheckResult:
    match answer.outcome:
        case Outcome.ACCEPTED:
            return CheckResult(what, Health.WELL, "answers, and accepts the token")
        case Outcome.UNAUTHORIZED:
            return CheckResult(
                what, Health.WRONG, "401: the partner token is refused", "Check ALTEGIO_PARTNER_TOKEN."
            )
        case Outcome.REFUSED:
            advice = "Check the application id in the developer account; pass Altegio's words on to its support."
            return CheckResult(what, Health.LOOK, f"{answer.status_code}: {answer.message}", advice)
        case Outcome.LIMITED if answer.status_code is None:
            return CheckResult(what, Health.LOOK, answer.message, "Run this again then.")
        case Outcome.LIMITED:
            return CheckResult(what, Health.LOOK, "429: too many calls", "Try again in a minute.")
    return CheckResult(what, Health.WRONG, answer.message, f"Check the address: {altegio_client().url(call)}")


def _what_altegio_sends() -> Iterator[CheckResult]:
    """Report the differences from docs/altegio.md that nobody has marked as known.

    That page was written from documents, so the first day of real traffic may show differences.
    """
    what = "What Altegio sends"
    unknown = Drift.objects.filter(known_at=None).order_by("-count")
    for drift in unknown[:MAX_DRIFT]:
        form = f", of the form {drift.sample}" if drift.sample else ""
        advice = "Look at it in the control room, under Differences from the contract; mark it as known when you do."
        yield CheckResult(what, Health.LOOK, f"{drift}: {drift.count} times{form}", advice)
    if not unknown:
        yield CheckResult(what, Health.WELL, "is what its documents say, as far as it was seen")


Question = Callable[[], Iterator[CheckResult]]
WITHOUT_DATABASE: tuple[Question, ...] = (_configuration, _database, _broker_and_cache, _worker, mail_server)
QUESTIONS: tuple[Question, ...] = (
    *WITHOUT_DATABASE,
    stored_secrets,
    _staff,
    _applications,
    _altegio,
    _application_tokens,
    _clock,
    _what_altegio_sends,
)

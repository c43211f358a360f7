"""All the processes: the portal's own, its PostgreSQL and Redis, and Altegio. They keep running from seed to seed."""

import json
import time
from collections.abc import Callable
from pathlib import Path
from typing import Any

import psycopg
import requests
from celery import Celery

from chaos.clock import Clock
from chaos.mail import Mail
from chaos.partner import Partner
from chaos.servers import Postgres, Redis
from sandbox import Sandbox
from sandbox.settings import Settings
from tests.end_to_end.portal import PARTNER_TOKEN, ROOT, Portal, Program, wait_for
from tests.end_to_end.stores import PostgresDatabase, Rows

# The limits of both sides, far above the real ones, so that an hour's work fits into seconds.
PER_SECOND, PER_MINUTE = 60, 3600
ENVIRONMENT = {
    "ALTEGIO_REQUESTS_PER_SECOND": str(PER_SECOND),
    "ALTEGIO_REQUESTS_PER_MINUTE": str(PER_MINUTE),
    # Shorter than the longest delay among the faults, so that such an answer is lost.
    "ALTEGIO_TIMEOUT": "1",
    # Longer than every delay: after it Altegio processes nothing any more.
    "ALTEGIO_SETTLING_SECONDS": "4",
    # The sandbox recognises a repeated phone call by its `call_id`, so that none is lost and none is doubled.
    "TELEPHONY_RESEND_UNCONFIRMED": "true",
    "WEB_CONCURRENCY": "1",
    # A bot may have few claims, so that they end within a seed. The network's limit is high, because every visitor
    # here comes from one network.
    "UNPROVEN_LOCATIONS_PER_ADDRESS": "60",
    "UNPROVEN_LOCATIONS_PER_NETWORK": "100000",
    "CONTESTED_SETTLING_SECONDS": "6",
    "EMAIL_TIMEOUT": "2",
    "EVENTS_ALLOW_PRIVATE": "true",
}
SCOPES = ("billing", "sms", "telephony", "read")


TELL_THE_PARTNER = """
from integrations.partner_events.endpoints import new_endpoint
print(new_endpoint({url!r}, [], None, "").secret)
"""


class Stage:
    """The processes, started once; `begin` renews everything for a seed.

    `before`: the checkout of the version that each seed begins with and `upgrade` replaces; None for this version.
    """

    def __init__(self, folder: Path, before: Path | None = None) -> None:
        folder.mkdir(parents=True)
        self.folder, self._before = folder, before
        self.clock = Clock(folder / "clock")
        self.postgres = Postgres()
        self.redis = Redis(folder / "redis")
        limits = Settings(requests_per_second=PER_SECOND, requests_per_minute=PER_MINUTE)
        self.altegio = Sandbox(partner_token=PARTNER_TOKEN, settings=limits).start()
        stores = {"DATABASE_URL": self.postgres.url, "REDIS_URL": self.redis.url}
        self.mail = Mail()
        self.portal = Portal(folder, self.altegio.app_url, stores, EMAIL_URL=self.mail.url, **ENVIRONMENT)
        self.altegio.portal_url = self.portal.url
        self.portal.code = before or ROOT
        self.portal.prepare()
        self.api_key = self.portal.command("create_api_key", "chaos", "--scopes", *SCOPES).splitlines()[-1]
        self.partner = Partner()
        tell = TELL_THE_PARTNER.format(url=self.partner.url)
        self.partner.secret = self.portal.command("shell", "-v0", "-c", tell).splitlines()[-1]
        self._database.keep_as_template()
        self._programs: dict[str, Program] = {}
        self._clocked = False
        self._starts: dict[str, Callable[..., Program]] = {
            "web": self.portal.start_web,
            "worker-1": self.portal.start_worker,
            "worker-2": self.portal.start_worker,
            "beat": self.portal.start_beat,
        }

    @property
    def _database(self) -> PostgresDatabase:
        database = self.portal.database
        if not isinstance(database, PostgresDatabase):
            raise TypeError("Chaos needs PostgreSQL.")
        return database

    def begin(self, *, clocked: bool, **altegio: Any) -> None:
        """Begin with an empty portal and a new Altegio. Every process runs, and its clock can be set if `clocked`."""
        if clocked != self._clocked or self._before:
            self.portal.stop()
            self._clocked, self.portal.code = clocked, self._before or ROOT
        for log in (*self.folder.glob("*.log"), self.postgres.log):
            log.write_text("")
        self.clock.set(0)
        self._database.renew()
        self.redis.empty()
        self.altegio.reset()
        self.partner.forget()
        self.altegio.configure(**altegio)
        for name in self._starts:
            self.start(name)
        wait_for(lambda: self.portal.page("/readyz/").ok, "the portal is ready")

    def start(self, name: str) -> None:
        """Start one of the portal's processes, unless it is running."""
        program = self._programs.get(name)
        if program is None or not program.is_running:
            # More than `plan.LARGEST_OFFSET`: a clock that is known to be wrong must not lose honest owners.
            clocked = {**self.clock.environment, "ALTEGIO_CLOCK_TOLERANCE": "60"}
            self._programs[name] = self._starts[name](**clocked if self._clocked else {})

    def kill(self, name: str) -> None:
        self._programs[name].kill()

    def upgrade(self) -> None:
        """Migrate while the version before serves, then replace one process after another (docs/operations.md)."""
        self.portal.code = ROOT
        self.portal.command("migrate", "--noinput", "--verbosity", "0")
        for name in self._starts:
            self._programs[name].stop()
            self.start(name)

    def died_by_itself(self) -> list[str]:
        return [name for name, program in self._programs.items() if not program.is_running]

    def api(self, method: str, path: str, body: object = None) -> requests.Response:
        """Call the API as one of the partner's own systems."""
        return requests.request(
            method,
            f"{self.portal.url}/api/v1/{path}",
            json=body,
            headers={"Authorization": f"Api-Key {self.api_key}"},
            timeout=15,
        )

    def query(self, sql: str) -> Rows:
        """Return rows of the portal's database, or none after a change."""
        return self._database.query(sql)

    def run_task(self, name: str) -> None:
        """Queue a task now that beat would queue at its hour."""
        with Celery(broker=self.portal.broker.environment["REDIS_URL"], set_as_current=False) as app:
            app.send_task(name)

    def settled(self) -> bool:
        """Return whether nothing is waiting any more, and Altegio has sent all its callbacks."""
        try:
            waiting = self.query(WAITING)[0]
        except psycopg.Error:
            return False
        return not any(waiting) and self.altegio.callbacks.wait(0.01)

    def compare(self) -> bool:
        """Queue beat tasks that find what no callback reported. Return whether the nightly comparison began."""
        self.run_task("integrations.reconciliation.tasks.recheck")
        self.run_task("integrations.reconciliation.tasks.reconcile")
        self.run_task("partner_portal.core.tasks.watch")
        # A phone call reported at the moment when the telephony was switched on is found by a task of each minute.
        self.run_task("integrations.telephony.tasks.settle_kept_calls")
        begun = "SELECT count(*) FROM reconciliation_reconciliation"
        try:
            wait_for(lambda: self.query(begun)[0][0], "the comparison begins", timeout=120)
        except AssertionError:
            return False
        return True

    def hurry(self) -> None:
        """Make calls and deliveries with a long wait due now, as the staff's button does: the waiting is not tested.

        A call that only waits until Altegio has finished with it (`ALTEGIO_SETTLING_SECONDS`) keeps waiting.
        """
        self.query(
            "UPDATE outbox_outgoingcall SET due_at = now() WHERE id IN (SELECT id FROM "
            "outbox_outgoingcall WHERE state IN ('queued', 'unconfirmed') AND due_at > now() + interval '5 s' "
            "FOR UPDATE SKIP LOCKED)"
        )
        # No worker's lease is that long, so a delivery in progress is left alone.
        self.query(
            "UPDATE partner_events_webhookdelivery SET due_at = now() WHERE id IN (SELECT id FROM "
            "partner_events_webhookdelivery WHERE state = 'waiting' AND due_at > now() + interval '35 s' "
            "FOR UPDATE SKIP LOCKED)"
        )

    def keep(self, folder: Path) -> None:
        """Copy the evidence: logs, Altegio's books and journal, the portal's tables."""
        folder.mkdir(parents=True, exist_ok=True)
        for log in self.folder.glob("*.log"):
            (folder / log.name).write_bytes(log.read_bytes())
        (folder / "altegio.json").write_text(self.altegio.world.snapshot())
        journal = [entry.as_json() for entry in self.altegio.requests()]
        callbacks = [item.as_json() for item in self.altegio.sent_callbacks()]
        (folder / "altegio-journal.json").write_text(json.dumps([journal, callbacks], default=str, indent=1))
        (folder / "database.txt").write_text(self._database.dump())
        (folder / "postgres.log").write_bytes((self.postgres.log).read_bytes())

    def close(self) -> None:
        self.portal.stop()
        self.altegio.stop()
        self.mail.close()
        self.partner.close()
        self.redis.go_on()
        self.redis.kill()
        self.postgres.stop()


# Calls that must still end. One behind a call that is held for a person waits with it.
MOVING = """
o.state IN ('queued', 'sending', 'unconfirmed') AND NOT EXISTS (
    SELECT 1 FROM outbox_outgoingcall held WHERE held.state = 'held' AND held.id < o.id
    AND held.ordering_key = o.ordering_key AND o.ordering_key <> ''
)
"""
WAITING = f"""
SELECT (SELECT count(*) FROM outbox_outgoingcall o WHERE {MOVING}),
       (SELECT count(*) FROM lifecycle_callback WHERE state = 'waiting'),
       (SELECT count(*) FROM messaging_statusbatch WHERE state = 'waiting'),
       (SELECT count(*) FROM reconciliation_reconciliation WHERE state = 'running'),
       (SELECT count(*) FROM partner_events_partnerevent WHERE position IS NULL),
       (SELECT count(*) FROM partner_events_webhookdelivery WHERE state = 'waiting')
"""


def pause(seconds: float) -> None:
    if seconds > 0:
        time.sleep(seconds)

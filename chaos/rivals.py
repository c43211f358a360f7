"""The rivals of an owner: a stranger with an account at Altegio, a bot, the location's next owner.

And input that breaks a careless parser: texts, depths and numbers from outside.
"""

import random
import time
from typing import Any

import psycopg
import requests

from chaos.plan import Act
from chaos.stage import pause
from chaos.story import AGAIN_AFTER, FORM, PATIENCE, GaveUpError, StoryBase
from sandbox.models import Status

STRANGER, HEIR = 1_000_000, 2_000_000
# Ids of locations that Altegio does not know.
BOTS_IDS = range(70_000_000, 80_000_000)
DEEP = "[" * 980 + "]" * 980
HALF = '"\\ud83d \\u0000 \\u202e"'
POISON = (
    f'{{"salon_id": {DEEP}, "application_id": 1, "event": "uninstall"}}',
    f'{{"salon_id": 1, "application_id": 1, "event": {HALF}}}',
    '{"salon_id": 1E+999999999999999999999, "application_id": 1, "event": "freeze"}',
    '{"salon_id": 1, "application_id": 1, "event": "payment", "date": "0001-01-01T01:16:20+01:16:20"}',
    f'{{"resource": {HALF}, "status": "create", "data": {DEEP}}}',
    f'[{{"resource": "record", "status": "create", "resource_id": 1E+400, "data": {{{HALF}: {HALF}}}}}]',
    '{"a": "b',
)
SIGN_UP = {"name": "https://evil.example", "phone": "", "password": "a-long-password-4711"}


class Rivals(StoryBase):
    """A story with the acts of others around its locations."""

    def _stranger(self, act: Act, salon_id: int) -> None:
        """Open a link as a stranger for a location that is connected: they must not get it."""
        stranger = self._rival_arrives(STRANGER + act.number, [salon_id])
        if act.chance < 0.6:
            self._staff_dismiss(stranger, salon_id)

    def _sell(self, act: Act, salon_id: int) -> None:
        """Connect the location for its next owner, then give it back to the former one."""
        self._leave(salon_id)
        heir = self._make_user(HEIR + act.number, "heir")
        self.notes.heirs[salon_id] = f"heir-{HEIR + act.number}@people.example"
        self.altegio.grant(salon_id, self.plan.application, heir)
        url = self.altegio.arrival_url(salon_id, self.plan.application, heir)
        self._insist("the next owner's arrival", lambda: self.stage.portal.page(url), (303,))
        self.notes.grants[salon_id] += 1
        self._staff_decide([salon_id], self.notes.heirs[salon_id])
        self._leave(salon_id)
        self._connect([salon_id])

    def _leave(self, salon_id: int) -> None:
        self._payments_may_fail(salon_id)
        self.altegio.uninstall(salon_id, self.plan.application)

    def _poison(self, act: Act, _salon_id: int) -> None:
        """Send input that breaks a careless parser to every public endpoint; none may answer with a server error."""
        poison = POISON[act.number % len(POISON)].encode()
        portal = self.stage.portal
        for path in ("/altegio/callback/", self._event_address(), "/altegio/messages/"):
            send = lambda path=path: portal.page(  # noqa: E731
                path, method="POST", data=poison, headers={"Content-Type": "application/json"}
            )
            self._insist(f"poison at {path[:20]}", send, (200, 400, 401, 403, 404, 413))
        self._insist("poison to the API", lambda: self._api_poison(poison), (400, 401, 403, 404, 409))

    def _api_poison(self, poison: bytes) -> requests.Response:
        headers = {"Authorization": f"Api-Key {self.stage.api_key}", "Content-Type": "application/json"}
        return self.stage.portal.page("/api/v1/payments/", method="POST", data=poison, headers=headers)

    def _event_address(self) -> str:
        """Return where Altegio sends the events of the story's first location; a made-up path before it knows any."""
        held = self.altegio.connection(self.locations[0], self.plan.application)
        known = held.webhook_urls if held else []
        return known[0] if known else "/altegio/events/made-up/"

    # --- before and beside the owner --------------------------------------------------------------
    def _beset(self, salon_ids: list[int]) -> None:
        """Name the locations as a bot and as a stranger, before the owner's consent or after their arrival."""
        for number in range(2):
            self._bot_arrives(number, salon_ids)
        self._rival_arrives(STRANGER + self.plan.number * 100, salon_ids)

    def _bot_arrives(self, number: int, salon_ids: list[int]) -> None:
        """Arrive as a bot with 1,500 more ids, under an address that nobody has; any answer will do."""
        rng = random.Random(self.plan.number * 10 + number)
        ids = [*salon_ids, *rng.sample(BOTS_IDS, 1500)]
        listed = ",".join(map(str, ids))
        page = f"/connect/{self.plan.application}/?salon_ids={listed}"
        form = self._insist("the bot's form", lambda: self.stage.portal.page(page), (200, 400, 429))
        if found := FORM.search(form.text):
            person = SIGN_UP | {"email": f"bot-{self.plan.number}-{number}@made-up.example"}
            address = found.group(1)
            post = lambda: self.stage.portal.page(address, method="POST", data=person)  # noqa: E731
            self._insist("the bot's sign-up", post, (200, 303, 400, 403, 409, 429))

    def _rival_arrives(self, number: int, salon_ids: list[int]) -> str:
        """Arrive as a stranger with Altegio's signature, and return their e-mail address."""
        stranger = self._make_user(number, "stranger")
        self.notes.strangers.update(salon_ids)
        url = self.altegio.arrival_url(salon_ids, self.plan.application, stranger)
        self._insist("the stranger's arrival", lambda: self.stage.portal.page(url), (303,))
        return f"stranger-{number}@people.example"

    # --- staff ------------------------------------------------------------------------------------
    def _staff_decide(self, salon_ids: list[int], email: str, *, late: bool = False) -> None:
        """Decide for this person wherever a location is in conflict, as staff do, until all are theirs.

        `late`: let the windows pass first. Raises GaveUpError if it does not succeed in time.
        """
        ends_at, waits = time.monotonic() + PATIENCE, late
        while time.monotonic() < ends_at:
            rows = self._claims(salon_ids, email)
            theirs = {salon for salon, _pk, state, owner in rows if state in ("active", "frozen") and owner}
            if theirs >= set(salon_ids) and all(self._is_alive(salon) for salon in salon_ids):
                return
            if waits and (disputed := [pk for _salon, pk, state, _owner in rows if state == "conflict"]):
                self._let_windows_pass(disputed)
                waits = False
            self._decide(rows, theirs)
            pause(AGAIN_AFTER)
        raise GaveUpError(f"staff could not help {email}: {self._claims(salon_ids, email)}")

    def _is_alive(self, salon_id: int) -> bool:
        return self.altegio.status_of(salon_id, self.plan.application) in (Status.ACTIVE, Status.FREEZED)

    def _decide(self, rows: list[tuple[int, int, str, str | None]], theirs: set[int]) -> None:
        newest = {salon: (pk, state) for salon, pk, state, _owner in rows if salon not in theirs}
        for pk, state in newest.values():
            action = {"failed": "try_again", "expired": "try_again", "granted": ""}.get(state, "give")
            if action:
                self._act(action, pk)

    def _act(self, action: str, pk: int) -> None:
        try:
            self.staff.act(action, pk)
        except requests.RequestException:
            return  # the next round tries again

    def _claims(self, salon_ids: list[int], email: str) -> list[tuple[int, int, str, str | None]]:
        """Return a person's claims: location, connection, state, and their address if they own it."""
        listed = ",".join(map(str, salon_ids))
        rows: list[tuple[int, int, str, str | None]] = self._rows(
            "SELECT l.altegio_id, c.id, c.state, o.email FROM connections_connection c "
            "JOIN connections_location l ON l.id = c.location_id JOIN connections_application a "
            "ON a.id = c.application_id LEFT JOIN accounts_user o ON o.id = c.owner_id "
            "JOIN accounts_user p ON p.id = COALESCE(c.owner_id, c.claimant_id) "
            f"WHERE a.altegio_id = {self.plan.application} AND l.altegio_id IN ({listed}) "
            f"AND p.email = '{email}' ORDER BY c.id"
        )
        return rows

    def _let_windows_pass(self, claims: list[int]) -> None:
        """End the windows of these claims now, as if the hour had passed."""
        listed = ",".join(map(str, claims))
        self._rows(f"UPDATE connections_connection SET deadline_at = now() WHERE id IN ({listed})")
        self._rows(
            "UPDATE outbox_outgoingcall SET deadline_at = now() WHERE kind = 'activate' "
            f"AND connection_id IN ({listed}) AND state IN ('held', 'queued', 'unconfirmed')"
        )

    def _staff_dismiss(self, email: str, salon_id: int) -> None:
        """Dismiss a stranger's claim, as staff do, if it is in conflict within 10 seconds. It must stay dismissed."""
        ends_at = time.monotonic() + 10
        while time.monotonic() < ends_at:
            rows = self._rows(
                "SELECT c.id, c.state FROM connections_connection c JOIN connections_location l "
                "ON l.id = c.location_id JOIN accounts_user p ON p.id = c.claimant_id "
                f"WHERE l.altegio_id = {salon_id} AND p.email = '{email}'"
            )
            if rows and rows[-1][1] == "conflict":
                self._act("dismiss", rows[-1][0])
            elif rows and rows[-1][1] == "failed":
                self.notes.dismissed.add(rows[-1][0])
                return
            pause(AGAIN_AFTER)

    def _rows(self, sql: str) -> Any:
        """Return the rows of a query, which is repeated while the database is down."""
        ends_at = time.monotonic() + PATIENCE
        while True:
            try:
                return self.stage.query(sql)
            except psycopg.Error:
                if time.monotonic() > ends_at:
                    raise
                pause(AGAIN_AFTER)

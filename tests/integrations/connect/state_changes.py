"""Each change of a connection's state, as it happens."""

from collections.abc import Callable
from datetime import timedelta

import time_machine
from django.test import Client
from django.utils import timezone

from accounts.models import User
from integrations.activation import staff
from integrations.connections.models import Connection, State
from integrations.connections.transitions import move
from integrations.outbox.models import OutgoingCall
from integrations.status_sync.disconnect import disconnect
from integrations.status_sync.status_sync import ask_status
from sandbox import Sandbox
from tests.marketplace import AURORA_1, EMMA, MARIA, arrive, follow
from tests.working import Work


class World:
    """The actors and helpers that play the rows."""

    def __init__(self, client: Client, altegio: Sandbox, work: Work) -> None:
        self.client, self.altegio, self.work = client, altegio, work
        self.support = User.objects.create_user("support@example.com", "pass", is_staff=True)

    def arrive(self, user_id: int = EMMA) -> None:
        arrive(self.client, self.altegio, AURORA_1, user_id=user_id)

    def follow(self, user_id: int = EMMA) -> None:
        follow(self.client, self.altegio, AURORA_1, user_id=user_id)

    def active(self) -> None:
        self.arrive()
        self.work()

    def freeze_at_altegio(self) -> None:
        self.altegio.freeze(AURORA_1)

    def ask(self) -> None:
        ask_status(Connection.objects.order_by("pk")[0])
        self.work()

    def at_the_end_of_the_window(self) -> None:
        with time_machine.travel(timezone.now() + timedelta(seconds=3601)):
            self.work()

    def lost(self, then: Callable[[], None] = lambda: None) -> None:
        """Let Altegio accept Emma's call, and lose the answer."""
        self.altegio.fault("drop_after", "activate")
        self.arrive()
        self.work(rounds=1)
        then()

    def lost_and_over(self, state: str, then: Callable[[], None] = lambda: None) -> None:
        self.lost(then)
        OutgoingCall.objects.filter(kind="activate").update(state="cancelled")
        move(Connection.objects.get(), State(state), "As if the answer had been lost for an hour.")
        self.ask()

    def wrongly_uninstalled(self, then: Callable[[], None] = lambda: None) -> None:
        self.active()
        then()
        move(Connection.objects.get(), State.UNINSTALLED, "As if.", ended_at=timezone.now())
        self.ask()


def _granted_frozen(world: World) -> None:
    world.lost(world.freeze_at_altegio)
    world.work()


def _conflict_active(world: World) -> None:
    world.lost(lambda: world.follow(MARIA))
    OutgoingCall.objects.update(state="unconfirmed", due_at=timezone.now())
    world.work()


def _conflict_frozen(world: World) -> None:
    world.lost(lambda: world.follow(MARIA))
    world.freeze_at_altegio()
    OutgoingCall.objects.update(state="unconfirmed", due_at=timezone.now())
    world.work()


def _refused(world: World) -> None:
    world.follow()
    world.work()


def _dispute(world: World) -> None:
    world.arrive()
    world.follow(MARIA)


def _staff_decide(world: World) -> None:
    _dispute(world)
    staff.give_to_claimant(Connection.objects.order_by("pk")[0].pk, world.support)


def _conflict_over(world: World) -> None:
    _dispute(world)
    world.at_the_end_of_the_window()


def _frozen(world: World) -> None:
    world.active()
    world.freeze_at_altegio()
    world.ask()


def _reactivated(world: World) -> None:
    _frozen(world)
    world.altegio.pay(AURORA_1)
    world.ask()


def _uninstalled(world: World) -> None:
    world.active()
    disconnect(Connection.objects.get().pk, by=None, why="It ends.")
    world.work()


def _frozen_uninstalled(world: World) -> None:
    _frozen(world)
    world.altegio.uninstall(AURORA_1)
    world.ask()


def _expired(world: World) -> None:
    world.arrive()
    world.at_the_end_of_the_window()


def _again(world: World, before: Callable[[World], None]) -> None:
    before(world)
    staff.try_again(Connection.objects.get().pk, world.support)


PLAYS: dict[tuple[str, str], Callable[[World], None]] = {
    ("granted", "active"): World.active,
    ("granted", "frozen"): _granted_frozen,
    ("granted", "expired"): _expired,
    ("granted", "failed"): _refused,
    ("granted", "conflict"): _dispute,
    ("conflict", "granted"): _staff_decide,
    ("conflict", "active"): _conflict_active,
    ("conflict", "frozen"): _conflict_frozen,
    ("conflict", "failed"): _conflict_over,
    ("active", "frozen"): _frozen,
    ("active", "uninstalled"): _uninstalled,
    ("frozen", "active"): _reactivated,
    ("frozen", "uninstalled"): _frozen_uninstalled,
    ("expired", "granted"): lambda world: _again(world, _expired),
    ("expired", "active"): lambda world: world.lost_and_over("expired"),
    ("expired", "frozen"): lambda world: world.lost_and_over("expired", world.freeze_at_altegio),
    ("failed", "granted"): lambda world: _again(world, _refused),
    ("failed", "active"): lambda world: world.lost_and_over("failed"),
    ("failed", "frozen"): lambda world: world.lost_and_over("failed", world.freeze_at_altegio),
    ("uninstalled", "active"): World.wrongly_uninstalled,
    ("uninstalled", "frozen"): lambda world: world.wrongly_uninstalled(world.freeze_at_altegio),
}

"""The connection's page, for a caller who says "it does not work": its state, the next steps and its history."""

from collections.abc import Iterable
from dataclasses import dataclass
from datetime import date
from itertools import groupby
from typing import Any, cast

from django.contrib import admin
from django.contrib.auth import get_permission_codename
from django.db.models import Model
from django.http import HttpRequest
from django.urls import reverse
from django.utils import timezone
from django.utils.safestring import SafeString
from django_stubs_ext import StrOrPromise

from accounts.models import User
from integrations.activation.models import TakenSettings
from integrations.backoffice.timeline.entries import Entry, timeline
from integrations.backoffice.timeline.next_steps import NextStep, next_steps
from integrations.backoffice.timeline.notes import notes_on
from integrations.backoffice.timeline.sections import sections_of
from integrations.connections.models import Connection
from integrations.location_profiles.models import LocationPerson, LocationProfile
from integrations.webhook_settings.models import WebhookSettings
from partner_portal.core.admin_base import BaseAdmin, link_to
from partner_portal.core.bidi import isolated
from partner_portal.core.english import english as _
from partner_portal.core.english import english_plural

MAX_OTHERS = 20


@dataclass(frozen=True)
class Button:
    """A button for an action of a row's admin page: its name, its title and the URL that it posts to."""

    action: str
    title: StrOrPromise
    post_to: str
    pk: int


def case_of(
    connection: Connection, request: HttpRequest, actions: Iterable[tuple[str, StrOrPromise]]
) -> dict[str, Any]:
    """Return the context for the part of the connection's page above its fields, in a constant number of queries.

    It holds only what the reader may view. `actions` are the (name, title) pairs that the reader may take; a step
    offers no other action.
    """
    reader = cast("User", request.user)
    steps, titles = next_steps(connection), dict(actions)
    advised = {step.action for step in steps if step.row is None}
    return {
        "title": connection.location,
        "subtitle": connection.application,
        "steps": [(step, _button(step, connection, titles, request)) for step in steps],
        "other_actions": [_posted(connection, name, titles[name]) for name in titles if name not in advised],
        "sections": sections_of(connection, reader),
        "days": _by_day([entry for entry in timeline(connection) if _may_see(reader, entry)]),
        "others": _others(connection),
        "person": _person(connection, reader),
        "ways": _ways(connection),
        "facts": _facts(connection),
        "people": _people(connection, reader),
        "notes": notes_on(connection),
    }


def _button(
    step: NextStep, connection: Connection, titles: dict[str, StrOrPromise], request: HttpRequest
) -> Button | None:
    """Return the button that a step offers, or None if the reader may not take its action."""
    row = step.row or connection
    if step.row is not None:
        room = cast("BaseAdmin", admin.site.get_model_admin(type(row)))
        titles = dict(room.row_actions(request, row))
    return _posted(row, step.action, titles[step.action]) if step.action in titles else None


def _posted(row: Model, action: str, title: StrOrPromise) -> Button:
    name = f"admin:{row._meta.app_label}_{row._meta.model_name}_changelist"
    return Button(action, title, reverse(name), row.pk)


def _person(connection: Connection, reader: User) -> SafeString | str:
    """Return the owner or claimant, with a link to their page if the reader may view it; "" if there is none."""
    person = connection.owner or connection.claimant
    if person is None:
        return ""
    name = person.name or str(person)
    return link_to(person, name) if reader.has_perm("accounts.view_user") else isolated(name)


def _may_see(reader: User, entry: Entry) -> bool:
    if entry.row is None:
        return True
    meta = entry.row._meta
    return reader.has_perm(f"{meta.app_label}.{get_permission_codename('view', meta)}")


def _by_day(entries: list[Entry]) -> list[tuple[date, list[tuple[Entry, str]]]]:
    """Group the entries by day, newest first, each with a link to its row."""
    days = groupby(reversed(entries), key=lambda entry: timezone.localdate(entry.at))
    return [(day, [(entry, _link(entry)) for entry in of_day]) for day, of_day in days]


def _link(entry: Entry) -> str:
    return "" if entry.row is None else link_to(entry.row, _("look"))


def _others(connection: Connection) -> list[Connection]:
    """Return the location's other connections, of other applications and of the past."""
    same_place = Connection.objects.filter(location=connection.location_id).exclude(pk=connection.pk)
    return list(same_place.select_related("application", "owner").order_by("-pk")[:MAX_OTHERS])


def _facts(connection: Connection) -> list[tuple[StrOrPromise, str]]:
    """Return the known facts about the location and its settings at Altegio, as names and values."""
    place = connection.location
    profile = LocationProfile.objects.filter(location=place).first()
    closed = str(_("no")) if place.in_business is False else ""
    facts = [
        (_("address"), ", ".join(part for part in (place.country, place.city, place.address) if part)),
        (_("time zone"), place.timezone_name),
        (_("currency"), profile.currency if profile else ""),
        (_("in business"), closed),
        (_("not fetched"), profile.error if profile else ""),
        (_("settings of the activation"), _settings(connection)),
        (_("webhook settings"), _webhooks(connection)),
    ]
    return [(name, value) for name, value in facts if value]


def _settings(connection: Connection) -> str:
    known = TakenSettings.objects.filter(connection=connection).first()
    return " · ".join(part for part in (known.get_state_display(), known.missing) if part) if known else ""


def _webhooks(connection: Connection) -> str:
    known = WebhookSettings.objects.filter(installation=connection.installation).first()
    if known is None:
        return ""
    others = english_plural("%d address of others", "%d addresses of others", known.others) % known.others
    switched_off = _("all webhooks of the location are switched off") if known.is_active is False else ""
    parts = (known.get_state_display(), others if known.read_at else "", switched_off, known.error)
    return " · ".join(str(part) for part in parts if part)


def _people(connection: Connection, reader: User) -> list[LocationPerson]:
    """Return the people who may manage the location's users at Altegio, if the reader may view people."""
    if not reader.has_perm("location_profiles.view_locationperson"):
        return []
    return list(LocationPerson.objects.filter(location=connection.location_id).order_by("name", "pk")[:MAX_OTHERS])


def _ways(connection: Connection) -> list[tuple[str, str]]:
    """Return the ways to contact the owner or claimant and the location, as (text, URL) pairs."""
    person, place = connection.owner or connection.claimant, connection.location
    ways = [(person.email, f"mailto:{person.email}")] if person and person.email else []
    phones = [phone for phone in (person.phone if person else "", place.phone) if phone]
    return ways + [(phone, f"tel:{phone}") for phone in dict.fromkeys(phones)]

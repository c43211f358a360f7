"""Notes on connections: written by staff, newest first; who is erased takes those about them along, at alerts too.

A note is free text, so it may hold anything of a person. Nothing else depends on it: unlike payments and changes of
state it is not kept as a record when a person of the connection is erased.
"""

from collections.abc import Iterator
from typing import Any

from django import forms
from django.db.models import Q
from django.dispatch import receiver

from accounts.erasure import person_erased
from accounts.models import User
from accounts.personal_data import PERSONAL_DATA
from integrations.alerts.models import Alert
from integrations.backoffice.models import ConnectionNote
from integrations.backoffice.timeline.entries import TIMELINE, Entry, Rank
from integrations.connections.models import Connection
from partner_portal.core.english import english as _

MAX_SHOWN = 50
NOTE_ADDED = "Note added"


class NoteForm(forms.ModelForm[ConnectionNote]):
    """One note, as it is typed."""

    class Meta:
        model = ConnectionNote
        fields = ("text",)
        widgets = {"text": forms.Textarea(attrs={"rows": 3, "maxlength": ConnectionNote.MAX_LENGTH})}
        labels = {"text": _("A new note")}


def notes_on(connection: Connection) -> list[ConnectionNote]:
    """The newest first."""
    return list(connection.notes.select_related("by").order_by("-pk")[:MAX_SHOWN])


@TIMELINE.add(rank=80)
def notes(connection: Connection) -> Iterator[Entry]:
    """Yield what staff noted, beside what happened then."""
    for note in notes_on(connection):
        yield Entry(note.at, Rank.CONSEQUENCE, _("note"), str(note.by or _("staff")), note.text)


def _about(user: User) -> Q:
    return Q(connection__owner=user) | Q(connection__claimant=user)


@receiver(person_erased)
def forget_notes(user: User, **_: Any) -> None:
    """Also those on what somebody claimed under their address, which waits for them."""
    waiting = Connection.objects.filter(Q(arrivals__user=user) | Q(arrivals__expected_user=user))
    about = _about(user) | Q(connection__in=waiting.values("pk"))
    ConnectionNote.objects.filter(about).delete()
    Alert.objects.filter(about).update(note="")


def _notes_about(user: User) -> list[Any]:
    return list(ConnectionNote.objects.filter(_about(user)).order_by("pk").values("at", "text"))


PERSONAL_DATA.register("notes_by_staff", _notes_about, rank=16)

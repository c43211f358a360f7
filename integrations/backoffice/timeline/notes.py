"""Notes of staff on connections, and their deletion when a person is erased, together with the notes on alerts.

A note is free text, so it may hold anything about a person. Nothing else depends on it, so unlike payments and state
changes it is not kept as a record when a person of the connection is erased.
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
from integrations.connect.expectations import arrivals_of
from integrations.connections.models import Connection
from partner_portal.core.english import english as _

MAX_SHOWN = 50
NOTE_ADDED = "Note added"


class NoteForm(forms.ModelForm[ConnectionNote]):
    """The form in which staff write a note."""

    class Meta:
        model = ConnectionNote
        fields = ("text",)
        widgets = {"text": forms.Textarea(attrs={"rows": 3, "maxlength": ConnectionNote.MAX_LENGTH})}
        labels = {"text": _("A new note")}


def notes_on(connection: Connection) -> list[ConnectionNote]:
    """Return the connection's notes, newest first, at most `MAX_SHOWN`."""
    return list(connection.notes.select_related("by").order_by("-pk")[:MAX_SHOWN])


@TIMELINE.add(rank=80)
def notes(connection: Connection) -> Iterator[Entry]:
    """Yield the notes of staff on the connection."""
    for note in notes_on(connection):
        yield Entry(note.at, Rank.CONSEQUENCE, _("note"), str(note.by or _("staff")), note.text)


def _about(user: User) -> Q:
    return Q(connection__owner=user) | Q(connection__claimant=user)


@receiver(person_erased)
def forget_notes(user: User, email: str, altegio_user_ids: set[int], **_: Any) -> None:
    """Delete the notes on all connections of an erased person, and the notes on alerts about these.

    These include connections that arrived for the person or that somebody claimed under their e-mail address.
    """
    waiting = Connection.objects.filter(arrivals__in=arrivals_of(user, email, altegio_user_ids))
    about = _about(user) | Q(connection__in=waiting.values("pk"))
    ConnectionNote.objects.filter(about).delete()
    Alert.objects.filter(about).update(note="")


def _notes_about(user: User) -> list[Any]:
    return list(ConnectionNote.objects.filter(_about(user)).order_by("pk").values("at", "text"))


PERSONAL_DATA.register("notes_by_staff", _notes_about, rank=16)

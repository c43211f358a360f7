"""The outgoing calls that fetch the notification settings of a location and of a user (docs/altegio.md §2)."""

from typing import Any

from django.db import transaction
from django.utils import timezone

from integrations.altegio import requests
from integrations.altegio.answers import Answer, read_list, read_user_settings
from integrations.altegio.requests import ApiRequest
from integrations.outbox.call_kinds import CallKind, ObsoleteError, register
from integrations.outbox.models import OutgoingCall, Priority
from integrations.outbox.queue import queue_newest
from integrations.user_tokens.models import UserToken
from partner_portal.core.clean import storable_json
from partner_portal.core.english import english as _


@transaction.atomic
def fetch_notification_settings(token: UserToken) -> None:
    """Queue both requests; one that is queued already is not queued twice."""
    UserToken.objects.filter(pk=token.pk).update(error="")
    queue_newest(FetchNotificationTypes, f"notification_types:{token.pk}", user_token=token.pk)
    queue_newest(FetchUserSettings, f"notification_settings:{token.pk}", user_token=token.pk)


class _Fetch(CallKind):
    """A request that changes nothing at Altegio. A 401 may be about the user token."""

    priority = Priority.HOUSEKEEPING
    idempotent = True
    uses_own_credential = True

    def _columns(self, answer: Answer) -> dict[str, Any]:
        raise NotImplementedError

    def accepted(self, call: OutgoingCall, answer: Answer) -> None:
        self._learn(call, **self._columns(answer), fetched_at=timezone.now())

    def refused(self, call: OutgoingCall, reason: str, answer: Answer) -> None:
        self._learn(call, error=reason[:500])

    def _learn(self, call: OutgoingCall, **fields: Any) -> None:
        UserToken.objects.filter(pk=call.params["user_token"]).update(**fields)


@register
class FetchNotificationTypes(_Fetch):
    """An outgoing call that fetches the notification types of a location."""

    name = "notification_types"
    title = _("Notification settings")

    def request(self, call: OutgoingCall) -> ApiRequest:
        token = _token(call)
        return requests.notification_types(token.token, token.location.altegio_id)

    def _columns(self, answer: Answer) -> dict[str, Any]:
        return {"types": storable_json(read_list(answer))}


@register
class FetchUserSettings(_Fetch):
    """An outgoing call that fetches the notification settings of the token's user."""

    name = "notification_users"
    title = _("People to notify")

    def request(self, call: OutgoingCall) -> ApiRequest:
        token = _token(call)
        return requests.notification_settings(token.token, token.location.altegio_id, token.altegio_user_id)

    def _columns(self, answer: Answer) -> dict[str, Any]:
        found = read_user_settings(answer)
        if found is None:
            return {"error": "Altegio's answer holds no settings of this user; what was known stays."}
        return {"user_settings": storable_json(found)}


def _token(call: OutgoingCall) -> UserToken:
    token = UserToken.objects.select_related("location").filter(pk=call.params["user_token"]).first()
    if token is None:
        raise ObsoleteError("The user token was removed.")
    return token

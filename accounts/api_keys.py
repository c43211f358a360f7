"""API keys of the partner's own systems: who calls, and what the key may do (docs/interface.md)."""

import base64
from datetime import timedelta
from typing import TYPE_CHECKING, Literal, get_args

from django.utils import timezone
from rest_framework.authentication import BaseAuthentication, get_authorization_header
from rest_framework.exceptions import AuthenticationFailed, Throttled
from rest_framework.permissions import BasePermission
from rest_framework.request import Request

from accounts.limits import BAD_API_KEYS
from accounts.models import ApiKey
from partner_portal.core.api_scopes import scope_of
from partner_portal.core.fast_query import Rows

if TYPE_CHECKING:
    from rest_framework.views import APIView

Scope = Literal["read", "billing", "sms", "telephony", "chat", "webhooks", "customers"]
SCOPES: tuple[str, ...] = get_args(Scope)
MEANING: dict[Scope, str] = {
    "read": "see connections, and the feed of what happens",
    "billing": "payments, refunds, uninstalling",
    "sms": "sender names, messages and their statuses, whose key Altegio sends with",
    "telephony": "calls and notifications",
    "chat": "chat panels and signals",
    "webhooks": "addresses that events are posted to",
    "customers": "people of the partner's own who have not come yet",
}
USED_EVERY = timedelta(minutes=1)
_usable_keys = Rows[ApiKey](lambda prefix: ApiKey.objects.get_usable_keys().filter(prefix=prefix))


class ApiKeyAuthentication(BaseAuthentication):
    """Authentication by `Authorization: Api-Key <key>`; `request.auth` is then the `ApiKey`."""

    keyword = "Api-Key"

    def authenticate(self, request: Request) -> tuple[None, ApiKey] | None:
        words = self._words(request)
        if not words or words[0].lower() != self.keyword.lower():
            return None
        key = self._valid_key(words[1]) if len(words) == 2 else None
        if key is not None:
            _note_use(key)
            return None, key
        # Only bad keys count against the limit. Otherwise one system with a wrong key would lock out all others at
        # its address.
        if wait := BAD_API_KEYS.hit(request._request):  # noqa: SLF001 - DRF has no public access to it
            raise Throttled(wait)
        raise AuthenticationFailed("This API key is not valid. Make one with: manage.py create_api_key")

    def authenticate_header(self, request: Request) -> str:
        return self.keyword

    def _words(self, request: Request) -> list[str]:
        return get_authorization_header(request).decode("latin-1").split()

    @staticmethod
    def _valid_key(secret: str) -> ApiKey | None:
        if not (secret.isascii() and secret.isprintable()):
            return None
        found = _usable_keys(secret.partition(".")[0])
        return next((key for key in found if key.is_valid(secret) and not key.has_expired), None)


def _note_use(key: ApiKey) -> None:
    now = timezone.now()
    if key.last_used_at is None or now - key.last_used_at > USED_EVERY:
        ApiKey.objects.filter(pk=key.pk).update(last_used_at=now)


class BasicApiKeyAuthentication(ApiKeyAuthentication):
    """Authentication that also takes the key as a Basic password (RFC 7617), the only kind that exchanges know."""

    def _words(self, request: Request) -> list[str]:
        words = super()._words(request)
        if len(words) != 2 or words[0].lower() != "basic":
            return words
        try:
            decoded = base64.b64decode(words[1], validate=True).decode("latin-1")
        except ValueError:
            decoded = ""
        return [self.keyword, decoded.partition(":")[2] or "-"]

    def authenticate_header(self, request: Request) -> str:
        """Return the Basic challenge: most clients send a password only in answer to one."""
        return 'Basic realm="portal"'


class HasScope(BasePermission):
    """Requires a key with the scope that the call needs (`scope_of`); a refusal names that scope."""

    message: str

    def has_permission(self, request: Request, view: "APIView") -> bool:
        wanted = scope_of(view, request.method)
        self.message = f'This API key lacks the scope "{wanted}". Make one that has it with: manage.py create_api_key'
        return isinstance(request.auth, ApiKey) and wanted is not None and wanted in request.auth.scopes

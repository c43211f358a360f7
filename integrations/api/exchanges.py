"""`/api/v1/telephony/exchanges/{name}/`: webhooks that telephone exchanges send in their own format."""

import re
from typing import IO, Any

from django.http import HttpResponse
from drf_spectacular.types import OpenApiTypes
from drf_spectacular.utils import extend_schema
from rest_framework.exceptions import MethodNotAllowed, NotFound, ParseError
from rest_framework.parsers import BaseParser
from rest_framework.request import Request
from rest_framework.response import Response
from rest_framework.views import APIView

from accounts.api_keys import BasicApiKeyAuthentication
from integrations.api.telephony import SavedSerializer, answer_to_call, answer_to_notification
from integrations.telephony.exchange_webhooks import UTF8, mapped_body, point_to_mapping
from integrations.telephony.models import ExchangeWebhook
from partner_portal.core.api_errors import SEND_KEY
from partner_portal.core.clean import InvalidJsonError
from partner_portal.core.english import english as _
from partner_portal.core.media_types import NAMED_CHARSET

# Text that an address may echo: nothing that a browser or a cache could take for more than a word.
_ECHO = re.compile(r"[A-Za-z0-9_-]{1,100}", re.ASCII)


class AnyBody(BaseParser):
    """A parser that returns the bytes, whatever their type: exchanges declare JSON as a form, and the reverse."""

    media_type = "*/*"

    def parse(self, stream: IO[Any], media_type: str | None = None, parser_context: Any = None) -> dict[str, bytes]:
        return {"body": stream.read()}


class Exchange(APIView):
    """Take a webhook of an exchange as it comes, JSON or a form, by the mapping that staff have set for it.

    The key may come as the password of Basic authentication, which is what exchanges know. The answer is that to
    `POST /telephony/calls/` or `/telephony/notifications/`.
    """

    scope = "telephony"
    authentication_classes = [BasicApiKeyAuthentication]
    send_key = f"{SEND_KEY} Or send Basic authentication: any user, the key as the password."
    parser_classes = [AnyBody]

    @extend_schema(
        request={"application/json": OpenApiTypes.OBJECT, "application/x-www-form-urlencoded": OpenApiTypes.OBJECT},
        responses={202: SavedSerializer, 200: SavedSerializer, 400: None, 404: None, 409: None},
    )
    def post(self, request: Request, name: str) -> Response:
        webhook = ExchangeWebhook.objects.select_related("location").filter(name=name).first()
        if webhook is None:
            raise NotFound(_("No webhook of an exchange has this name: add it in the admin, under Integrations."))
        try:
            charset = request.META.get(NAMED_CHARSET, UTF8)
            mapped = mapped_body(webhook, dict(request.data).get("body", b""), charset)
        except InvalidJsonError as problem:
            raise ParseError(str(problem)) from None
        answer = answer_to_notification(mapped) if webhook.rings else answer_to_call(mapped)
        if answer.status_code == 400:
            answer.data = point_to_mapping(webhook, mapped, answer.data)
        return answer

    @extend_schema(exclude=True)
    def get(self, request: Request, name: str) -> HttpResponse:
        """Repeat `zd_echo`, by which Zadarma checks that an address exists. It says nothing of the owner."""
        if not self._is_asked_to_echo(request):
            raise MethodNotAllowed("GET")
        return HttpResponse(request.query_params["zd_echo"], content_type="text/plain")

    def check_permissions(self, request: Request) -> None:
        """Require no key for an echo, because Zadarma has none."""
        if not self._is_asked_to_echo(request):
            super().check_permissions(request)

    @staticmethod
    def _is_asked_to_echo(request: Request) -> bool:
        return request.method == "GET" and _ECHO.fullmatch(request.GET.get("zd_echo", "")) is not None

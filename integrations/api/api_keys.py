"""`/api/v1/connections/resolve-api-key/`: the connection to which a key belongs."""

from drf_spectacular.utils import extend_schema
from rest_framework import serializers
from rest_framework.exceptions import NotFound
from rest_framework.request import Request
from rest_framework.response import Response
from rest_framework.views import APIView

from integrations.api.connections import ConnectionSerializer
from integrations.messaging.api_keys import connection_with_key


class ApiKeySerializer(serializers.Serializer[dict[str, str]]):
    """The key that Altegio called the partner's gateway with."""

    api_key = serializers.CharField(max_length=500)


class ResolveApiKey(APIView):
    """Find the connection whose key Altegio sends text messages with."""

    scope = "sms"

    @extend_schema(request=ApiKeySerializer, responses={200: ConnectionSerializer, 404: None})
    def post(self, request: Request) -> Response:
        asked = ApiKeySerializer(data=request.data)
        asked.is_valid(raise_exception=True)
        connection = connection_with_key(asked.validated_data["api_key"])
        if connection is None:
            raise NotFound("No connection has this key.")
        return Response(ConnectionSerializer(connection).data)

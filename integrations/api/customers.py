"""`/api/v1/customers/{external_id}/`: customers whom the partner knows, before or after they come through Altegio."""

from typing import Any

from drf_spectacular.utils import OpenApiResponse, extend_schema
from rest_framework import serializers, status
from rest_framework.exceptions import APIException, ValidationError
from rest_framework.generics import get_object_or_404
from rest_framework.request import Request
from rest_framework.response import Response
from rest_framework.views import APIView

from accounts.customers import CustomerConflictError, InvalidCustomerError, put_customer, read_customer
from accounts.models import Customer


class ConflictError(APIException):
    """Raised as a 409 when the e-mail is somebody else's."""

    status_code = status.HTTP_409_CONFLICT


class CustomerDataSerializer(serializers.Serializer[Any]):
    """The partner's data of a customer; the language is one of the portal's."""

    email = serializers.EmailField(max_length=254)
    name = serializers.CharField(max_length=200, required=False, allow_blank=True, allow_null=True)
    phone = serializers.CharField(max_length=32, required=False, allow_blank=True, allow_null=True)
    language = serializers.CharField(max_length=8, required=False, allow_blank=True, allow_null=True)


class CustomerSerializer(serializers.ModelSerializer[Customer]):
    """A customer, as the partner last sent them."""

    owner_id = serializers.IntegerField(
        source="user_id",
        allow_null=True,
        help_text="Their account, as connections name it; null until they have proven the address.",
    )

    class Meta:
        model = Customer
        fields = ("external_id", "email", "name", "phone", "language", "owner_id", "created_at", "updated_at")
        read_only_fields = fields


class CustomerView(APIView):
    """One customer, under the partner's own id."""

    scope = "customers"

    @extend_schema(responses=CustomerSerializer)
    def get(self, request: Request, external_id: str) -> Response:
        """Return what was sent last."""
        known = get_object_or_404(Customer, external_id=external_id)
        return Response(CustomerSerializer(known).data)

    @extend_schema(
        request=CustomerDataSerializer,
        responses={
            200: CustomerSerializer,
            201: OpenApiResponse(CustomerSerializer, description="The customer is new."),
            409: OpenApiResponse(description="The e-mail is another customer's, or that of a member of staff."),
        },
    )
    def put(self, request: Request, external_id: str) -> Response:
        """Send a customer, as often as you like; what is left out is empty from then on.

        A person who arrives from Altegio under the address is led to their account, and first proves that they read
        its mail. Their connections carry the id once they are bound.
        """
        if not isinstance(request.data, dict):
            raise ValidationError({"non_field_errors": ["Send a JSON object."]})
        try:
            customer, is_new = put_customer(read_customer(external_id, request.data))
        except InvalidCustomerError as problem:
            raise ValidationError(problem.errors) from None
        except CustomerConflictError as problem:
            raise ConflictError({"email": [str(problem)]}) from None
        answer = status.HTTP_201_CREATED if is_new else status.HTTP_200_OK
        return Response(CustomerSerializer(customer).data, answer)

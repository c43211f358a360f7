"""The views of `/api/v1/payments/`."""

from typing import Any

from django.db.models import QuerySet
from django.http import Http404
from drf_spectacular.utils import OpenApiResponse, extend_schema
from rest_framework import serializers, status
from rest_framework.exceptions import APIException, ValidationError
from rest_framework.generics import ListAPIView, RetrieveAPIView
from rest_framework.request import Request
from rest_framework.response import Response
from rest_framework.views import APIView

from billing.intake import Overlap, PaymentConflictError, record_payment, send_again, shown_payments
from billing.models import Payment, PaymentStatus, Source
from billing.parsing import InvalidPaymentError, read_payment
from billing.refunds import refund_payment
from partner_portal.core.external_ids import MAX_EXTERNAL_ID
from partner_portal.core.list_parameters import UPDATED_SINCE, choice, number, words

FIELDS = frozenset(
    {"external_id", "salon_id", "application_id", "amount", "currency", "paid_at", "period_from", "period_to"}
    | {"allow_overlap"}
)


class PaymentConflictAPIError(APIException):
    """Answers 409: the request is well formed, but does not fit the payment as it is."""

    status_code = status.HTTP_409_CONFLICT
    default_code = "conflict"


class PaymentDataSerializer(serializers.Serializer[Any]):
    """A payment as a billing system reports it."""

    external_id = serializers.CharField(max_length=200, help_text="Your own id; it makes the call repeatable.")
    salon_id = serializers.IntegerField(min_value=1)
    application_id = serializers.IntegerField(
        min_value=1, required=False, help_text="The default application if absent."
    )
    amount = serializers.CharField(help_text='Plain digits as text with at most the currency\'s decimals: "990.99".')
    currency = serializers.CharField(min_length=3, max_length=3, help_text="ISO 4217.")
    paid_at = serializers.DateTimeField(help_text="ISO 8601 with zone; fractions of a second are dropped.")
    period_from = serializers.DateTimeField()
    period_to = serializers.DateTimeField(help_text="It belongs to the period, as period_from does.")
    allow_overlap = serializers.BooleanField(
        required=False,
        help_text=(
            "A period may overlap that of an earlier payment. Absent: the payment is taken, and `warnings` says "
            "so. false: it is refused with 400 on period_from. true: it is taken without a warning."
        ),
    )


class PaymentSerializer(serializers.ModelSerializer[Payment]):
    """A payment as the partner's own systems see it."""

    application_id = serializers.IntegerField(source="application.altegio_id")
    salon_id = serializers.IntegerField(source="location.altegio_id")
    connection_id = serializers.IntegerField()
    amount = serializers.SerializerMethodField()

    class Meta:
        model = Payment
        fields = (
            "id",
            "external_id",
            "source",
            "connection_id",
            "application_id",
            "salon_id",
            "amount",
            "currency",
            "paid_at",
            "period_from",
            "period_to",
            "status",
            "error",
            "altegio_payment_id",
            "recorded_at",
            "reported_at",
            "refunded_at",
            "updated_at",
        )
        read_only_fields = fields

    def get_amount(self, payment: Payment) -> str:
        return str(payment.exact_amount)

    def to_representation(self, payment: Payment) -> dict[str, Any]:
        """Write the fields by hand: building them anew for each request costs more than everything else it does."""
        return {
            "id": payment.pk,
            "external_id": payment.external_id,
            "source": payment.source,
            "connection_id": payment.connection_id,
            "application_id": payment.application.altegio_id,
            "salon_id": payment.location.altegio_id,
            "amount": self.get_amount(payment),
            "currency": payment.currency,
            "paid_at": payment.paid_at,
            "period_from": payment.period_from,
            "period_to": payment.period_to,
            "status": payment.status,
            "error": payment.error,
            "altegio_payment_id": payment.altegio_payment_id,
            "recorded_at": payment.recorded_at,
            "reported_at": payment.reported_at,
            "refunded_at": payment.refunded_at,
            "updated_at": payment.updated_at,
        }


class TakenSerializer(PaymentSerializer):
    """The recorded payment, with `warnings` about what to look at: an overlap, an unknown field."""

    warnings = serializers.ListField(child=serializers.CharField(), read_only=True)

    class Meta(PaymentSerializer.Meta):
        fields: tuple[str, ...] = (*PaymentSerializer.Meta.fields, "warnings")  # type: ignore[assignment]


class PaymentList(ListAPIView[Payment]):
    """Payments, newest first."""

    scope = "billing"
    serializer_class = PaymentSerializer
    parameters = {
        "external_id": words("external_id", MAX_EXTERNAL_ID, "Your own id; it finds one payment at most."),
        "salon_id": number("location__altegio_id"),
        "application_id": number("application__altegio_id"),
        "connection": number("connection", "The id of a connection."),
        "status": choice("status", {status.value: status.value for status in PaymentStatus}),
        "updated_since": UPDATED_SINCE,
    }

    def get_queryset(self) -> QuerySet[Payment]:
        return shown_payments()

    @extend_schema(
        request=PaymentDataSerializer,
        responses={
            202: TakenSerializer,
            200: OpenApiResponse(TakenSerializer, description="The same external_id with the same content, again."),
            400: OpenApiResponse(description="The wrong fields, each with its reason."),
            409: OpenApiResponse(
                description="The same external_id with other content, and the payment has not failed."
            ),
        },
    )
    def post(self, request: Request) -> Response:
        """Report a payment; it is reported to Altegio once, however often the call is repeated.

        Other content under the external_id of a payment that failed replaces its content: Altegio is asked whether it
        holds the payment after all, and it is sent.
        """
        if not isinstance(request.data, dict):
            raise ValidationError({"non_field_errors": ["Send a JSON object."]})
        try:
            recorded = record_payment(read_payment(request.data), Source.API, overlap=_overlap(request.data))
        except InvalidPaymentError as problem:
            raise ValidationError(problem.errors) from None
        except PaymentConflictError as problem:
            raise PaymentConflictAPIError({"external_id": [str(problem)]}) from None
        warnings = [*recorded.warnings, *_ignored(request.data)]
        body = {**PaymentSerializer(recorded.payment).data, "warnings": warnings}
        return Response(body, status.HTTP_202_ACCEPTED if recorded.is_new else status.HTTP_200_OK)


def _ignored(data: dict[str, Any]) -> list[str]:
    """Return a warning for each unknown field: a misspelt `application_id` would otherwise go unnoticed.

    The payment would then be reported for another application.
    """
    return [f"There is no field {name[:100]}: it was left out." for name in sorted(data.keys() - FIELDS)]


def _overlap(data: dict[str, Any]) -> Overlap:
    match data.get("allow_overlap"):
        case None:
            return Overlap.WARN
        case True:
            return Overlap.ALLOW
        case False:
            return Overlap.REFUSE
    raise InvalidPaymentError({"allow_overlap": ["Write true or false."]})


class PaymentDetail(RetrieveAPIView[Payment]):
    """One payment."""

    scope = "billing"
    serializer_class = PaymentSerializer

    def get_queryset(self) -> QuerySet[Payment]:
        return shown_payments()


class PaymentRetry(APIView):
    """Send a payment that failed once more, as it is; Altegio is asked first whether it holds it after all."""

    scope = "billing"

    @extend_schema(
        request=None,
        responses={202: PaymentSerializer, 409: OpenApiResponse(description="The payment has not failed.")},
    )
    def post(self, request: Request, pk: int) -> Response:
        try:
            payment = send_again(pk, source=Source.API).payment
        except Payment.DoesNotExist:
            raise Http404 from None
        except (PaymentConflictError, InvalidPaymentError) as problem:
            raise PaymentConflictAPIError(str(problem)) from None
        return Response(PaymentSerializer(payment).data, status.HTTP_202_ACCEPTED)


class PaymentRefund(APIView):
    """Refund a payment, once; one that is still queued is cancelled."""

    scope = "billing"

    @extend_schema(
        request=None,
        responses={
            202: PaymentSerializer,
            200: OpenApiResponse(PaymentSerializer, description="It was refunded or cancelled before: unchanged."),
            409: OpenApiResponse(description="It failed, or Altegio collected it."),
        },
    )
    def post(self, request: Request, pk: int) -> Response:
        try:
            payment, changed = refund_payment(pk)
        except Payment.DoesNotExist:
            raise Http404 from None
        except PaymentConflictError as problem:
            raise PaymentConflictAPIError(str(problem)) from None
        return Response(PaymentSerializer(payment).data, status.HTTP_202_ACCEPTED if changed else status.HTTP_200_OK)

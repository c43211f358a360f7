"""Shapes of what Altegio posts to the portal (docs/altegio.md §4)."""

import re
from typing import Annotated, Any

from pydantic import PlainValidator
from pydantic_core import PydanticCustomError

from integrations.altegio.contract.shapes import OTHER_VALUE, Id, Moment, Number, Shape, Text, one_of

RESOURCES = (
    *("company", "salon", "master", "service", "service_category", "client", "record", "good"),
    *("finances_operation", "loyalty_card", "schedule"),
)
_RESOURCE = re.compile(rf"(?:{'|'.join(RESOURCES)}|goods_operations_\w+)")


def _resource(value: Any) -> Any:
    if not isinstance(value, str) or not _RESOURCE.fullmatch(value):
        raise PydanticCustomError(OTHER_VALUE, "a documented resource is expected")
    return value


class LifecycleCallback(Shape):
    """A lifecycle callback as it is stored, without `partner_token` and `sign`, which are checked on receipt."""

    salon_id: Id
    application_id: Id
    event: Annotated[Any, one_of("uninstall", "freeze", "payment")]
    payment_id: Id | None = None
    amount: Number | None = None
    currency_iso: Text | None = None
    discount: Number | None = None
    period_from: Moment | None = None
    period_to: Moment | None = None
    payment_date: Moment | None = None
    tariff_option_id: Id | None = None


class EntityEvent(Shape):
    company_id: Id
    resource: Annotated[Any, PlainValidator(_resource)]
    resource_id: Id
    status: Annotated[Any, one_of("create", "update", "delete")]
    data: Any

"""Shapes of each call's body (docs/altegio.md §2), as the portal sends it and the sandbox accepts it."""

from typing import Annotated, Any, Literal

from pydantic import RootModel

from integrations.altegio.contract.shapes import Flag, Id, Moment, Number, Shape, Text, Whole, one_of


class Activation(Shape):
    salon_id: Id
    application_id: Id
    api_key: Text | None = None
    webhook_urls: list[Text] = []
    chat_url: Text | None = None
    tips_url: Text | None = None
    channels: list[Annotated[Any, one_of("sms", "whatsapp")]] = []
    login: Text | None = None
    secret_key: Text | None = None


class Payment(Shape):
    salon_id: Id
    application_id: Id
    currency_iso: Text
    payment_sum: Number
    payment_date: Moment
    period_from: Moment
    period_to: Moment


class SenderNames(Shape):
    salon_id: Id
    application_id: Id
    short_names: list[Text]


class WebhookSettings(Shape):
    urls: list[Text]
    active: Flag
    salon: Flag | None = None
    service_category: Flag | None = None
    service: Flag | None = None
    good: Flag | None = None
    master: Flag | None = None
    client: Flag | None = None
    record: Flag | None = None
    goods_operations_sale: Flag | None = None
    goods_operations_receipt: Flag | None = None
    goods_operations_consumable: Flag | None = None
    goods_operations_stolen: Flag | None = None
    goods_operations_move: Flag | None = None
    finances_operation: Flag | None = None
    self_sending: Flag | None = None


class Discount(Shape):
    salon_ids: list[Id]
    application_id: Id
    discount: Number


class Channel(Shape):
    salon_id: Id
    application_id: Id
    channel_slug: Annotated[Any, one_of("sms", "whatsapp")]
    is_available: Flag


class ChatPanel(Shape):
    salon_id: Id
    application_id: Id
    type: Literal["chat"]
    url: Text | None


class ChatSignal(Shape):
    salon_id: Id
    application_id: Id
    phone_from: Text
    message: Text
    name: Text


class Telephony(Shape):
    """The body of three commands that share one address."""

    command: Annotated[Any, one_of("setup", "event", "history")]
    crm_token: Text
    type: Annotated[Any, one_of("enable", "disable", "incoming", "outgoing", "internal")]
    phone: Text | None = None
    diversion: Text | None = None
    user: Text | None = None
    duration: Whole | None = None
    link: Text | None = None
    call_id: Text | None = None
    status: Annotated[Any, one_of("success", "missed")] | None = None
    date: Text | None = None


class MessageStatus(Shape):
    id: Any
    status: Whole
    payment_sum: Number | None = None
    currency_iso: Text | None = None
    parts_amount: Whole | None = None


class MessageStatuses(RootModel[list[MessageStatus]]):
    """A list of statuses; this body is not an object."""

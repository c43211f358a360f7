"""The marketplace's part of `/api/v1/`."""

from django.urls import path

from integrations.api import (
    api_keys,
    chat,
    connections,
    customers,
    events,
    exchanges,
    messages,
    phone_lines,
    sender_names,
    sms,
    telephony,
    webhooks,
)

urlpatterns = [
    # Matched from the top, so the addresses that exchanges call with each ring come first.
    path("telephony/notifications/", telephony.Notifications.as_view()),
    path("telephony/exchanges/<slug:name>/", exchanges.Exchange.as_view()),
    path("telephony/calls/", telephony.Calls.as_view()),
    path("telephony/calls/<int:pk>/", telephony.CallDetail.as_view()),
    path("telephony/calls/<int:pk>/retry/", telephony.CallRetry.as_view()),
    path("connections/", connections.ConnectionList.as_view()),
    path("connections/<int:pk>/", connections.ConnectionDetail.as_view()),
    path("connections/<int:pk>/uninstall/", connections.ConnectionUninstall.as_view()),
    path("connections/<int:pk>/chat-panel/", chat.ChatPanelView.as_view()),
    path("connections/<int:pk>/chat-messages/", chat.ChatMessages.as_view()),
    path("connections/<int:pk>/chat-highlights/", chat.ChatHighlights.as_view()),
    path("connections/resolve-api-key/", api_keys.ResolveApiKey.as_view()),
    path("customers/<path:external_id>/", customers.CustomerView.as_view()),
    path("locations/<str:salon_id>/sender-names/", sender_names.SenderNames.as_view()),
    path("sms/messages/", messages.MessageList.as_view()),
    path("sms/messages/<str:ext_id>/", messages.MessageDetail.as_view()),
    path("locations/<str:salon_id>/lines/", phone_lines.PhoneLinesView.as_view()),
    path("sms/statuses/", sms.Statuses.as_view()),
    path("sms/statuses/retry/", sms.StatusRetry.as_view()),
    path("webhooks/", webhooks.WebhookList.as_view()),
    path("webhooks/<int:pk>/", webhooks.WebhookDetail.as_view()),
    path("webhooks/<int:pk>/test/", webhooks.WebhookTest.as_view()),
    path("webhooks/<int:pk>/rotate-secret/", webhooks.WebhookRotate.as_view()),
    path("webhooks/<int:pk>/deliveries/", webhooks.WebhookDeliveries.as_view()),
    path("webhooks/<int:pk>/replay/", webhooks.WebhookReplay.as_view()),
    path("events/", events.EventList.as_view()),
]

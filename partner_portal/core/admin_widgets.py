"""Fields of the control room's forms that Django's own leave without a name for who does not see them."""

from typing import Any

from django.contrib.admin.widgets import AdminSplitDateTime
from django.utils.html import format_html


class LabelledDateAndTime(AdminSplitDateTime):
    """A date and a time whose words are the labels of their fields."""

    def get_context(self, name: str, value: Any, attrs: Any) -> dict[str, Any]:
        context = super().get_context(name, value, attrs)
        parts = context["widget"]["subwidgets"]
        for word, part in zip(("date_label", "time_label"), parts, strict=True):
            context[word] = format_html('<label for="{}">{}</label>', part["attrs"].get("id", ""), context[word])
        return context

"""Admin form fields with labels for screen readers, where Django's own fields have none."""

from typing import Any

from django.contrib.admin.widgets import AdminSplitDateTime
from django.utils.html import format_html


class LabelledDateAndTime(AdminSplitDateTime):
    """A date field and a time field, each with a `<label>` that names it."""

    def get_context(self, name: str, value: Any, attrs: Any) -> dict[str, Any]:
        context = super().get_context(name, value, attrs)
        parts = context["widget"]["subwidgets"]
        for word, part in zip(("date_label", "time_label"), parts, strict=True):
            context[word] = format_html('<label for="{}">{}</label>', part["attrs"].get("id", ""), context[word])
        return context

"""The template tag that puts the registered panels on the admin's first page."""

from django import template
from django.template.loader import render_to_string
from django.utils.safestring import SafeString

from accounts.models import User
from integrations.backoffice.dashboard.panels import Panel, panels_for

register = template.Library()


@register.simple_tag
def panels(user: User) -> list[tuple[Panel, SafeString]]:
    """Return the panels that this member of staff may see, each with its rendered content."""
    return [(panel, render_to_string(panel.template, panel.context())) for panel in panels_for(user)]

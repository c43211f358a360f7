"""Puts the registered panels on the first page of the control room."""

from django import template
from django.template.loader import render_to_string
from django.utils.safestring import SafeString

from accounts.models import User
from integrations.backoffice.dashboard.panels import Panel, panels_for

register = template.Library()


@register.simple_tag
def panels(user: User) -> list[tuple[Panel, SafeString]]:
    """The panels this member of staff may see, each with its content."""
    return [(panel, render_to_string(panel.template, panel.context())) for panel in panels_for(user)]

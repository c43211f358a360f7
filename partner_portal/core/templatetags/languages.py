"""`{% load languages %}`: the footer's choice of language, and the parameter that keeps it on links."""

from typing import Any

from django import template

from partner_portal.core import languages

register = template.Library()


@register.simple_tag(takes_context=True)
def keep_language(context: template.Context) -> str:
    """Return `?lang=…` if the visitor has chosen a language, else "", to append to a URL of the flow."""
    request = context.get("request")
    code = languages.chosen(request) if request else ""
    return f"?{languages.PARAMETER}={code}" if code else ""


@register.inclusion_tag("parts/languages.html", takes_context=True)
def language_choices(context: template.Context) -> dict[str, Any]:
    """Render the choice of language for this page; the choice is stored for people who are signed in.

    A view whose URL cannot simply be opened again sets `language_base` in its context to the URL to open instead; ""
    hides the choice.
    """
    request = context.get("request")
    if request is None or not (base := context.get("language_base", request.path)):
        return {"choices": []}
    return {
        "choices": languages.choices(request, base),
        "is_stored": bool(languages.account_language(request)),
        "base": base,
    }

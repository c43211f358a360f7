"""`{% load languages %}`: the footer's choice of language, and what keeps it on the way."""

from typing import Any

from django import template

from partner_portal.core import languages

register = template.Library()


@register.simple_tag(takes_context=True)
def keep_language(context: template.Context) -> str:
    """Behind an address of the flow: `?lang=…` where the visitor has chosen, else nothing."""
    request = context.get("request")
    code = languages.chosen(request) if request else ""
    return f"?{languages.PARAMETER}={code}" if code else ""


@register.inclusion_tag("parts/languages.html", takes_context=True)
def language_choices(context: template.Context) -> dict[str, Any]:
    """The languages this page can be read in; stored for whoever is signed in.

    A view whose address cannot simply be opened again says with `language_base` where to go instead; ""
    offers no choice.
    """
    request = context.get("request")
    if request is None or not (base := context.get("language_base", request.path)):
        return {"choices": []}
    return {
        "choices": languages.choices(request, base),
        "is_stored": bool(languages.account_language(request)),
        "base": base,
    }

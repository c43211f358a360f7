"""Texts that Django marks but does not translate into all our languages; our catalogues contain them."""

from django.utils.translation import ngettext_lazy

MISSING_IN_DJANGO = [
    # Portuguese
    ngettext_lazy(
        "This password is too short. It must contain at least %d character.",
        "This password is too short. It must contain at least %d characters.",
        8,
    ),
]

"""Texts that Django marks and lacks in some of our languages: the catalogues hold them, nothing calls this."""

from django.utils.translation import ngettext_lazy

MISSING_IN_DJANGO = [
    # Portuguese
    ngettext_lazy(
        "This password is too short. It must contain at least %d character.",
        "This password is too short. It must contain at least %d characters.",
        8,
    ),
]

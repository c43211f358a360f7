"""Words that owners read and that stand elsewhere: our catalogues hold them, nothing calls this module.

Django's own catalogue of a language may lack a text; its sign-in form names the account's field as the model does.
"""

from django.utils.translation import gettext_noop, ngettext_lazy

ACCOUNT_FIELDS = [gettext_noop("e-mail")]
MISSING_IN_DJANGO = [
    # Portuguese
    ngettext_lazy(
        "This password is too short. It must contain at least %d character.",
        "This password is too short. It must contain at least %d characters.",
        8,
    ),
]

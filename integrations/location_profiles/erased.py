"""Who was erased: known by a fingerprint of their number, which nobody reads back without `SECRET_KEY`.

Altegio's lists go on naming them, and are asked for again: without this they would stand here as before.
"""

from collections.abc import Collection

from django.conf import settings
from django.utils.crypto import salted_hmac

from accounts.models import AltegioIdentity
from integrations.location_profiles.models import ErasedPerson


def remember_erased(altegio_user_ids: Collection[int]) -> None:
    """Keep that these Altegio users were erased."""
    rows = [ErasedPerson(digest=_fingerprint(number, settings.SECRET_KEY)) for number in altegio_user_ids]
    ErasedPerson.objects.bulk_create(rows, ignore_conflicts=True)


def erased_among(altegio_user_ids: Collection[int]) -> set[int]:
    """Those who were erased; not who has an account here again.

    Each is remembered under the present key too: so a former one may be dropped once every list was asked for.
    """
    keys = (settings.SECRET_KEY, *settings.SECRET_KEY_FALLBACKS)
    candidates = {_fingerprint(number, key): number for number in altegio_user_ids for key in keys}
    known = ErasedPerson.objects.filter(digest__in=list(candidates)).values_list("digest", flat=True)
    erased = {candidates[digest] for digest in known}
    if erased:
        remember_erased(erased)
        back = AltegioIdentity.objects.filter(altegio_user_id__in=erased)
        erased -= set(back.values_list("altegio_user_id", flat=True))
    return erased


def _fingerprint(altegio_user_id: int, key: str) -> str:
    return salted_hmac("location_profiles.erased", str(altegio_user_id), key, algorithm="sha256").hexdigest()

"""The record of erased Altegio users: fingerprints of their ids, which cannot be matched without `SECRET_KEY`.

Altegio's lists still name these people and are fetched again, so without this record they would be stored again.
"""

from collections.abc import Collection

from django.conf import settings
from django.utils.crypto import salted_hmac

from accounts.models import AltegioIdentity
from integrations.location_profiles.models import ErasedPerson


def remember_erased(altegio_user_ids: Collection[int]) -> None:
    """Record that these Altegio users were erased."""
    rows = [ErasedPerson(digest=_fingerprint(number, settings.SECRET_KEY)) for number in altegio_user_ids]
    ErasedPerson.objects.bulk_create(rows, ignore_conflicts=True)


def erased_among(altegio_user_ids: Collection[int]) -> set[int]:
    """Return those of these Altegio users who were erased, except those who have an account here again.

    Each one found is recorded under the present `SECRET_KEY` too, so that a former key may be dropped once every list
    has been fetched.
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

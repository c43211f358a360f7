"""Rules for every list in the admin: it names no secret column and takes no filter that it does not offer."""

from collections.abc import Callable, Iterable, Iterator
from typing import Any

from django.contrib.admin.checks import ModelAdminChecks
from django.contrib.admin.exceptions import DisallowedModelAdminLookup
from django.contrib.admin.views.main import ChangeList
from django.core.checks import CheckMessage, Error
from django.core.exceptions import FieldDoesNotExist
from django.db.models import Model
from django.http import HttpRequest

from partner_portal.core.encryption import is_secret

# The attributes in which an admin names columns. `fields` is missing because it is filtered when it is drawn.
_NAMING = ("list_display", "list_filter", "list_editable", "search_fields", "ordering", "readonly_fields")


def names_secret(model: type[Model], path: str) -> bool:
    """Return whether a path of names ("token", "=keys__api_key_hash", "-digest") leads through a secret column."""
    for name in path.lstrip("=^@-").split("__"):
        try:
            field = model._meta.get_field(name)
        except FieldDoesNotExist:
            return False
        if is_secret(field):
            return True
        model = field.related_model if isinstance(field.related_model, type) else model
    return False


def without(fields: Iterable[Any], dropped: Callable[[str], bool]) -> list[Any]:
    """Return a fieldset's `fields`, including lines of several names, without the dropped names."""
    lines = [[name for name in ([line] if isinstance(line, str) else line) if not dropped(name)] for line in fields]
    return [line[0] if len(line) == 1 else tuple(line) for line in lines if line]


class RoomChecks(ModelAdminChecks):
    """Django's checks of an admin, and a check that it names no secret column."""

    def check(self, admin_obj: Any, **kwargs: Any) -> list[CheckMessage]:
        named = [name for attribute in _NAMING for name in _names(getattr(admin_obj, attribute) or ())]
        secrets = [name for name in named if names_secret(admin_obj.model, name)]
        secrets += [inline.__name__ for inline in admin_obj.inlines if _has_secret(inline.model)]
        text = "The control room shows no secrets: take %r out."
        return [
            *super().check(admin_obj, **kwargs),
            *(Error(text % name, obj=admin_obj.__class__, id="portal.E010") for name in secrets),
        ]


def _names(named: Iterable[Any]) -> Iterator[str]:
    for name in named:
        first = name[0] if isinstance(name, tuple | list) else name
        if isinstance(first, str):
            yield first


def _has_secret(model: type[Model]) -> bool:
    return any(is_secret(field) for field in model._meta.concrete_fields)


class RoomList(ChangeList):
    """A list that takes only the filters it offers, and no other lookup of its columns.

    Django takes any lookup of a list's own columns: `crm_token__startswith=a` would reveal a hidden column.
    """

    def get_filters(self, request: HttpRequest) -> Any:
        filters = super().get_filters(request)
        linked = getattr(self.model_admin, "linked_lookups", ())
        if others := sorted(set(filters[2]) - set(linked)):
            raise DisallowedModelAdminLookup(f"This list offers no filter {others[0]!r}.")
        return filters

"""What members of staff may do: four groups, shipped and kept up to date.

A group's rights are those in the code. They are restored after each `migrate`, so that those who need a new feature's
screens have them, and nobody keeps a right by accident. A group of another name, with other rights, is left alone.
"""

from collections.abc import Iterable
from dataclasses import dataclass

from django.apps import apps
from django.contrib.auth.models import Group, Permission
from django.db import models
from django.db.models import Q, QuerySet

from accounts.models import User
from partner_portal.core.english import english as _
from partner_portal.core.extension_points import ExtensionPoint

OUR_PACKAGES = ("partner_portal", "accounts", "integrations", "billing")


class Role(models.TextChoices):
    """The groups, by their names in the database; each has what the viewer has, and its own."""

    VIEWER = "Viewer", _("looks at everything, changes nothing")
    SUPPORT = "Support", _("helps owners: tries again, asks Altegio, decides conflicts")
    FINANCE = "Finance", _("takes care of payments, refunds and prices")
    ADMINISTRATOR = "Administrator", _("may do everything, also with people and their rights")


@dataclass(frozen=True)
class Right:
    """A right that a role has beyond looking: a permission, "app.codename"."""

    role: Role
    permission: str


RIGHTS = ExtensionPoint[Right]("rights", "What a role may do beyond looking.")


def register_rights(role: Role, *permissions: str) -> None:
    """Grant a role of staff what a feature lets it do beyond looking; permissions are "app.codename"."""
    for permission in permissions:
        RIGHTS.register(f"{role.value}: {permission}", Right(role, permission))


def staff_who_may(permission: str) -> QuerySet[User]:
    """Return active staff who have an address and a permission ("app.codename"), by group, directly or as superuser.

    So people who are notified of something by e-mail may also look at it.
    """
    having = Permission.objects.filter(_named([permission]))
    by_right = Q(groups__permissions__in=having) | Q(user_permissions__in=having) | Q(is_superuser=True)
    staff = User.objects.filter(is_staff=True, is_active=True).exclude(email=None)
    return staff.filter(by_right).distinct().order_by("pk")


def bring_groups_up_to_date(**_signal: object) -> None:
    """Make the four groups, and give each exactly its rights. Runs after `migrate`, when all permissions exist."""
    labels = [app.label for app in apps.get_app_configs() if app.name.split(".")[0] in OUR_PACKAGES]
    ours = Q(content_type__app_label__in=labels)
    looking = Q(codename__startswith="view_") & (ours | Q(content_type__app_label="admin"))
    everything = ours | Q(content_type__app_label__in=("admin", "auth"))
    for role in Role:
        wanted = (
            everything
            if role is Role.ADMINISTRATOR
            else looking | _named(right.permission for right in RIGHTS if right.role is role)
        )
        group, _made = Group.objects.get_or_create(name=role.value)
        group.permissions.set(Permission.objects.filter(wanted))


def _named(permissions: Iterable[str]) -> Q:
    named = Q(pk__in=())
    for permission in permissions:
        app_label, codename = permission.split(".")
        named |= Q(content_type__app_label=app_label, codename=codename)
    return named

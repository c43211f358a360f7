"""A helper that makes members of staff."""

from django.contrib.auth.models import Group

from accounts.models import User
from accounts.roles import Role


def member(role: Role | None) -> User:
    user = User.objects.create_user(f"{role or 'nobody'}@partner.example", is_staff=True)
    if role:
        user.groups.add(Group.objects.get(name=role.value))
    return user

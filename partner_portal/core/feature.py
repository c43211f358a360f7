"""What an app of the portal is: its modules register themselves, and are all found (docs/extension_points.md)."""

from importlib import import_module
from pkgutil import walk_packages
from types import ModuleType

from django.apps import AppConfig
from django_stubs_ext import StrOrPromise

# Django and Celery find these themselves, at their own time.
FOUND_ELSEWHERE = frozenset({"admin", "apps", "management", "migrations", "templatetags", "urls", "views"})


class FeatureConfig(AppConfig):
    """An app whose modules are all imported once its models are there: what registers itself is not forgotten."""

    # The heading under which the admin lists the app's models; its own name where this is empty.
    admin_section: StrOrPromise = ""

    def ready(self) -> None:
        import_all(self.module)


def import_all(package: ModuleType | None) -> None:
    """Import every module of a package, but for those that Django or Celery import by their name."""
    if package is None:
        return
    for found in walk_packages(package.__path__, f"{package.__name__}."):
        if FOUND_ELSEWHERE.isdisjoint(found.name.split(".")):
            import_module(found.name)

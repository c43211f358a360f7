"""The app configuration of the portal's features: it imports all their modules (docs/extension_points.md)."""

from importlib import import_module
from pkgutil import walk_packages
from types import ModuleType

from django.apps import AppConfig
from django_stubs_ext import StrOrPromise

# Django and Celery import these themselves, at the right time.
FOUND_ELSEWHERE = frozenset({"admin", "apps", "management", "migrations", "templatetags", "urls", "views"})


class FeatureConfig(AppConfig):
    """An app whose modules are all imported once its models are loaded, so that nothing fails to register itself."""

    # The heading under which the admin lists the app's models; the app's own name if this is empty.
    admin_section: StrOrPromise = ""

    def ready(self) -> None:
        import_all(self.module)


def import_all(package: ModuleType | None) -> None:
    """Import every module of a package except those that Django or Celery import by name."""
    if package is None:
        return
    for found in walk_packages(package.__path__, f"{package.__name__}."):
        if FOUND_ELSEWHERE.isdisjoint(found.name.split(".")):
            import_module(found.name)

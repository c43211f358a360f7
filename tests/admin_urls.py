"""The admin's addresses, found by the name of the model only."""

from django.apps import apps
from django.urls import reverse


def admin_url(model_name: str, page: str = "changelist", *args: object) -> str:
    """Return the address of a model's admin page; every model of the portal has a unique name."""
    labels = [model._meta.app_label for model in apps.get_models() if model._meta.model_name == model_name]
    return reverse(f"admin:{labels[0]}_{model_name}_{page}", args=args)

"""The admin's addresses, by the names of the models alone."""

from django.apps import apps
from django.urls import reverse


def admin_url(model_name: str, page: str = "changelist", *args: object) -> str:
    """The address of a model's page in the admin; every model of the portal has a name of its own."""
    labels = [model._meta.app_label for model in apps.get_models() if model._meta.model_name == model_name]
    return reverse(f"admin:{labels[0]}_{model_name}_{page}", args=args)

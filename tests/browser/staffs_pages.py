"""Every page of the control room, found by the addresses that Django itself resolves."""

from collections.abc import Iterator
from dataclasses import dataclass
from typing import Any

from django.contrib import admin
from django.db.models import Model
from django.http import HttpRequest
from django.test import Client, RequestFactory
from django.urls import URLPattern, URLResolver, get_resolver, reverse

from accounts.models import User
from integrations.connections.models import Arrival, Connection

# These addresses answer with no page of their own.
NOT_A_PAGE = {
    "alerts_alert_quiet": "takes a form alone",
    "alerts_alert_test": "takes a form alone",
    "autocomplete": "JSON",
    "connections_connection_note": "takes a form alone",
    "jsi18n": "a script",
    "logout": "takes a form alone",
    "None": "leads on to another page",
    "two-factor-link": "leads on to the page of two factors",
    "view_on_site": "leads on to another page",
}
NOT_A_PAGE_OF_A_MODEL = {"export_progress": "JSON"}
PERMISSIONS = {"add": "has_add_permission", "delete": "has_delete_permission"}


@dataclass
class StaffsPages:
    """The addresses as `person` finds them, with one row of each model to show."""

    person: User
    client: Client

    def addresses(self) -> Iterator[str]:
        """Yield every page that opens by its address."""
        for name, pattern in routes():
            if name in NOT_A_PAGE:
                continue
            model, page = of_model(name)
            if model is None or page not in NOT_A_PAGE_OF_A_MODEL:
                yield from self._addresses(name, pattern, model, page)

    def _addresses(self, name: str, pattern: URLPattern, model: type[Model] | None, page: str) -> Iterator[str]:
        if model is None:
            for arguments in self._arguments(name):
                yield reverse(f"admin:{name}", args=arguments)
        elif self._may(model, page):
            arguments = [model._default_manager.latest("pk").pk] if "object_id" in str(pattern.pattern) else []
            yield reverse(f"admin:{name}", args=arguments)

    def _arguments(self, name: str) -> list[list[Any]]:
        """Return the arguments of an address that is no page of a model."""
        if name == "app_list":
            return [[label] for label in sorted({model._meta.app_label for model in admin.site._registry})]
        if name == "connections_connection_as_owner_status":
            return [[Connection.objects.latest("pk").pk, Arrival.objects.latest("pk").pk]]
        if name == "connections_connection_as_owner":
            return [[Connection.objects.latest("pk").pk, "account/"]]
        return [[self.person.pk]] if name == "auth_user_password_change" else [[]]

    def _may(self, model: type[Model], page: str) -> bool:
        request: HttpRequest = RequestFactory().get("/")
        request.user = self.person
        rule = PERMISSIONS.get(page)
        return rule is None or getattr(admin.site._registry[model], rule)(request)

    def answers(self) -> Iterator[tuple[str, str, str]]:
        """Yield the answers to forms: the question before an action, and complaints about an empty form."""
        for model, room in admin.site._registry.items():
            address = admin_address(model, "changelist")
            for action in map(str, room.actions or ()):
                if not hasattr(getattr(room, action), "is_confirmed"):
                    continue  # a file
                chosen = {"action": action, "_selected_action": [model._default_manager.latest("pk").pk]}
                yield f"{action} at {address}", address, self._posted(address, chosen)
            if self._may(model, "add"):
                address = admin_address(model, "add")
                yield f"nothing at {address}", address, self._posted(address, {})

    def _posted(self, address: str, form: dict[str, Any]) -> str:
        answer = self.client.post(address, form)
        assert answer.status_code == 200, address
        return answer.content.decode()


def routes(patterns: Any = None, space: str = "") -> Iterator[tuple[str, URLPattern]]:
    """Yield the name and the pattern of every address below the control room."""
    for pattern in get_resolver().url_patterns if patterns is None else patterns:
        if isinstance(pattern, URLResolver):
            inside = pattern.namespace or space
            if inside == "admin":
                yield from routes(pattern.url_patterns, inside)
        elif space:
            yield str(pattern.name), pattern


def of_model(name: str) -> tuple[type[Model] | None, str]:
    """Return the model of an address, and which of its pages it is."""
    for model in admin.site._registry:
        start = f"{model._meta.app_label}_{model._meta.model_name}_"
        if name.startswith(start) and name not in SPECIAL:
            return model, name.removeprefix(start)
    return None, name


SPECIAL = ("connections_connection_as_owner", "connections_connection_as_owner_status")


def admin_address(model: type[Model], page: str, *arguments: Any) -> str:
    return reverse(f"admin:{model._meta.app_label}_{model._meta.model_name}_{page}", args=arguments)

"""An action from a case leads back to it, and a crafted address leads nowhere else."""

import pytest
from django.test import Client
from django.urls import reverse

from integrations.connections.models import Connection
from sandbox import Sandbox
from tests.marketplace import AURORA_1, arrive
from tests.response import Response
from tests.working import Work

pytestmark = pytest.mark.django_db
LIST = "admin:connections_connection_changelist"


@pytest.fixture
def page(client: Client, altegio: Sandbox, work: Work) -> str:
    """Return the page of a connected case."""
    arrive(client, altegio, AURORA_1)
    work()
    return reverse("admin:connections_connection_change", args=[Connection.objects.get().pk])


def ask(staff: Client, **form: str) -> Response:
    chosen = {"action": "ask", "_selected_action": str(Connection.objects.get().pk)}
    return staff.post(reverse(LIST), {**chosen, **form})


def test_the_buttons_of_a_case_know_where_they_stand(staff: Client, page: str) -> None:
    assert f'name="back" value="{page}"' in staff.get(page).content.decode()


def test_the_question_keeps_it_and_can_be_left_for_it(staff: Client, page: str) -> None:
    question = ask(staff, back=page).content.decode()
    assert f'name="back" value="{page}"' in question
    assert f'href="{page}" class="button cancel-link"' in question


def test_an_action_leads_back_to_the_case(staff: Client, page: str) -> None:
    assert ask(staff, back=page, confirmed="yes")["Location"] == page


def test_an_action_chosen_in_the_list_leads_back_to_the_list(staff: Client, page: str) -> None:
    assert ask(staff, confirmed="yes")["Location"] == reverse(LIST)


@pytest.mark.parametrize("back", ["https://evil.example/", "//evil.example/", "/\\evil.example", "javascript:go()"])
def test_no_other_site_is_led_to(staff: Client, page: str, back: str) -> None:
    assert ask(staff, back=back, confirmed="yes")["Location"] == reverse(LIST)
    assert "evil.example" not in ask(staff, back=back).content.decode()

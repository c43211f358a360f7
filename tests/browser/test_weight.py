"""The connect page makes few requests of few bytes, none to other hosts, and its layout does not jump."""

import pytest
from playwright.sync_api import Page

from sandbox import Sandbox
from tests.browser.arriving import arrival
from tests.marketplace import AURORA_1

pytestmark = pytest.mark.django_db(transaction=True)
MAX_REQUESTS, MAX_BYTES = 7, 32_000
SHIFTS = """() => new Promise(done => {
  let sum = 0;
  new PerformanceObserver(list => { for (const shift of list.getEntries()) sum += shift.value; })
    .observe({type: "layout-shift", buffered: true});
  requestAnimationFrame(() => setTimeout(() => done(sum), 0));
})"""


@pytest.mark.parametrize("user_id", [None, 9001], ids=["registration", "status"])
def test_the_connect_page_is_light_and_loads_nothing_foreign(
    page: Page, altegio: Sandbox, portal: str, user_id: int | None
) -> None:
    requests = []
    page.on("requestfinished", lambda request: requests.append(request))
    page.goto(arrival(altegio, portal, AURORA_1, user_id=user_id), wait_until="networkidle")

    weights = {request.url: request.sizes()["responseBodySize"] for request in requests}
    print(len(weights), "requests,", sum(weights.values()), "bytes")
    assert all(address.startswith((portal, "data:")) for address in weights)
    assert len(weights) <= MAX_REQUESTS
    assert sum(weights.values()) <= MAX_BYTES
    assert page.evaluate(SHIFTS) < 0.01

"""What holds wherever it is decided whose a location is."""

from collections.abc import Iterator

import pytest

from integrations.activation.waiting_call import undecided_without_call


@pytest.fixture
def each_claim_has_its_call() -> Iterator[None]:
    """At the end of the test no undecided claim is without the call that decides it."""
    yield
    assert not undecided_without_call().exists()

"""A rule for all tests that decide who gets a location."""

from collections.abc import Iterator

import pytest

from integrations.activation.waiting_call import undecided_without_call


@pytest.fixture
def each_claim_has_its_call() -> Iterator[None]:
    """Check at the end of the test that every undecided claim has the call that decides it."""
    yield
    assert not undecided_without_call().exists()

"""The number of examples for generated tests: few and always the same, or many and new ones with `THOROUGH=1`."""

import os
from typing import TypedDict

IS_THOROUGH = os.environ.get("THOROUGH") == "1"


class Examples(TypedDict):
    """The arguments of `hypothesis.settings`."""

    max_examples: int
    derandomize: bool


def examples(quick: int, thorough: int) -> Examples:
    """Return the settings: `quick` for `make test`, `thorough` for `make test-thorough`."""
    return {"max_examples": thorough if IS_THOROUGH else quick, "derandomize": not IS_THOROUGH}

"""How many examples the generated tests try: few and always the same, or with `THOROUGH=1` many, each time others."""

import os
from typing import TypedDict

IS_THOROUGH = os.environ.get("THOROUGH") == "1"


class Examples(TypedDict):
    """What `hypothesis.settings` takes."""

    max_examples: int
    derandomize: bool


def examples(quick: int, thorough: int) -> Examples:
    """`quick` in `make test`, `thorough` in `make test-thorough`."""
    return {"max_examples": thorough if IS_THOROUGH else quick, "derandomize": not IS_THOROUGH}

"""The ids that the partner's own systems give payments, customers and connections; the portal only compares them."""

MAX_EXTERNAL_ID = 200


def read_external_id(text: str) -> str:
    """Return the id unchanged. Raises ValueError, whose text says what to write, if it is not a valid id.

    A space at either end is refused: with and without it would be two ids that look the same.
    """
    if not 1 <= len(text) <= MAX_EXTERNAL_ID or not text.strip():
        raise ValueError(f"Write a text of 1 to {MAX_EXTERNAL_ID} characters.")
    if not text.isprintable():
        raise ValueError("Write it on one line, with plain spaces and without invisible characters.")
    if text != text.strip():
        raise ValueError("Write it without a space at its beginning or end.")
    return text

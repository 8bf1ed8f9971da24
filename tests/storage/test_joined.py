"""Columns that come as one text."""

import pytest

from rasa_privacy.errors import TamperedSegmentError
from rasa_privacy.storage.joined import parted


def test_a_text_is_parted_into_what_was_joined() -> None:
    """Bytes come in digits of either case, and none of them as an empty word."""
    assert parted("7 -1 0aff 0AFF ", 2, 3) == [7, -1, b"\n\xff", b"\n\xff", b""]


@pytest.mark.parametrize(
    "found", [None, 5, b"7 1 00", "", "7 1", "7 1 00 00", "text 1 00", "7 1.5 00", "7 1 0", "7 1 zz"]
)
def test_what_a_tamperer_stored_of_another_kind_is_refused(found: object) -> None:
    """Too few, too many, no number, no bytes: the row does not count."""
    with pytest.raises(TamperedSegmentError, match="another kind"):
        parted(found, 2, 1)

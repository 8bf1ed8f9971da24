"""Written email addresses: those that are each other's names are found in one go, as they would be one by one."""

from hypothesis import given
from hypothesis import strategies as st

from rasa_privacy.minimize import emails
from rasa_privacy.minimize.detectors import Finding, _joined, find

_PARTS = st.sampled_from(
    (
        "a", "b.example", "@", "@", "@", ".", "..", "-", "_", "+", " ", "\n", "9", "x.12", "a.b-c_d", "c.d_", "[::1]",
        "@c.de_@", "@b.de@c.de@", " dot ", " at ", "(at)", "\xe9.de", "x" * 70 + ".de", ",", "'", "mail.example",
    )
)  # fmt: skip


def _one_by_one(text: str) -> list[tuple[int, int]]:
    """Return the address around each sign, where the names of the one before ended."""
    found, done = [], 0
    for sign in (place for place, letter in enumerate(text) if letter == "@"):
        address = emails._around(text, done, sign, sign + 1)
        done = sign + 1
        found += [address] if address else []
    return found


def _apart(spans: list[tuple[int, int]]) -> list[tuple[int, int]]:
    return [(start, end) for start, end, _ in _joined([Finding(*span, "email") for span in spans])] if spans else []


@given(st.lists(_PARTS, max_size=30).map("".join))
def test_addresses_in_a_row_are_those_around_each_sign(text: str) -> None:
    """And a sign that is left for what is spoken is none of them, or its address may go on."""
    unread: list[int] = []
    found = list(emails._written(text, text.lower(), unread))
    assert _apart(found) == _apart(_one_by_one(text))
    for sign in (place for place, letter in enumerate(text) if letter == "@" and place not in unread):
        assert any(start < sign < end for start, end in found)


def test_a_row_of_addresses_is_one_finding() -> None:
    """Whatever it begins and ends with."""
    assert find("a@b.example@c.example@d.example and x") == [Finding(0, 31, "email")]
    assert find("@b.example@c.example@") == [Finding(1, 20, "email")]

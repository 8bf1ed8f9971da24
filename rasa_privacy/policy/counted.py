"""Numbers in messages for people: `1 person`, `2 people`, `1,000 records`."""

from typing import Final

_MANY: Final = {"person": "people", "entry": "entries"}


def counted(number: int, one: str, many: str | None = None) -> str:
    """Return a number with the word for what is counted.

    Args:
        number: How many.
        one: The word for one, of which the last part changes: `conversation`, `linked conversation`, `person`.
        many: The word for none and for several, where it is made otherwise.
    """
    if number == 1:
        return f"1 {one}"
    before, _, last = one.rpartition(" ")
    plural = _MANY.get(last, f"{last}s")
    return f"{number:,} {many or f'{before} {plural}'.strip()}"

"""Numbers in E.164 that need no parsing: only those which the library gives back unchanged."""

import random

import phonenumbers

from rasa_privacy.minimize.e164 import is_e164


def test_a_yes_is_what_the_library_says() -> None:
    """Over all country codes and lengths; most numbers of usual length need no parsing."""
    source, told = random.Random(1), 0  # noqa: S311 - numbers to try
    for code in (*phonenumbers.COUNTRY_CODE_TO_REGION_CODE, *range(1, 1000, 7)):
        for length in range(1, 15):
            written = f"+{code}" + "".join(source.choice("0123456789") for _ in range(length))
            if is_e164(written):
                told += 1
                number = phonenumbers.parse(written, None)
                assert phonenumbers.is_possible_number(number)
                assert phonenumbers.format_number(number, phonenumbers.PhoneNumberFormat.E164) == written
    assert told > 200

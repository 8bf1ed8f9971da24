import random

import phonenumbers
import pytest

from rasa_privacy.minimize.detectors import find
from rasa_privacy.minimize.masking import mask
from rasa_privacy.minimize.phone_rules import rules_of

# Numbers from the ranges that are reserved for fiction, or plainly made up. The bar ends the number.
PHONES = """
+49 170 1234567 | call 0170 1234567 | 0049 170 1234567 | 0170/1234567 | 0170-1234567 | 01701234567 | (0170) 1234567
030 12345678 | my number is 030/1234567 | +44 20 7946 0958 | +44 (0)20 7946 0958 | 020 7946 0958 | (020) 7946 0958
07700 900123 | 07700900123 | 0044 7700 900123 | my mobile is 07700 900 123 | (212) 555-0143 | 212-555-0143
212.555.0143 | 2125550143 | +1 212 555 0143 | 1-212-555-0143 | 1 (212) 555-0143 | +12125550143 | 212 555 0143
555-0199 | call 555-0199 | tel:5550199 | +33 6 12 34 56 78 | +34 612 34 56 78 | +39 347 123 4567 | +91 98765 43210
+86 138 0013 8000 | +55 11 91234-5678 | +61 412 345 678 | +380 44 123 45 67 | +1 555 010 0199 | +999 1234567
call me at 2125550143 please | reach me on 12345678 | tel01701234567 | Tel.: 0170 1234567 | whatsapp 98765432
phone number: 98765432 | text me 415 555 2671 x123 | (415) 555-2671 ext. 12 | \uff0b49 170 1234567
+49\u00a0170\u00a01234567 | +49\u2011170\u20111234567
\uff10\uff11\uff17\uff10 \uff11\uff12\uff13\uff14\uff15\uff16\uff17
\u0660\u0661\u0667\u0660\u0661\u0662\u0663\u0664\u0665\u0666\u0667 | \u7535\u8bdd01701234567
\u7535\u8bdd\uff1a+86 138 0013 8000 | it's 0170 1234567, ok? | 0170 1234567 2nd floor | order 55, phone 212 555 0143
0170 1234567 12.05.2024 | born 12.05.1990, call 0170 1234567 | 0800 1111 | +49.170.1234567 | +49-170-1234567
call 36 38 40 42 44 | +36 38 40 42 44 | 01 02 03 04 05
0170 12 34 567 | my number: 123-456-7890 | 050 7946 0958 | I lost my order. 0170 1234567
an idea: 0170 1234567 | my order, 0170 1234567 | $5 or call 212 555 0143
"""
OTHER_NUMBERS = """
12.05.2024 | 2024-05-12 | 05/12/2024 | 12/05/24 | 2024-05-12 10:30 | 2024-05-12T10:30:00Z | 12.05.2024 to 15.05.2024
12.05.2024 - 15.05.2024 | 1990 | 20240512 | 05 12 2024 | I was born on 12-05-1990 | $1,234,567 | 1.234.567 \u20ac
EUR 1234567 | $1234567890 | 1234567 EUR | price 1234567890 | 99.99 | 10000000 people | 1 000 000 people
order 1234567890 | order number 2125550143 | my order number is 2125550143 | order #2125550143 | #1234567890
ticket no. 0170123456 | Bestellnummer 01701234567 | invoice 020 7946 0958 | tracking number is 1234567890123
booking ref: 2125550143 | ref. 2125550143 | 9:00-17:00 | 0900-1700 | 08:00 - 16:30 | 2020-2024 | 52.520008, 13.404954
3.14159265 | 1700000000 | 1700000000000 | 192.168.1.1 | version 10.15.7.1 | 12345 | SW1A 1AA | 90210 | 10115 Berlin
room 101, floor 3 | 2 tickets for 3 people on 4 May | AB12 3456789 | SKU1234567890 | isbn 978-3-16-148410-0
123456 | 42 | 1 2 3 4 5 6 7 8 | 12345678 | 1234-5678 | 5 stars 100% | 2024 2025 2026 | $5 $10 $20 $40 $1000
36 - 38 - 40 - 42 - 44 - 46 | in 36/38/40/42/44? | 104 - 110 - 116 - 122 | pages 21 22 23 24 25
size 38 40 42 44 46 | 10 20 30 40 50 60 | UTC+2 2024-05-12 | call me on 12.05.2024 | call me at 10:30
"""


def _table(text: str) -> list[str]:
    return [cell.strip(" ") for line in text.strip("\n").split("\n") for cell in line.split(" | ")]


def _found(text: str, regions: tuple[str, ...] = ("US", "GB", "DE")) -> list[str]:
    return [text[finding.start : finding.end] for finding in find(text, ["phone"], regions)]


@pytest.mark.parametrize("text", _table(PHONES))
def test_a_phone_number_is_found_however_it_is_written(text: str) -> None:
    """One number is found, whole: fewer than three digits of the message are left, apart from dates and orders."""
    found = _found(text)
    assert len(found) == 1
    assert sum(character.isdigit() for character in found[0]) >= 7


@pytest.mark.parametrize("text", _table(PHONES))
def test_a_masked_message_holds_no_phone_number(text: str) -> None:
    """What is left after masking, and the name that stands there now, is no finding."""
    assert find(mask(text, find(text), {})) == []


@pytest.mark.parametrize("text", _table(OTHER_NUMBERS))
def test_other_numbers_are_no_phone_numbers(text: str) -> None:
    """Dates, times, prices, sizes and numbers of orders are left."""
    assert _found(text) == []


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("call +49 170 1234567, thanks", "+49 170 1234567"),
        ("(212) 555-0143", "(212) 555-0143"),
        ("0170 1234567 2nd floor", "0170 1234567"),
        ("0170 1234567 12.05.2024", "0170 1234567"),
        ("+44 (0)20 7946 0958.", "+44 (0)20 7946 0958"),
        ("415 555 2671 x123 please", "415 555 2671 x123"),
        ("order 55, phone 212 555 0143", "212 555 0143"),
        ("36 38 40 42 0170 1234567", "0170 1234567"),
    ],
)
def test_a_phone_number_ends_where_it_ends(text: str, expected: str) -> None:
    """Signs that belong to the number are part of it, and what stands around it is not."""
    assert _found(text) == [expected]


def test_a_link_to_whatsapp_is_a_number() -> None:
    """It has the country's code and no plus sign; a number in another link is none."""
    assert mask("https://wa.me/491705558172?text=hi", find("https://wa.me/491705558172?text=hi"), {}) == (
        "https://wa.me/[phone]?text=hi"
    )
    assert find("https://shop.example/491705558172") == []


def test_two_numbers_in_a_row_are_two() -> None:
    """A space between two numbers does not make them one."""
    assert _found("0170 1234567 0171 7654321") == ["0170 1234567", "0171 7654321"]


def test_regions_tell_how_numbers_are_written() -> None:
    """A number without a country code is recognised in the regions that are asked for."""
    assert _found("it's 912 345 678, ok") == []
    assert _found("it's 912 345 678, ok", ("ES",)) == ["912 345 678"]
    assert _found("it's 22 33 44 55, ok", ("DK",)) == ["22 33 44 55"]


def test_a_text_of_many_numbers_leaves_none_when_the_questions_run_out() -> None:
    """After the bounded number of questions every number that may be one counts as one."""
    text = ", ".join(["4155552671"] * 500)
    assert len(_found(text)) == 500


#: Regions whose numbers have a shape that is asked first.
SHAPED = [region for region in sorted(phonenumbers.SUPPORTED_REGIONS) if rules_of((region,))[0].shape is not None]


def test_numbers_of_many_countries_have_a_shape() -> None:
    """Else `phonenumbers` is asked about everything that begins with 0."""
    assert {"AT", "BE", "CH", "DE", "FR", "GB", "NL"} <= set(SHAPED)


@pytest.mark.parametrize("region", SHAPED)
def test_no_valid_number_is_rejected_quickly(region: str) -> None:
    """What `phonenumbers` is not asked about is nothing that it would call valid."""
    (rule,) = rules_of((region,))
    dice = random.Random(region)  # noqa: S311 - the same numbers in each run
    kinds = [phonenumbers.example_number_for_type(region, kind) for kind in range(11)]
    known = ["0" + phonenumbers.national_significant_number(each) for each in kinds if each is not None]
    for _ in range(150):
        digits = list(dice.choice(known) if dice.random() < 0.7 else "0" + str(dice.randrange(10**5, 10**14)))
        for place in range(1, len(digits)):
            if dice.random() < 0.2:
                digits[place] = str(dice.randrange(10))
        number = "".join(digits) + dice.choice(("", "", "7"))
        assert rule.may_be(number) or not is_valid(number, region), number


def is_valid(number: str, region: str) -> bool:
    """Return what `phonenumbers` says."""
    try:
        return phonenumbers.is_valid_number(phonenumbers.parse(number, region))
    except phonenumbers.NumberParseException:
        return False

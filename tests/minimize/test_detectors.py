import time
from collections.abc import Iterable

import pytest
from hypothesis import given
from hypothesis import strategies as st

from rasa_privacy.errors import DetectorError
from rasa_privacy.minimize import detectors
from rasa_privacy.minimize.detectors import DETECTORS, MAX_CHARACTERS, Finding, find
from rasa_privacy.minimize.searched_text import SearchedText

EMAILS = [
    "ana@x.example",
    "ANA.LI@X.EXAMPLE",
    "ana+draw@mail.x.example",
    "o'brien@x.example",
    "jos\u00e9@caf\u00e9.example",
    "jose\u0301@cafe\u0301.example",  # the same with combining accents
    "\u7528\u6237@\u4f8b\u5b50.\u5e7f\u544a",
    "\u0938\u0902\u092a\u0930\u094d\u0915@\u0921\u093e\u091f\u093e\u092e\u0947\u0932.\u092d\u093e\u0930\u0924",
    "ana@x-y.co.uk",
    "ana_li-2@x.example",
    "a@b.co",
    "ana\uff20x.example",
    "ana@gmail",
    "ana@[192.0.2.1]",
    "anna@xn--mller-kva.example",
]
NO_EMAILS = [
    "meet me @ 5pm",
    "follow @northwind",
    "2 bananas@1.50",
    "@",
    "a@",
    "@ana @li",
    "tents @ home",
    "so good @_@",
    "c@fe",
    "10@20",
]
CARDS = [
    "4111111111111111",
    "4111 1111 1111 1111",
    "4111-1111-1111-1111",
    "378282246310005",
    "3782 822463 10005",
    "5555 5555 5555 4444",
    "6011000990139424",
    "4222222222222",
    "6304000000000000",
    "\uff14\uff11\uff11\uff11 1111 1111 1111",
]
NO_CARDS = [
    "4111 1111 1111 1112",
    "1700000000000",
    "0000 0000 0000 0000",
    "4444 4444 4444 4444",
    "1234 5678 9012",
    "41111111111111111111111",
]
IBANS = [
    "DE89 3704 0044 0532 0130 00",
    "DE89370400440532013000",
    "de89 3704 0044 0532 0130 00",
    "GB82 WEST 1234 5698 7654 32",
    "FR14 2004 1010 0505 0001 3M02 606",
    "NO93 8601 1117 947",
    "MT84MALT011000012345MTLCAST001S",
]
NO_IBANS = ["DE88 3704 0044 0532 0130 00", "DE89 3704 0044", "AB12 CDEF", "XX00 1234 1234 1234 1234"]


def kinds(text: str, names: Iterable[str] | None = None) -> list[tuple[str, str]]:
    """Return kind and characters of what is found."""
    chosen = None if names is None else list(names)
    return [(finding.kind, text[finding.start : finding.end]) for finding in find(text, chosen)]


@pytest.mark.parametrize("address", EMAILS)
@pytest.mark.parametrize(
    "around", ["{}", "write to {}, please", "({})", "<{}>", "mail:{}!", '"{}"', "it's {}.", "\n{}\n"]
)
def test_an_email_address_is_found_to_its_ends(address: str, around: str) -> None:
    """The address is found without the signs around it."""
    assert kinds(around.format(address)) == [("email", address)]


@pytest.mark.parametrize("text", NO_EMAILS)
def test_an_at_sign_alone_is_no_address(text: str) -> None:
    """Handles, prices and smileys are left."""
    assert kinds(text, ["email"]) == []


@pytest.mark.parametrize(
    "written",
    [
        "ana%40y.example", "ana%2Eli%40y%2Eexample", "ana%2540y.example", "ana%2540y%252eexample",
        "ana&#64;y&#46;example", "ana&commat;y&period;example",
    ],
)  # fmt: skip
def test_an_address_inside_a_link_is_found(written: str) -> None:
    """Its signs may be encoded, twice in a link within a link, and as a page writes them."""
    assert kinds(f"https://x.example/stop?mail={written}&lang=en") == [("email", written)]


@pytest.mark.parametrize("number", CARDS)
@pytest.mark.parametrize("around", ["{}", "my card is {}, thanks", "card:{}.", "{} 123", "{} 12/27"])
def test_a_card_number_is_found_beside_other_digits(number: str, around: str) -> None:
    """Grouping, a security code and an expiry date do not hide a card number."""
    text = around.format(number)
    found = kinds(text, ["payment_card"])
    assert [kind for kind, _ in found] == ["payment_card"]
    assert number in found[0][1]


@pytest.mark.parametrize("number", NO_CARDS)
def test_digits_without_right_check_digit_are_no_card(number: str) -> None:
    """Mistyped numbers, timestamps and runs that are too long are no card numbers."""
    assert kinds(number, ["payment_card"]) == []


@pytest.mark.parametrize("number", IBANS)
@pytest.mark.parametrize("around", ["{}", "IBAN {} thanks a lot", "iban:{}.", "\u5e10\u53f7{}"])
def test_an_iban_is_found_to_its_ends(number: str, around: str) -> None:
    """The country tells the length, so that words after an IBAN are left."""
    assert kinds(around.format(number)) == [("iban", number)]


@pytest.mark.parametrize("number", NO_IBANS)
def test_letters_and_digits_without_right_check_digits_are_no_iban(number: str) -> None:
    """Codes that only look like an IBAN are left."""
    assert kinds(number, ["iban"]) == []


def test_digits_without_end_are_taken_for_numbers() -> None:
    """What is longer than any list of numbers that a person types is not looked through, and masked whole."""
    assert kinds("1 23 456 " * 100) == [("payment_card", ("1 23 456 " * 100).strip())]
    assert kinds("1---" * 200) == [("phone", ("1---" * 200).rstrip("-"))]


def test_several_kinds_are_found_in_order() -> None:
    """Findings come sorted, each with its kind."""
    text = "ana@x.example, 0170 1234567, DE89 3704 0044 0532 0130 00, 4111 1111 1111 1111"
    assert [kind for kind, _ in kinds(text)] == ["email", "phone", "iban", "payment_card"]


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("I am 34, born 12.05.1990", ("birth_date", "12.05.1990")),
        ("Ana Li, +49 170 1234567, DOB 12.05.1990", ("birth_date", "12.05.1990")),
        ("age: 34\ndob: 12.05.1990\nzip: 90210", ("postcode", "90210")),
        ("age: 34\ndob: 12.05.1990\nzip: 90210", ("birth_date", "12.05.1990")),
        ("Hauptstr. 5, PLZ 10115 Berlin", ("postcode", "10115")),
        ("rue 12, CP 75001, 3e", ("postcode", "75001")),
        ("room 12, plate AB 123 C", ("vehicle_plate", "AB 123 C")),
        ("zip 90210, later SW1A 1AA", ("postcode", "SW1A 1AA")),
    ],
)
def test_a_number_close_before_does_not_hide_what_the_words_between_say(text: str, expected: tuple[str, str]) -> None:
    """Digits up to eight characters apart are one zone; the words in it count as those around it do."""
    assert expected in kinds(text)


@pytest.mark.parametrize(
    "text", ["I paid 20 on 12.05.2024, zip 9021x", "2 of 12345, born 12", "4 by 5, zip it, 12 by 3"]
)
def test_words_between_numbers_speak_of_no_other_shape(text: str) -> None:
    """A word beside one number makes no value of another one."""
    assert kinds(text, ["birth_date", "postcode", "vehicle_plate"]) == []


def test_overlapping_findings_are_joined_under_the_longest() -> None:
    """Nothing of the shorter one is left beside the longer one."""
    assert kinds("0170 1234567@x.example") == [("email", "0170 1234567@x.example")]


def test_only_the_named_detectors_run() -> None:
    """Other kinds of data are not looked for."""
    assert kinds("ana@x.example 0170 1234567", ["phone"]) == [("phone", "0170 1234567")]
    assert kinds("ana@x.example", []) == []


def test_an_unknown_detector_is_refused_by_name() -> None:
    """A misspelt detector is an error that lists the right names, also where the text is empty."""
    with pytest.raises(DetectorError, match="no detector 'mail'; there are url_credentials, email, "):
        find("", ["mail"])


def test_an_unknown_region_is_refused() -> None:
    """A misspelt country is an error, also for a text without digits."""
    with pytest.raises(DetectorError, match="phone region 'UK' is unknown"):
        find("hello", regions=("UK",))


def test_a_text_that_is_too_long_is_refused_and_not_quoted() -> None:
    """A text that is not searched to its end counts as not searched."""
    assert find(" " * MAX_CHARACTERS) == []
    with pytest.raises(DetectorError) as raised:
        find("ana@x.example" + " " * MAX_CHARACTERS)
    assert "ana" not in str(raised.value)


def test_a_failing_detector_is_an_error_without_the_text(monkeypatch: pytest.MonkeyPatch) -> None:
    """Whatever goes wrong, the caller hears that the text was not searched, and the error quotes nothing of it."""

    def broken(text: SearchedText, /) -> list[tuple[int, int]]:
        raise LookupError(text.plain)

    monkeypatch.setattr(detectors, "DETECTORS", {**DETECTORS, "email": broken})
    before = detectors.failures().get("email", 0)
    with pytest.raises(DetectorError, match="the detector 'email' failed with LookupError") as raised:
        find("secret@x.example")
    assert "secret" not in str(raised.value)
    assert raised.value.__cause__ is None
    assert raised.value.__suppress_context__
    assert detectors.failures()["email"] == before + 1


def test_a_search_that_takes_too_long_is_given_up(monkeypatch: pytest.MonkeyPatch) -> None:
    """The text counts as not searched, and the error quotes nothing of it."""
    clock = iter(range(0, 10_000, 2))
    monkeypatch.setattr(detectors, "thread_time", lambda: next(clock))
    before = sum(detectors.failures().values())
    with pytest.raises(DetectorError, match="took more than 3 seconds up to") as raised:
        find("secret@x.example or +49 30 901820" + " ok" * 1_000)
    assert "secret" not in str(raised.value)
    assert sum(detectors.failures().values()) == before + 1


@pytest.mark.parametrize("hanging", ["email", "phone"])
def test_a_detector_that_hangs_on_a_short_text_is_counted(monkeypatch: pytest.MonkeyPatch, hanging: str) -> None:
    """What it comes back with late does not count, and neither does what others found; the last one is no exception."""

    def slow(_: SearchedText, /) -> list[tuple[int, int]]:
        time.sleep(0.3)
        return []

    monkeypatch.setattr(detectors, "DETECTORS", {**DETECTORS, hanging: slow})
    monkeypatch.setattr(detectors, "MAX_SECONDS", 0.2)
    before = detectors.failures().get(hanging, 0)
    with pytest.raises(DetectorError, match=f"up to '{hanging}'; withhold the text"):
        find("secret@x.example or +49 30 901820")
    assert detectors.failures()[hanging] == before + 1


@given(
    st.text(alphabet=st.sampled_from("a1 0@.+-()%\u0660\u0301\uff20D E89$#x\n"), max_size=120) | st.text(max_size=200)
)
def test_findings_are_sorted_apart_and_inside_the_text(text: str) -> None:
    """Whatever is said, findings are runs of the text in order."""
    findings = find(text)
    ends = [0]
    for finding in findings:
        assert isinstance(finding, Finding)
        assert ends[-1] <= finding.start < finding.end <= len(text)
        assert finding.kind in DETECTORS
        ends.append(finding.end)


@given(st.sampled_from(EMAILS), st.text(max_size=40))
def test_nothing_before_an_address_hides_it(address: str, before: str) -> None:
    """A space before an address is enough for it to be found, whatever stands before that."""
    text = f"{before} {address}"
    assert any(finding.start <= len(before) + 1 and finding.end == len(text) for finding in find(text))


HOSTILE = [
    "1", "0", "1 ", "0 ", "9 99 999 ", "0170 1234567 ", "4111 ", "4 ", "AA11 ", "DE89 ", "1.", "1.1.1.", "12.05.2024 ",
    "@", "a@", "a@b.", "a@b.c", "%40", "a", "a\u0301", "\u0660", "+", "+1 ", "(", "1---", "$1 ", "#", "order number ",
    "ordernumber", "call 1234567 ", "no no ", "1 x1 ", "4155552671 2 ", " at ", "a at b dot ", "a dot ", " dot", "[at]",
    "a@b ", "http://", "://a:b@", "?key=", "password is ", "password for a ", "pin 1", "1.2.3.4 ", "1:2:3:", "::",
    "00:1A:", "AB12 CD ", "born 1.1.1990 ", "born ", "passport A1 ", "zip 12345 ", "SW1A 1AA ", "52.123456, ",
    "sk_live_aaaaaaaaaaaaaaaaaaaa=", "eyJ", "eyJaaaaaaaa.", "-----begin ", "0x", "1A1zP1eP5QGefi2DMPTfTL5SLmv7DivfNa ",
    "\u0661\u0662 ", "1\u200b", "\u2488", "a b-c_d+e.f ", "12 34 56 78 90 12 ", "123456789 ", "A1B2C3 ", "1'2\" ",
]  # fmt: skip


@pytest.mark.parametrize("unit", HOSTILE)
def test_the_time_grows_with_the_length_only(unit: str) -> None:
    """Four times the text takes about four times as long, for texts made to be slow, the best of a few tries."""
    find("call 0170 1234567")  # reads the tables of phonenumbers
    short, long = (
        min(_seconds((unit * count)[:count]) for _ in range(3)) for count in (MAX_CHARACTERS // 4, MAX_CHARACTERS)
    )
    assert long < 10 * short + 0.5
    assert long < 3


def test_a_message_of_200_characters_takes_little_time() -> None:
    """The best of many runs stays within a few times the budget of 100 microseconds, on a busy machine too."""
    text = "I would love to enter the draw with my family, we went hiking last weekend. " * 2
    text = f"{text[:150]} My phone is 0170 1234567, ana@x.example"
    find(text)
    assert min(_seconds(text) for _ in range(50)) < 0.0005


def _seconds(text: str) -> float:
    start = time.process_time()
    find(text)
    return time.process_time() - start

"""Each kind of personal data, as people write it, and numbers that are none. `{}` marks where it stands."""

import re
from pathlib import Path

import pytest

from rasa_privacy.minimize.detectors import DETECTORS, Finding, find
from rasa_privacy.minimize.masking import mask
from rasa_privacy.minimize.national_ids import NATIONAL_IDS
from rasa_privacy.policy.detector_names import PRESIDIO_NAMES

# kind: message with the value between bars
FOUND = """
us_ssn: my SSN is |856-45-6789| ok; us_ssn: |856 45 6789|; us_ssn: social security number |856456789|
us_ssn: |\uff18\uff15\uff16\uff0d\uff14\uff15\uff0d\uff16\uff17\uff18\uff19|
gb_nhs: nhs number |943 476 5919|; gb_nhs: |9434765919| is my NHS number; gb_nino: it is |AB 12 34 56 C|
gb_nino: |ab123456c|; gb_nino: |\uff21\uff22\uff11\uff12\uff13\uff14\uff15\uff16\uff23|
de_tax_id: Steuer-ID |36 574 261 809|; de_tax_id: hier |36574261809|; fr_nir: secu |1 85 05 78 006 084 91|
es_dni: |54362315K|; es_dni: mi dni es |54.362.315-k|; es_nie: |X-2482300-W|; it_codice_fiscale: |RSSMRA85T10A562S|
it_codice_fiscale: cf |rss mra 85t10 a562s|; nl_bsn: mijn BSN is |111222333|; nl_bsn: |111.222.333|
br_cpf: |390.533.447-05|
br_cpf: cpf |39053344705|; in_aadhaar: |2341 2341 2346|; in_aadhaar: aadhaar |234123412346|; in_pan: |ACUPA7085R|
in_pan: my pan is |acupa7085r|; ca_sin: my SIN: |046 454 286|; ca_sin: |130-692-544| is my social insurance number
au_tfn: tfn |123 456 782|; ip_address: from |192.168.10.5|; ip_address: |192[.]168[.]1[.]1|
ip_address: |2001:db8:0:1::5|; ip_address: ping |fe80::1|; ip_address: it is |2a02::1| now
mac_address: MAC address |001A2B3C4D5E|; mac_address: mac: |001a2b3c4d5e|
mac_address: |00:1A:2B:3C:4D:5E|; mac_address: |00-1a-2b-3c-4d-5e|; mac_address: mac |001a.2b3c.4d5e|
url_credentials: go to |https://ana:pw1@x.example/a?b|; url_credentials: |https://x.example/?a=1&token=abcdef123|
birth_date: born |12.05.1990|; birth_date: I was born on |May 12th, 1990|; birth_date: geboren am |12. Mai 1990|
birth_date: n\u00e9 le |12/05/1990|; birth_date: dob |1990-05-12|; birth_date: nacimiento: |12 de mayo de 1990|
birth_date: my birthday is |12.05.90|; birth_date: |12051990| is my date of birth
birth_date: nata il |12 maggio 1990|; birth_date: born on |1990-05-12T00:00|:00.000+02:00
birth_date: naci\u00f3 el |12-05-1990|; birth_date: my b-day: |12.05.1990|; birth_date: nasceu em |12/05/1990|
postcode: my postcode is |SW1A 1AA|; postcode: at |SW1A 1AA| now; postcode: PLZ |10115|; postcode: zip |90210-1234|
postcode: in CA |90210|; postcode: code postal : |75001|; postcode: |K1A 0B1|
postcode: PLZ: |\u0661\u0660\u0661\u0661\u0665|
passport: my passport is |C01X00T47|; passport: Reisepass Nr. |C01X00T47|; passport: passport number |123456789|
passport: pasaporte |AAA 123456|; driving_licence: |MORGA657054SM9IJ|
driving_licence: my driver's license is |D1234567|
driving_licence: F\u00fchrerschein |B072RRE2I55|; vehicle_plate: plate |AB12 CDE|
vehicle_plate: Kennzeichen |B-AB 1234|
vehicle_plate: immatriculation |AB-123-CD|; vehicle_plate: matr\u00edcula |1234 BCD|; vehicle_plate: targa |AB123CD|
vehicle_plate: kenteken |12-ABC-3|; vehicle_plate: placa |ABC1D23|; vehicle_plate: matr\u00edcula |AA-12-BC|
vehicle_plate: license plate |7ABC123|; vehicle_plate: my plate is |ABCD 123|
birth_date: nascido em |12 de maio de 1990|; birth_date: geboren op |12 mei 1990|
vehicle_plate: |MH 12 AB 1234|; vehicle_plate: number plate is |ab12cde|
coordinates: at |52.520008, 13.404954| exactly
coordinates: |40\u00b026'46"N 79\u00b058'56"W|; api_key: key |sk_live_4eC39HqLyjWDarjtT1zdp7dc|
api_key: |ghp_abcdefghijklmnopqrstuvwxyz0123456789|; api_key: |AKIAIOSFODNN7EXAMPLE|
api_key: |AKIAIOSFODNN7EXAMPLEDE89370400440532013000|; api_key: IBAN_|AKIAIOSFODNN7EXAMPLE|
api_key: api key is |Zx9Qw2Lm5Rt8Yp3Kd6|
password: my password is |hunter2|; password: password: |letmein|; password: Passwort ist |Ge!heim|
password: my pin is |4821|; password: pass: |123456|; password: pw |hunter2|; password: my pw is |sol3dad|
password: pw: |letmein|; password: psw=|Ge!heim|; password: user: ana, pass: |letmein|; password: my pass = "|s3cret!x|"
password: Wifi Pass: |Caf-2024-x|; password: passw: |abc123|; password: PASS:|x9y8z7|; password: pw |x12|
password: mot de passe : |soleil|; password: contrase\u00f1a es |sol3dad|
crypto_wallet: |1A1zP1eP5QGefi2DMPTfTL5SLmv7DivfNa|
crypto_wallet: eth |0x52908400098527886E0F7030069857D2E4169EE7|
crypto_wallet: |bc1qar0srrr7xfkvy5l643lydnw9re59gtzzwf5mdq|; crypto_wallet: |LM2WMpR1Rp6j3Sa59cMXMs1SPzj9eXpGc1|
crypto_wallet: |DH5yaieqoZN36fDVciNyRueRGvGLR3mr7L|
crypto_wallet: |TJCnKsPa7y5okkXvQAidZBzqx3QyQ6sxMW|; crypto_wallet: |rEb8TK3gBgk5auZkwc6sHnwrGVJH8DuaLh|
crypto_wallet: solana wallet |7EcDhSYGxXyscszYEp35KHN8vvw3svAuLKTzXwCFLtV|
crypto_wallet: |ltc1qg82u8my75w4q8k4s4w9q3k6v7d9s8g0g4s6p2e|
api_key: |hf_abcdefghijklmnopqrstuvwx|
api_key: |eyJhbGciOiJIUzI1NiJ9.eyJzdWIiOiIxMjM0NTYifQ.c2lnbmF0dXJl|
email: write |ana at x dot com| please
email: |ana.li [at] x [dot] example|; email: soy |ana arroba gmail punto com|; email: |ana (\u00e4t) gmx (punkt) de|
email: |lena punkt berg klammeraffe web punkt de|; email: |ana@x\u200b.exam\u200bple|; email: |ana @ gmail . com|
email: |ANA AT GMAIL DOT COM|; email: c'est |ana arobase laposte point net|; email: |ana chiocciola libero punto it|
passport: my passport is |C01X00T47| 2 tickets; passport: passport |533.380.006|
passport: it is passport |5 3 3 3 8 0 0 0 6|
passport: passport |C01X00T47| expires 12.05.2029; driving_licence: driving licence |A 1234567 8| since 12-05-2009
gb_nino: my nino is |ab 12 34 56 c|; es_dni: |54 362 315 k|; es_nie: |x 2482300 w|; in_pan: |aappv 8261 k|
iban: an |de 89 3704 0044 0532 0130 00| bitte; iban: |nl 91 abna 0417 1643 00|; iban: |DE89  3704  0044  0532  0130  00|
us_ssn: my social is |536904399|; coordinates: lat |52.52 lon 13.405|; coordinates: geo:|52.52,13.405|
coordinates: Latitude: |52.52, longitude: 13.405|; coordinates: {"latitude": |52.520008, "longitude": 13.404954|}
email: mon mail c'est |ana chez laposte point net|; email: |ana.li chez orange point fr|
email: |lea12 chez free.fr| merci; email: mon adresse : |ana chez boutique point com|
phone: call |030.0.1234567|
payment_card: |4111 - 1111 - 1111 - 1111|; payment_card: card |3782 - 822463 - 10005| and 1 - 2
iban: |DE89 - 3704 - 0044 - 0532 - 0130 - 00|; iban: |GB2 - 9NW - BK6 - 016 - 133 - 192 - 681 - 9|
us_ssn: SSN |536 - 90 - 4399|; in_aadhaar: |2341 - 2341 - 2346|; es_dni: |54362315 - K|
gb_nino: |AB - 12 - 34 - 56 - C|
it_codice_fiscale: |RSS - MRA - 85T10 - A562S|; it_codice_fiscale: |R S S M R A 8 5 T 1 0 A 5 6 2 S|
it_codice_fiscale: cf |r.s.s.m.r.a.8.5.t.1.0.a.5.6.2.s|; in_pan: |A C U P A 7 0 8 5 R|; in_pan: |ACUPA - 7085 - R|
passport: my passport is |C 0 1 X 0 0 T 4 7| thanks; passport: passport |c-0-1-x-0-0-t-4-7|
coordinates: |52,520008;13,404954|; coordinates: |52,520008 / 13,404954|
coordinates: bei |-33,868820, 151,209290|; coordinates: lat |52,52 lon 13,40|
coordinates: |52,520008 13,404954|; coordinates: |52,5200\u00b0 N, 13,4050\u00b0 E|
url_credentials: |x.example/?token=abcdef123456|; url_credentials: |https://x.example/cb?code=4%2F0AbCdEfGhIjKl&a=1|
url_credentials: (|www.x.example/a/b?x=1&access_token=abcdefgh|); url_credentials: |x.example#id_token=abcdefgh|.
url_credentials: |https://x.example/?session_id=8f14e45fceea167a5a36|
password: my password is |sunshine|; password: Mein Passwort ist |Sommer|.; password: my wifi password is |dragon|!
password: password is |sunshine|; password: Hi, wifi password is |dragon|!
password: mi contrase\u00f1a es |girasol|; password: mi clave es |girasol|; password: minha senha \u00e9 |praia|
password: la mia password \u00e8 |ciao|, grazie; password: mon mot de passe est |soleil|
password: mijn wachtwoord is |tulp|; password: palavra-passe: |praia77|; password: mi clave es |sol77|
email: |ana&#64;x.example|; phone: \u0627\u062a\u0635\u0644 |+49 170 1234567|
"""
NOTHING = """
version 10.15.7.1; my password is wrong; I forgot my password; look at example.com; meet at 10:30 at the station
order 123456782; order number 9434765919; it costs 1.234,56 EUR; 3 for 2; 12.05.2030; flight LH 1234 at gate B12
room 1204; size 42; ref AB-2024-118; 978-3-16-148410-0; the code is 4821; 2 tickets at 12.50 each; 16:9; 1920x1080
see section 1.2.3.4; std::vector; at 10::30; iPhone 15 Pro; model AB12 CDE; born to run; the zip is broken; 50% off
at this point in time; at that dot; 1,2,3,4,5,6,7,8,9; the ratio is 0.37194585; RFC 5322
ISO 9001:2015; A4; M8 x 40; 5 GHz; 2nd of May; the type AB12 CDE
day pass: $25.50; boarding pass: gate B12; pass: 10:30; tests pass: 1204; pass: 1204, fail: 3; pass: 98.5%
the flat is 300 pw 2-bed; a room at 250pw 1st-floor; pw reset please; my pw is wrong; I forgot my pw; pass: friday only
pass: 12.05.2030; pass me the salt; ski-pass: 2x45; I pass 12345 people; pass: 12.50eur; user: ana; they pass: 100/100
j'ai achet\u00e9 chez amazon point fr; je suis chez orange.fr; mon mail n'arrive pas, je suis chez orange.fr
on se retrouve chez boutique point com; mon colis est chez laposte point net; chez ana point com
pin it on the wall; my plate is full of 3 things; passport photo 35 x 45 mm; license v2.0.1
my passport expires 2029-05-12; passport valid until 12.05.2029; my licence number expired 12 05 2019
build 20240503.12; Windows 10.0.19045.3803; chrome 120.0.6099.110; latest 52.52, 13.40 euro; lat 91.5 lon 13.405
from 01.05.2024 - 03.05.2024 - 05.05.2024; 22.01.2024 - 25.01.2024; open 10 - 12 - 14 - 18; pages 100 - 120 - 140 - 160
score 3 - 2 - 1; EUR/USD 1,0845, 1,2710; 12,50000 - 13,50000; 1,234,567, 2,345,678; 99,123456, 200,123456; a=b?c=d
https://shop.example/?code=SUMMER20; shop.example/?code=SUMMERSALE2026; https://shop.example/?code=summersaleforeveryone
shop.example/?page=2&sid=12; x.example/?monkey=banana; y = f(x)? or x.y=3
I am s o h a p p y 2 0 2 4; 1\ufe0f\u20e3 and 2\ufe0f\u20e3
my password is expired; my password is too long; my password is not working; my password is what?; my password was reset
mein Passwort ist falsch.; mein Passwort ist abgelaufen; mein Passwort ist zur\u00fcckgesetzt
mi contrase\u00f1a es incorrecta; mon mot de passe est expir\u00e9; la mia password \u00e8 scaduta
minha senha \u00e9 fraca; mijn wachtwoord is verlopen
your password is sunshine; password is wrong; Password is optional; hi, password is required.
the password is secret; la clave es paciencia; my passport is expired
B-day sale until 12 tents; the b-day party is at 10:30
face::add; dead::beef; hex 001A2B3C4D5E; the password has 12 letters; hello 89.90 I said; which 89.90 I paid
"""


def _cells(table: str) -> list[str]:
    return [cell.strip(" ") for line in table.strip("\n").split("\n") for cell in line.split("; ")]


@pytest.mark.parametrize("cell", _cells(FOUND))
def test_each_kind_is_found_to_its_ends(cell: str) -> None:
    """The value is found, whole and alone, under its own kind, and not again once it is masked."""
    kind, _, message = cell.partition(": ")
    before, value, after = message.split("|")
    text = before + value + after
    found = find(text)
    assert [(finding.kind, text[finding.start : finding.end]) for finding in found] == [(kind, value)]
    assert find(mask(text, found, {})) == []


def test_each_kind_has_an_example() -> None:
    """No detector is left without one."""
    shown = {cell.partition(": ")[0] for cell in _cells(FOUND)}
    assert shown == set(DETECTORS)


@pytest.mark.parametrize("text", _cells(NOTHING))
def test_what_only_looks_like_it_is_left(text: str) -> None:
    """Prices, times, sizes, versions and numbers of orders raise no alarm."""
    assert find(text) == []


@pytest.mark.parametrize("kind", ["nl_bsn", "ca_sin", "au_tfn", "gb_nhs"])
def test_a_number_that_chance_makes_right_needs_a_word(kind: str) -> None:
    """Nine digits among other words are no finding, whatever their check digit says."""
    number = {"nl_bsn": "111222333", "ca_sin": "130692544", "au_tfn": "123456782", "gb_nhs": "9434765919"}[kind]
    assert find(f"we counted {number} steps today", [kind]) == []
    assert find(f"order {number}", [kind]) == []


# The others have no check digit.
@pytest.mark.parametrize("kind", sorted({*NATIONAL_IDS} - {"us_ssn", "gb_nino", "in_pan"}))
def test_a_wrong_check_digit_is_no_finding(kind: str) -> None:
    """One changed digit makes a number of the state no number of the state."""
    cell = next(cell for cell in _cells(FOUND) if cell.startswith(f"{kind}: "))
    text = cell.partition(": ")[2].replace("|", "")
    last = max(match.start() for match in re.finditer("[0-9]", text))
    changed = text[:last] + str((int(text[last]) + 1) % 10) + text[last + 1 :]
    assert find(changed, [kind]) == []


@pytest.mark.parametrize(
    "text",
    ["ok, 287596278.", "287 596 278", "c'est 287596278", "\u0662\u0668\u0667\u0665\u0669\u0666\u0662\u0667\u0668"],
)
def test_a_number_that_is_the_whole_answer_needs_no_word(text: str) -> None:
    """The bot has asked for it; what else would it be?"""
    assert [finding.kind for finding in find(text)] == ["nl_bsn"]


def test_the_word_of_one_number_is_not_the_next_one_s() -> None:
    """What stands before a number ends the words of the number after it."""
    text = "passport 123456789, order 987654321"
    assert [finding.kind for finding in find(text)] == ["passport"]
    assert find(mask(text, find(text), {})) == []


def test_the_document_names_each_detector() -> None:
    """docs/detectors.md lists them all, each once."""
    page = Path("docs/detectors.md").read_text()
    assert sorted(re.findall(r"^\| `(\w+)` \|", page, re.MULTILINE)) == sorted([*DETECTORS, *PRESIDIO_NAMES])


def test_a_key_glued_to_letters_is_found_behind_another() -> None:
    """A word with a key at its beginning, or behind a sign, is looked through for the others."""
    keys = ["ghp_abcdefghijklmnopqrstuvwxyz0123456789", "xAKIAIOSFODNN7EXAMPLE"]
    for text in (";".join(keys), "token=" + ",".join(keys)):
        assert [text[finding.start : finding.end] for finding in find(text)] == keys


@pytest.mark.parametrize("iban", ["DE89370400440532013000", "DE89 3704 0044 0532 0130 00", "NO9386011117947"])
def test_an_iban_before_a_key_of_amazons_is_found(iban: str) -> None:
    """A form may leave nothing between them; each is found as what it is."""
    text = f"{iban}AKIAIOSFODNN7EXAMPLE"
    assert find(text) == [Finding(0, len(iban), "iban"), Finding(len(iban), len(text), "api_key")]

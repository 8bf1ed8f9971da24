"""privacy.yml becomes a policy, or an error that names the line, the cause and the remedy."""

import os
from collections.abc import Callable
from pathlib import Path

import pytest

from rasa_privacy.errors import PolicyError
from rasa_privacy.policy.item_model import Ends
from rasa_privacy.policy.loader import load_policy, parse_policy

Complaint = Callable[[str], str]

#: DESIGN.md, section 5, with the languages that have packs.
DESIGN_EXAMPLE = """\
version: 1
controller: {name: Northwind Outdoor, contact: privacy@northwind.example, policy_url: https://northwind.example/privacy}
regulations: [gdpr@2026-11, ccpa@2026-11]
languages: [en]
items:
  full_name: {slot: name, entity: PERSON, category: name}
  email:     {slot: email, detect: email, category: contact}
  phone:     {slot: phone, detect: phone, category: contact}
  birthday:  {slot: birthday, keep: year, category: demographic}
  postcode:  {slot: postcode, keep: {first: 3}, category: location}
not_personal: [favourite_activity, requested_slot]      # every slot is either an item or named here
messages: {keep: masked, retain: 30 days}               # full | masked | none
purposes:
  prize_draw:
    says: {en: "to enter you in the draw and tell you if you win", de: "..."}
    basis: consent
    items: {full_name: required, email: required, postcode: optional}
    guards: [lead_form, action_submit_entry]
    retain: 90 days
    recipients: []
    consent_lasts: 12 months
  newsletter:
    says: {en: "to send you our monthly newsletter"}
    basis: consent
    marketing: true
    items: {email: required}
    retain: until withdrawn
ask: just_in_time            # or first_message
minimum_age: 16
roles:
  support: {items: [full_name, email], may: [view, rectify]}
  dpo: {may: all}
"""


def test_the_example_of_the_design_loads() -> None:
    """The file that the design shows to builders is read with every value in its place."""
    policy = parse_policy(DESIGN_EXAMPLE, "privacy.yml")
    assert policy.items["postcode"].keep == Ends(first=3)
    assert policy.items["birthday"].keep == "year"
    assert policy.purposes["newsletter"].marketing
    assert policy.purposes_guarding("lead_form") == ("prize_draw",)
    assert policy.roles["dpo"].may == "all"


def test_the_error_of_the_design_reads_as_promised(complaint: Complaint) -> None:
    """An undeclared item is named with its line, its column and the name that was meant."""
    text = DESIGN_EXAMPLE.replace("email: required, postcode", "mail: required, postcode")
    expected = "privacy.yml:17:34: purpose 'prize_draw' uses item 'mail', which is not declared; did you mean 'email'?"
    assert complaint(text) == expected


def test_every_mistake_is_reported_at_once(policy_text: str, complaint: Complaint) -> None:
    """Three mistakes of form give three lines, in the order of the file."""
    broken = policy_text.replace("version: 1", "version: 2").replace("keep: masked", "keep: maskd")
    lines = complaint(broken.replace("says:", "sais:")).splitlines()
    assert [line.split(" ", 1)[0] for line in lines] == [
        "privacy.yml:1:10:",
        "privacy.yml:8:18:",
        "privacy.yml:11:5:",
        "privacy.yml:11:5:",
    ]
    assert "did you mean 'masked'?" in lines[1]
    assert "did you mean 'says'?" in "".join(lines[2:])


@pytest.mark.parametrize(
    ("text", "message"),
    [
        ("", "privacy.yml:1:1: the file is empty"),
        ("# only a comment\n", "privacy.yml:1:1: the file is empty"),
        ("- version: 1\n", "privacy.yml:1:1: the file must be a mapping ('name: value'), not a list"),
        ("just words", "must be a mapping ('name: value'), not text"),
        ("version:\n\tone: 1\n", "privacy.yml:2:1: YAML is indented with spaces, and here is a tab"),
        ("version: 1\n---\nversion: 1\n", "privacy.yml:2:1: this is not YAML"),
        ("version: [1\n", "privacy.yml:2:1: this is not YAML"),
        ("version: 1\nversion: 1\n", "privacy.yml:2:1: the file has 'version' twice; remove one"),
        ("version: 1\n<<: {a: 1}\n", "merge key"),
        ("? [a]\n: 1\n", "in the place of a name"),
        ('a: "\\UFFFFFFFF"\n', "this is not YAML"),
        ('a: "\\ud800"\n', "half a surrogate pair"),
        ("a: \x01\n", "privacy.yml:1:4: this character is not allowed"),
        ("[" * 5000, "more than 20 levels inside each other"),
        ("a: [" + "1, " * 30_000 + "1]", "more than 20000 values"),
        ("!!python/object/apply:os.system ['true']\n", "not the tag"),
    ],
    ids=lambda value: value[:24].encode("unicode_escape").decode(),
)
def test_what_is_no_policy_at_all_is_said_so(text: str, message: str, complaint: Complaint) -> None:
    """Files that are empty, of another form, or made to do harm give one clear message."""
    assert message in complaint(text)


def test_aliases_work_and_cannot_make_the_file_explode(policy_text: str, complaint: Complaint) -> None:
    """An alias stands for its value, and a million aliases of aliases are refused in time."""
    shared = policy_text.replace("items: {full_name", "items: &all {full_name") + "  other:\n    says: {en: to help}\n"
    policy = parse_policy(shared + "    basis: consent\n    items: *all\n    retain: 1 day\n", "privacy.yml")
    assert policy.purposes["other"].items == policy.purposes["prize_draw"].items
    purposes = "".join(f"  p{number}: *one\n" for number in range(5000))
    bomb = policy_text.replace("  prize_draw:", "  prize_draw: &one") + purposes
    assert "use fewer aliases" in complaint(bomb)


def test_words_that_yaml_reads_otherwise_are_to_be_quoted(policy_text: str, complaint: Complaint) -> None:
    """A name such as `no` or a value such as 2026 is not silently turned into a truth value or number."""
    assert "controller.name must be text, not a number; put it in quotes" in complaint(
        policy_text.replace("Northwind Outdoor", "2026")
    )
    assert "not a date; put it in quotes" in complaint(policy_text.replace("Northwind Outdoor", "2026-11-01"))
    assert "not true or false; put it in quotes" in complaint(policy_text.replace("[favourite_activity]", "[on]"))
    assert "which YAML reads as true or false; put it in quotes" in complaint(
        policy_text.replace("says: {en:", "says: {no:")
    )


def test_a_prefix_must_be_shorter_than_a_value(policy_text: str, complaint: Complaint) -> None:
    """The struct's own check is reported at the line of its value."""
    message = complaint(policy_text.replace("detect: email", "detect: email, keep: {first: 11}"))
    assert message == "privacy.yml:6:60: items.email.keep is wrong: first must be 1 to 10 characters"


def test_missing_names_are_listed(policy_text: str, complaint: Complaint) -> None:
    """What a purpose lacks is said at the purpose."""
    message = complaint(policy_text.replace("    basis: consent\n", "").replace("    retain: 90 days\n", ""))
    assert message == "privacy.yml:11:5: purposes.prize_draw misses 'basis', 'retain'"


def test_a_file_that_cannot_be_read_is_a_policy_error(tmp_path: Path) -> None:
    """A missing file, a folder, a file that is too long and one in another encoding each say what to do."""
    cases = {
        "missing.yml": (None, "does not exist"),
        "latin.yml": ("a: é\n".encode("latin-1"), "latin.yml:1:4: the file is not UTF-8"),
        "long.yml": (b"#" * (2**20 + 1), "longer than 1048576 bytes"),
        "binary.yml": (os.urandom(4096) + b"\xff", "binary.yml:"),
    }
    for name, (content, message) in cases.items():
        if content is not None:
            (tmp_path / name).write_bytes(content)
        with pytest.raises(PolicyError, match=message):
            load_policy(tmp_path / name)
    with pytest.raises(PolicyError, match="cannot be read"):
        load_policy(tmp_path)


def test_a_byte_order_mark_does_no_harm(tmp_path: Path, policy_text: str) -> None:
    """Editors on Windows begin UTF-8 files with a mark, and such a file loads."""
    path = tmp_path / "privacy.yml"
    path.write_text(policy_text, encoding="utf-8-sig")
    assert load_policy(path).version == 1


def test_long_names_do_not_flood_the_message(policy_text: str, complaint: Complaint) -> None:
    """A name of a thousand characters is cut, and control characters are shown escaped."""
    message = complaint(policy_text + "x" * 1000 + ": 1\n" + '"a\\eb": 1\n')
    assert all(len(line) < 500 for line in message.splitlines())
    assert "\\x1b" in message


def test_many_mistakes_are_counted_at_the_end(policy_text: str, complaint: Complaint) -> None:
    """More than fifty mistakes are summed up, so that the first ones stay in sight."""
    lines = complaint(policy_text + "".join(f"wrong{number}: 1\n" for number in range(80))).splitlines()
    assert len(lines) == 51
    assert lines[-1] == "privacy.yml: and 30 more problems"

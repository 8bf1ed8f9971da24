"""`check` finds what is wrong or forgotten in a bot's folder, and nothing in one that is right."""

from collections.abc import Callable
from pathlib import Path

import pytest

from rasa_privacy.errors import ConfigurationError
from rasa_privacy.policy.bot import read_bot
from tests.support.linting import lint

#: Code, file, text to replace, replacement, a part of the finding.
CASES = [
    ("RP001", "privacy.yml", "[favourite_activity]", "[]", "domain.yml:5:3: nothing says whether slot 'favourite_act"),
    ("RP002", "privacy.yml", "[lead_form]", "[lead_form, action_submit_entri]", "did you mean 'action_submit_entry'?"),
    ("RP003", "domain.yml", "  full_name: {type", "  fullname: {type", "did you mean 'fullname'?"),
    ("RP004", "domain.yml", "[PERSON, email]", "[email]", "item 'full_name' names entity 'PERSON'"),
    ("RP030", "privacy.yml", "PERSON, category", "PERSON, keep: until lead, category", "until form 'lead' is done"),
    ("RP005", "privacy.yml", ", email: optional", "", "domain.yml:7:3: form 'lead_form' asks for item 'email'"),
    ("RP006", "privacy.yml", "[lead_form]", "[action_submit_entry]", "asks for 'full_name', 'email' and no purpose"),
    ("RP007", "config.yml", "  - name: rasa_privacy.DataMinimizer\n", "", "config.yml: DataMinimizer is not in"),
    (
        "RP008",
        "config.yml",
        "DataMinimizer\n",
        "DataMinimizer\n  - name: Late\n",
        "config.yml:5:11: DataMinimizer is not",
    ),
    ("RP009", "config.yml", "  - name: rasa_privacy.ConsentPolicy\n", "", "ConsentPolicy is not among the policies"),
    ("RP010", "config.yml", ", {name: rasa_privacy.PrivacyImporter}", "", "PrivacyImporter is missing"),
    ("RP010", "config.yml", "{name: RasaFileImporter}, ", "", "PrivacyImporter is the only importer"),
    ("RP011", "endpoints.yml", "rasa_privacy.EncryptedTrackerStore", "SQL", "'type' of 'tracker_store' must be"),
    ("RP011", "endpoints.yml", "  privacy:", "  privcy:", "endpoints.yml: tracker_store: 'privcy' is not known"),
    ("RP027", "endpoints.yml", "action_endpoint:", "event_broker: {type: pika}\naction_endpoint:", "broker is 'pika'"),
    ("RP027", "endpoints.yml", "action_endpoint:", "event_broker:\naction_endpoint:", "which means RabbitMQ"),
    (
        "RP027",
        "endpoints.yml",
        "action_endpoint:",
        "event_broker: {type: rasa_privacy.PrivateEventBroker, brocker: {type: sql}}\naction_endpoint:",
        "did you mean 'broker'?",
    ),
    (
        "RP028",
        "endpoints.yml",
        "action_endpoint:",
        "nlg: {type: own.Writer}\naction_endpoint:",
        "'own.Writer' of 'nlg'",
    ),
    (
        "RP028",
        "endpoints.yml",
        "action_endpoint:",
        "lock_store: {type: own.Locks}\naction_endpoint:",
        "'own.Locks' gets",
    ),
    (
        "RP028",
        "config.yml",
        "  - name: WhitespaceTokenizer\n",
        "  - name: WhitespaceTokenizer\n  - name: DucklingEntityExtractor\n    url: http://x.example\n",
        "config.yml:5:11: 'DucklingEntityExtractor' sends every message in full",
    ),
    (
        "RP028",
        "endpoints.yml",
        "action_endpoint:",
        "nlu: {url: http://x.example}\naction_endpoint:",
        "'nlu' names another",
    ),
    *(
        (
            "RP029",
            "actions/__init__.py",
            "import rasa_privacy.actions",
            f"import rasa_privacy.actions\nclass A:\n  def name(s): return 'action_hi'\n  def run(s, tracker): {read}",
            f"__init__.py:{line}: 'action_hi' reads slot 'email'",
        )
        for read, line in (
            ("tracker.get_slot('email')", 4),
            ("tracker.slots['email']", 4),
            ("tracker.slots.get('email', '')", 4),
        )
    ),
    ("RP012", "actions/__init__.py", "import rasa_privacy.actions", "import rasa_privacy", "do not import"),
    ("RP012", "actions/__init__.py", "import rasa_privacy.actions", "import (", "do not import"),
    (
        "RP035",
        "privacy.yml",
        "email: optional}\n",
        "email: required}\n    double_opt_in: true\n",
        "the block 'privacy_sender' is missing",
    ),
    (
        "RP026",
        "privacy.yml",
        "not_personal: [",
        "minimum_age: {slot: land}\nnot_personal: [land, ",
        "reads the country from slot 'land'",
    ),
    (
        "RP024",
        "privacy.yml",
        "    guards: [lead_form]\n",
        (
            "    guards: [lead_form]\n    requires: {news: {en: it pays for the prizes}}\n    retain: 90 days\n"
            "  news:\n    says: {en: news}\n    basis: consent\n    guards: [action_submit_entry]\n"
        ),
        "a no to 'news' closes what 'prize_draw' is for",
    ),
    ("RP025", "privacy.yml", "items:\n", "replies: {grant: [agreed]}\nitems:\n", "names the intent 'agreed'"),
    (
        "RP066",
        "privacy.yml",
        "items:\n",
        "requests: {human: [agent]}\nitems:\n",
        "names the intent 'agent' under 'human'",
    ),
    (
        "RP067",
        "domain.yml",
        "slots:\n",
        "intents: [talkToHuman]\nslots:\n",
        "add 'requests: {human: [talkToHuman]}' to",
    ),
    (
        "RP067",
        "domain.yml",
        "slots:\n",
        "intents: [complaint]\nslots:\n",
        "domain.yml:2:11: intent 'complaint' seems to",
    ),
    (
        "RP068",
        "domain.yml",
        "slots:\n",
        "intents: [affirm, deny]\nslots:\n",
        "add 'refuse: [deny]' under 'replies'",
    ),
    (
        "RP038",
        "privacy.yml",
        "purposes:",
        "roles: {dpo: {may: all}}\npurposes:",
        "may view and export and rectify and names",
    ),
    (
        "RP040",
        "privacy.yml",
        "purposes:",
        "roles: {dpo: {items: all, may: all, break_glass: true}}\npurposes:",
        "and there is no 'privacy_sender'",
    ),
    ("RP039", "privacy.yml", "purposes:", "roles: {dpo: {may: [keys]}}\npurposes:", "no role may look after operators"),
    ("RP016", "privacy.yml", "Northwind Outdoor", "Your Organisation", "texts that 'rasa-privacy init' wrote"),
    ("RP017", "privacy.yml", ", email: optional", "", "item 'email' is used by no purpose; data minimisation"),
    ("RP018", "privacy.yml", "    guards: [lead_form]\n", "", "guards nothing, so the bot never asks"),
    ("RP019", "endpoints.yml", "action_endpoint:", "nlg:", "there is no 'action_endpoint'"),
    ("RP020", "config.yml", "policies:\n  - name: RulePolicy\n", "policies:\nold:\n", "'policies' is empty"),
    (
        "RP021",
        "privacy.yml",
        "entity: email, detect: email",
        "category: contact",
        "add 'entity: email' to item 'email'",
    ),
    (
        "RP022",
        "privacy.yml",
        "items:\n",
        (
            "import: {without_consent: drop, consent: {prize_draw: {evidence: x, given_by: {slot: favourite_activty}}}}"
            "\n"
            "items:\n"
        ),
        "did you mean 'favourite_activity'?",
    ),
]


def findings(folder: Path) -> list[str]:
    """Return what the linter says of a bot's folder."""
    bot = read_bot(folder)
    return [str(finding) for finding in lint(bot)]


def test_a_bot_in_order_has_no_finding(bot_folder: Path) -> None:
    """Nothing is found where nothing is wrong."""
    assert findings(bot_folder) == []


@pytest.mark.parametrize("case", CASES, ids=lambda case: f"{case[0]} {case[4][:20]}")
def test_each_finding_is_made(bot_folder: Path, case: tuple[str, str, str, str, str]) -> None:
    """One thing that is broken gives its code, its place and what to do."""
    code, file, before, after, message = case
    path = bot_folder / file
    text = path.read_text(encoding="utf-8")
    assert before in text
    path.write_text(text.replace(before, after), encoding="utf-8")
    matching = [line for line in findings(bot_folder) if f" {code} " in line]
    assert any(message in line for line in matching), findings(bot_folder)


@pytest.mark.parametrize(("folder_mode", "file_mode"), [(0o755, 0o600), (0o700, 0o640)])
def test_keys_that_others_can_read_are_found(bot_folder: Path, folder_mode: int, file_mode: int) -> None:
    """The folder and each key file belong to the bot's user alone."""
    keys = bot_folder / "keys"
    keys.mkdir(mode=0o700)
    key = keys / "kek-1.key"
    key.touch(mode=0o600)
    assert findings(bot_folder) == []
    keys.chmod(folder_mode)
    key.chmod(file_mode)
    found = findings(bot_folder)
    assert len(found) == 1
    assert "RP013" in found[0]
    assert "chmod go-rwx" in found[0]


@pytest.mark.parametrize(
    ("beside", "own"),
    [
        ("    also_ask: [news]\n", ""),
        ("    requires: {news: {en: so}}\n", ""),
        ("", "    ask: first_message\n"),
        ("", ""),
    ],
)
def test_a_purpose_without_guards_is_asked_for_where_another_one_or_the_first_message_brings_it(
    bot_folder: Path, beside: str, own: str
) -> None:
    """Only a purpose that nothing brings up is never asked for."""
    path = bot_folder / "privacy.yml"
    news = "  news:\n    says: {en: news}\n    basis: consent\n    items: {email: required}\n    retain: 90 days\n"
    path.write_text(path.read_text(encoding="utf-8") + beside + news + own, encoding="utf-8")
    never_asked = [line for line in findings(bot_folder) if " RP018 " in line]
    assert bool(never_asked) == (not beside and not own)


def test_what_is_mapped_is_not_asked_about(bot_folder: Path) -> None:
    """Neither the bot's own yes nor its wish for a human, once privacy.yml has them, nor what only sounds alike."""
    domain, policy = bot_folder / "domain.yml", bot_folder / "privacy.yml"
    intents = "intents: [affirm, talk_to_human, delivery_complaint, ask_for_a_table, delete_order, privacy_human]\n"
    domain.write_text(intents + domain.read_text(encoding="utf-8"), encoding="utf-8")
    assert [line.split()[1] for line in findings(bot_folder)] == ["RP067", "RP068"]
    mapped = "replies: {grant: [affirm]}\nrequests: {human: [talk_to_human]}\n"
    policy.write_text(policy.read_text(encoding="utf-8").replace("items:\n", f"{mapped}items:\n", 1), encoding="utf-8")
    assert findings(bot_folder) == []


def test_errors_come_before_warnings(bot_folder: Path) -> None:
    """What stops a release is read first."""
    path = bot_folder / "privacy.yml"
    path.write_text(path.read_text(encoding="utf-8").replace("guards: [lead_form]", "guards: []"), encoding="utf-8")
    assert [line.split()[0] for line in findings(bot_folder)] == ["error", "warning"]


@pytest.mark.parametrize(
    "line",
    [
        "import rasa_privacy.actions as ours",
        "from rasa_privacy import actions",
        "from rasa_privacy.actions import *",
        "from rasa_privacy.actions.turns import Ask",
    ],
)
def test_every_way_to_import_the_turns_counts(bot_folder: Path, line: str) -> None:
    """The import may stand in any module of the actions, in any of Python's forms."""
    (bot_folder / "actions" / "__init__.py").write_text("", encoding="utf-8")
    (bot_folder / "actions" / "more.py").write_text(line + "\n", encoding="utf-8")
    assert findings(bot_folder) == []


def test_actions_in_one_file_count_too(bot_folder: Path) -> None:
    """A bot with `actions.py` in place of the package is read as well."""
    (bot_folder / "actions" / "__init__.py").rename(bot_folder / "actions.py")
    (bot_folder / "actions").rmdir()
    assert findings(bot_folder) == []


def test_a_domain_can_be_a_folder(bot_folder: Path) -> None:
    """A domain that is split over files is read as one, and its places name the file."""
    text = (bot_folder / "domain.yml").read_text(encoding="utf-8")
    head, tail = text.split("forms:")
    (bot_folder / "domain" / "deep").mkdir(parents=True)
    (bot_folder / "domain.yml").unlink()
    (bot_folder / "domain" / "slots.yml").write_text(head, encoding="utf-8")
    (bot_folder / "domain" / "deep" / "forms.yaml").write_text("forms:" + tail, encoding="utf-8")
    assert findings(bot_folder) == []
    assert read_bot(bot_folder).domain.forms["lead_form"].name.place.file.endswith("forms.yaml")


def test_names_are_read_as_rasa_reads_them(bot_folder: Path) -> None:
    """A slot called `on`, anchors, merge keys and entities with roles do not confuse the reader."""
    path = bot_folder / "domain.yml"
    path.write_text(
        "base: &base {mappings: [{type: from_entity, entity: a}, {type: from_text}]}\n"
        "entities:\n  - a\n  - city: {roles: [from, to]}\n"
        "slots:\n  on:\n    <<: *base\n    type: text\n  odd: &odd\n    <<: *odd\n"
        "forms:\n  empty_form:\nactions:\n  - action_x: {send_domain: true}\n",
        encoding="utf-8",
    )
    domain = read_bot(bot_folder).domain
    assert list(domain.slots) == ["on", "odd"]
    assert domain.slots["on"].entities == ("a",)
    assert domain.slots["on"].free_text
    assert list(domain.entities) == ["a", "city"]
    assert domain.runnable() == {"empty_form", "action_x"}


def test_the_endpoints_variable_is_followed(bot_folder: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """Where the environment names another endpoints file, that one is checked."""
    monkeypatch.setenv("RASA_PRIVACY_ENDPOINTS", str(bot_folder / "missing.yml"))
    assert any("RP011" in line and "missing.yml" in line for line in findings(bot_folder))


@pytest.fixture
def break_file(bot_folder: Path) -> Callable[[str, str | None], None]:
    """Return a function that replaces a file of the bot, or removes it."""

    def replace(name: str, text: str | None) -> None:
        (bot_folder / name).unlink()
        if text is not None:
            (bot_folder / name).write_text(text, encoding="utf-8")

    return replace


@pytest.mark.parametrize(
    ("name", "text", "message"),
    [
        ("domain.yml", None, "there is no domain.yml and no folder 'domain'"),
        ("domain.yml", "slots: [", "domain.yml:2:1: this is not YAML"),
        ("config.yml", None, "config.yml: the file cannot be read"),
        ("config.yml", "a: \x00", "config.yml: this is not YAML"),
    ],
)
def test_a_bot_that_cannot_be_read_is_an_error(
    bot_folder: Path, break_file: Callable[[str, str | None], None], name: str, text: str | None, message: str
) -> None:
    """Where a file cannot be read, nothing is said of the bot but that."""
    break_file(name, text)
    with pytest.raises(ConfigurationError) as caught:
        read_bot(bot_folder)
    assert message in str(caught.value)


def test_an_action_that_is_sent_what_it_reads_is_no_finding(bot_folder: Path) -> None:
    """A guard or the declaration sends it the slot; a plain slot is sent to everybody."""
    source = "import rasa_privacy.actions\n" + "".join(
        f"class {name}:\n  def name(self): return '{name}'\n  def run(self, tracker): tracker.get_slot('{slot}')\n"
        for name, slot in (("lead_form", "email"), ("action_hi", "email"), ("action_own", "favourite_activity"))
    )
    (bot_folder / "actions" / "__init__.py").write_text(source, encoding="utf-8")
    privacy = bot_folder / "privacy.yml"
    text = privacy.read_text(encoding="utf-8")
    privacy.write_text(text + "actions: {items: {action_hi: [email]}}\n", encoding="utf-8")
    assert findings(bot_folder) == []

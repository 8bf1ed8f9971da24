"""One bot that does everything wrong: every code of `check` is triggered. And each newer check by itself."""

import sqlite3
from contextlib import closing
from datetime import date
from pathlib import Path

import pytest

from rasa_privacy.policy.bot import policy_path, read_bot
from rasa_privacy.policy.findings import CODES, OF_THE_STORE
from rasa_privacy.policy.linter import lint_all
from rasa_privacy.policy.loader import load_policy
from tests.support.linting import lint

TODAY = date(2027, 6, 1)

FILES = {
    "privacy.yml": """\
version: 1
controller: {name: Your Organisation, contact: privacy@your-organisation.example, policy_url: https://x.example/privacy}
regulations: [ccpa@2026-11, tcpa@2026-11, gdpr@2026-11, coppa@2026-11]
languages: [en]
items:
  full_name: {slot: full_name, entity: PERSON, keep: until no_such_form, category: name}
  email: {slot: email, detect: email, category: contact}
  nickname: {slot: nickname, category: name, keep: until no_such_form}
  illness: {slot: illness, category: health}
  gone: {slot: no_such_slot, category: other}
  phone: {slot: phone, category: contact}
not_personal: [requested_slot, country]
minimum_age: {slot: country, otherwise: 12}
replies: {grant: [no_such_intent]}
requests: {human: [no_such_intent_either]}
roles: {support: {may: [view]}, chief: {may: [audit], break_glass: true}}
detectors: {presidio: {models: {en: no_such_model}}}
waivers: [{code: RP013, reason: nothing to see here at all, place: nowhere}]
import: {without_consent: drop, consent: {news: {evidence: x, given_by: {slot: no_such_answer}}}}
purposes:
  prize_draw:
    says: {en: to enter you in the draw}
    basis: consent
    items: {full_name: required, illness: optional}
    guards: [lead_form, no_such_form, action_submit_entry]
    recipients: [Parcel Post Ltd]
    requires: {news: {en: it pays for the prizes}}
    retain: until no_such_form
  news:
    says: {en: to write to you}
    basis: consent
    marketing: true
    double_opt_in: true
    items: {email: required, nickname: optional}
    retain: until withdrawn
  survey:
    says: {en: to ask how you liked it}
    basis: consent
    items: {nickname: required}
    retain: 30 days
""",
    "domain.yml": """\
intents: [deny, complaint]
slots:
  full_name: {type: text, mappings: [{type: from_text}]}
  email: {type: text, mappings: [{type: from_entity, entity: email}]}
  nickname: {type: text, mappings: [{type: from_entity, entity: nickname}]}
  illness: {type: text, mappings: [{type: from_text}]}
  phone: {type: text, mappings: [{type: from_text}]}
  forgotten: {type: text, mappings: [{type: from_text}]}
forms:
  lead_form: {required_slots: [full_name, phone]}
  open_form: {required_slots: [illness]}
actions: [action_submit_entry, action_free]
responses:
  utter_ill: [{text: "Get well soon from your {illness}!"}]
""",
    "config.yml": """\
language: en
importers: [{name: RasaFileImporter}]
pipeline:
  - name: WhitespaceTokenizer
policies:
  - name: RulePolicy
""",
    "endpoints.yml": """\
tracker_store:
  type: rasa_privacy.EncryptedTrackerStore
  url: postgresql+psycopg2://bot:secret@db.elsewhere.example/bot
  keys: {provider: file, path: keys}
  privacy: privacy.yml
event_broker: {type: pika}
nlg: {type: words.OurGenerator}
""",
    "actions/__init__.py": """\
import logging

from rasa_sdk.events import FollowupAction

logger = logging.getLogger(__name__)


class Free:
    def name(self):
        return "action_free"

    def run(self, dispatcher, tracker, domain):
        who = tracker.get_slot("full_name")
        logger.info("hello %s", who)
        return [FollowupAction("action_submit_entry")]
""",
    "data/stories.yml": """\
stories:
  - story: past the gate
    steps:
      - intent: enter
      - slot_was_set: [{privacy_consent_prize_draw: true}]
      - action: lead_form
""",
    "credentials.yml": "rest:\nsocketio: {session_persistence: true}\n",
    "start.sh": "rasa run --enable-api --debug\n",
}
#: What cannot be wrong in the same bot as the others, or where its lines are missing: text to replace, and its code.
APART = {
    "RP008": {"config.yml": ("WhitespaceTokenizer\n", "rasa_privacy.DataMinimizer\n  - name: Late\n")},
    "RP011": {"endpoints.yml": ("rasa_privacy.EncryptedTrackerStore", "SQL")},
    "RP020": {"config.yml": ("policies:\n  - name: RulePolicy\n", "policies:\n")},
}


def write(folder: Path, files: dict[str, str]) -> Path:
    """Write a bot into a folder and return it."""
    for name, text in files.items():
        path = folder / name
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_text(text, encoding="utf-8")
    return folder


@pytest.fixture
def bad_bot(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """Return the folder of the bot that does everything wrong."""
    monkeypatch.delenv("RASA_PRIVACY_ENDPOINTS", raising=False)
    folder = write(tmp_path, FILES)
    (folder / "keys").mkdir(mode=0o755)
    (folder / "keys").chmod(0o755)
    with closing(sqlite3.connect(folder / "rasa.db")) as store, store:
        store.execute("CREATE TABLE events (id INTEGER PRIMARY KEY, data TEXT)")
    return folder


def codes(folder: Path) -> set[str]:
    """Return the codes that are found in a bot."""
    bot = read_bot(folder)
    return {finding.code for finding in lint(bot, TODAY)}


def test_the_bad_bot_triggers_every_code(bad_bot: Path) -> None:
    """Each code of `CODES` is found in it; those that exclude others in it with one thing changed."""
    found = codes(bad_bot)
    for code, changes in APART.items():
        for name, (before, after) in changes.items():
            assert before in FILES[name]
            write(bad_bot, {name: FILES[name].replace(before, after)})
        assert code in codes(bad_bot), code
        found.add(code)
        write(bad_bot, FILES)
    assert found == set(CODES) - OF_THE_STORE  # tests/cli/test_review.py


def found_in(folder: Path, name: str, text: str) -> list[str]:
    """Return what is found in a bot that is right but for one file."""
    write(folder, {name: text})
    bot = read_bot(folder)
    return [str(each) for each in lint(bot, date(2026, 11, 28))]


ACTION = """\
import rasa_privacy.actions
{imports}
class A:
    def name(self):
        return "action_submit_entry"
    def run(self, dispatcher, tracker, domain):
        {line}
"""


@pytest.mark.parametrize(
    "line",
    [
        'print(tracker.get_slot("full_name"))',
        "print(f\"got {tracker.slots['email']}\")",
        'logging.info("x %s", tracker.slots.get("email"))',
        "self.logger.debug(tracker.latest_message)",
        'logging.getLogger("a").warning("%s", tracker.sender_id)',
        'x = tracker.get_slot("email"); y = x.lower(); log.error(y)',
        "sys.stderr.write(str(tracker.current_state()))",
        "print(list(tracker.events))",
        'logger.info("m", extra={"text": tracker.latest_message.get("text")})',
    ],
)
def test_personal_data_in_prints_and_logs_is_found(bot_folder: Path, line: str) -> None:
    """By syntax: straight from the tracker, through a variable, or within another expression."""
    found = found_in(bot_folder, "actions/__init__.py", ACTION.format(imports="import logging, sys", line=line))
    assert any("RP060" in each and "actions/__init__.py:7:" in each for each in found), found


@pytest.mark.parametrize(
    "line",
    [
        'print("entered")',
        'logger.info("activity %s", tracker.get_slot("favourite_activity"))',
        'logger.info("activity %s", tracker.slots["favourite_activity"])',
        'logger.info("intent %s", tracker.latest_message["intent"]["name"])',
        'logger.info("intent %s", tracker.latest_message.get("intent"))',
        'x = tracker.get_slot("email"); save(x)',
        'return [FollowupAction("action_listen")]',
    ],
)
def test_what_is_not_personal_is_not_found(bot_folder: Path, line: str) -> None:
    """A slot under not_personal, an intent, and a value that goes into no log."""
    found = found_in(bot_folder, "actions/__init__.py", ACTION.format(imports="import logging", line=line))
    assert not [each for each in found if "RP060" in each or "RP055" in each]


@pytest.mark.parametrize(
    ("name", "text", "code"),
    [
        ("docker-compose.yml", "services:\n  rasa:\n    command: run --enable-api --cors '*'\n", "RP057"),
        ("run.sh", "rasa run --enable-api --auth-token $TOKEN\n", ""),
        ("build.sh", "docker build -t ours .\nrasa run --enable-api\n", "RP057"),
        ("run.sh", "rasa run --enable-api -p 5006\nrasa run --enable-api --auth-token $TOKEN\n", "RP057"),
        ("run.sh", "rasa run --enable-api \\\n  -t $TOKEN\n", ""),
        ("docker-compose.yml", "command:\n  - run\n  - --enable-api\n  - --jwt-secret\n  - $SECRET\n", ""),
        ("Dockerfile", 'CMD ["run", "--enable-api",\n  "--auth-token", "x"]\n', ""),
        ("Procfile", "web: rasa run -vv\n", "RP059"),
        (".env", "LOG_LEVEL=DEBUG\n", "RP059"),
        ("compose.yml", "image: rasa/rasa:3.6.21\ncommand: run --debug\n", "RP059"),
        ("compose.yml", "image: rasa/rasa:3.6.21\ncommand:\n  - run\n  - -vv\n", "RP059"),
        ("Dockerfile", 'FROM rasa/rasa\nCMD ["run",\n  "--debug"]\n', "RP059"),
        ("run.sh", "rasa run \\\n  --debug\n", "RP059"),
        ("run.sh", "flask run --debug\nrasa run\n", ""),
        ("run.sh", "rasa run --endpoints endpoints.yml\n", ""),
        (
            "data/rules.yml",
            "rules:\n- rule: r\n  steps:\n  - intent: yes\n  - action: action_privacy_record_grant\n",
            "RP055",
        ),
        (
            "data/rules.yml",
            (
                "rules:\n- rule: r\n  condition:\n  - slot_was_set:\n    - privacy_consent_prize_draw: true\n"
                "  steps:\n  - intent: x\n  - action: utter_greet\n"
            ),
            "",
        ),
    ],
)
def test_start_files_and_stories(bot_folder: Path, name: str, text: str, code: str) -> None:
    """An API without a token, debug logs, and steps that the gate decides about; and what is right is let be."""
    found = found_in(bot_folder, name, text)
    assert [code in each and f"{name}:" in each for each in found] == ([True] if code else [])


@pytest.mark.parametrize(
    ("url", "is_found"),
    [
        ("postgresql+psycopg2://u:p@db.example/x", True),
        ("postgresql+psycopg2://u:p@db.example/x?sslmode=prefer", True),
        ("postgresql+psycopg2://u:p@db.example/x?sslmode=verify-full", False),
        ("postgresql+psycopg2://u:p@127.0.0.1:5432/x", False),
        ("postgresql+psycopg2://u:p@/x?host=db.example", True),
        ("postgresql+psycopg2://u:p@/x?host=/run/postgresql", False),
        ("mysql+pymysql://u:p@db.example/x", True),
        ("mysql+pymysql://u:p@db.example/x?ssl_ca=/etc/ca.pem", False),
        ("sqlite:///conversations.db", False),
    ],
)
def test_a_database_far_away_needs_tls(bot_folder: Path, url: str, *, is_found: bool) -> None:
    """Nothing leaves the host in plain, and the password of the URL stands in no finding."""
    text = (bot_folder / "endpoints.yml").read_text(encoding="utf-8").replace("sqlite:///conversations.db", url)
    found = found_in(bot_folder, "endpoints.yml", text)
    assert [each for each in found if "RP058" in each] == found
    assert bool(found) is is_found
    assert "u:p" not in " ".join(found)


@pytest.mark.parametrize(
    ("file", "variant"),
    [
        ("domain.yml", '{text: "Get well soon from your {illness}!"}'),
        ("domain.yml", '{text: "Is it this?", buttons: [{title: "Yes, {illness}", payload: /affirm}]}'),
        ("domain.yml", '{custom: {blocks: [{kind: card, body: "{illness}"}]}}'),
        ("data/faq.yml", '{text: "{illness}"}'),
    ],
)
def test_a_special_category_is_shown_nowhere(bad_bot: Path, file: str, variant: str) -> None:
    """Rasa fills in slots in every part of a response, and responses may stand beside the examples of intents."""
    before = FILES["domain.yml"].partition("responses:")[0]
    write(bad_bot, {"domain.yml": before})
    assert "RP054" not in codes(bad_bot)
    own = f"responses:\n  utter_own: [{variant}]\n"
    write(bad_bot, {file: (before if file == "domain.yml" else "") + own})
    assert "RP054" in codes(bad_bot)


def test_a_response_that_is_used_twice_is_found_once(bad_bot: Path) -> None:
    """An alias of YAML stands where its anchor does, whether of a text or of a whole variant; and so does a file."""
    before = FILES["domain.yml"].partition("responses:")[0]
    own = (
        'responses:\n  utter_own: [{text: &said "{illness}", custom: {body: *said}}]\n'
        "  utter_two: [{custom: &b [*said, *b]}]\n"
    )
    write(bad_bot, {"domain.yml": "", "data/domain.yml": before + own})
    bot = read_bot(bad_bot, bad_bot / "data" / "domain.yml")
    found = [each for each in lint(bot, TODAY) if each.code == "RP054"]
    assert [each.why.split("'")[1] for each in found] == ["utter_own", "utter_two"]
    assert bot.domain.shown == {"utter_own": {"illness"}, "utter_two": {"illness"}}


def test_a_waiver_hides_its_finding_and_keeps_the_reason(bot_folder: Path) -> None:
    """Only of its code and place; one that waives nothing is a finding."""
    waivers = "waivers:\n  - {code: RP059, reason: a machine for tests only, place: Procfile}\n"
    text = (bot_folder / "privacy.yml").read_text(encoding="utf-8")
    write(bot_folder, {"Procfile": "web: rasa run --debug\n"})
    assert found_in(bot_folder, "privacy.yml", text + waivers) == []
    bot = read_bot(bot_folder)
    everything = lint_all(bot, load_policy(policy_path(bot)), "privacy.yml", date(2026, 11, 28))
    assert [(each.code, each.waived) for each in everything] == [("RP059", "a machine for tests only")]
    write(bot_folder, {"run.sh": "rasa run --debug\n"})
    (bot_folder / "Procfile").unlink()
    left = found_in(bot_folder, "privacy.yml", text + waivers)
    assert [each.split()[1] for each in left] == ["RP059", "RP061"]


def test_a_waiver_of_an_unknown_code_or_without_a_reason_is_refused(bot_folder: Path) -> None:
    """With line and column, as everything in privacy.yml."""
    text = (bot_folder / "privacy.yml").read_text(encoding="utf-8")
    with pytest.raises(Exception, match="there is no finding 'RP999'"):
        found_in(bot_folder, "privacy.yml", text + "waivers: [{code: RP999, reason: long enough it is}]\n")
    with pytest.raises(Exception, match="in at least 10 characters"):
        found_in(bot_folder, "privacy.yml", text + "waivers: [{code: RP059, reason: ok}]\n")

"""`init` writes a policy that loads, and once its lines are added `check` has nothing to say against it."""

import itertools
import re
import shutil
from importlib.util import find_spec
from pathlib import Path

import pytest
import yaml
from click.testing import CliRunner, Result
from hypothesis import given, settings
from hypothesis import strategies as st

from rasa_privacy.cli import main
from rasa_privacy.cli.additions import FULL_PIPELINE, FULL_POLICIES, additions
from rasa_privacy.cli.draft import draft_of, scalar, write
from rasa_privacy.policy.bot import Domain, Form, Slot, read_bot
from rasa_privacy.policy.loader import load_policy, parse_policy
from rasa_privacy.policy.positions import Place
from rasa_privacy.policy.slots import check_slots
from rasa_privacy.policy.yaml_tree import Word

DOMAIN = """\
entities: [email, colour, PERSON]
slots:
  name: {type: text, mappings: [{type: from_text, conditions: [{active_loop: lead_form}]}]}
  email: {type: text, mappings: [{type: from_entity, entity: email}]}
  colour: {type: text, mappings: [{type: from_entity, entity: colour}]}
  wish: {type: text, mappings: [{type: from_text}]}
  iban: {type: text, mappings: [{type: custom}]}
  "on": {type: bool, mappings: [{type: from_intent, intent: affirm, value: true}]}
forms:
  lead_form: {required_slots: [name, email, wish]}
  colour_form: {required_slots: [colour]}
actions: [action_submit_lead, action_ask_lead_form_name, validate_lead_form, action_other]
"""
CONFIG = """\
language: en
pipeline:
  - name: WhitespaceTokenizer
policies:
  - name: RulePolicy
"""


@pytest.fixture(autouse=True)
def _no_endpoints_variable(monkeypatch: pytest.MonkeyPatch) -> None:
    """The bots of these tests have their endpoints in their folders."""
    monkeypatch.delenv("RASA_PRIVACY_ENDPOINTS", raising=False)


@pytest.fixture
def plain_bot(tmp_path: Path) -> Path:
    """Return the folder of a bot that has never heard of the plug-ins."""
    (tmp_path / "domain.yml").write_text(DOMAIN, encoding="utf-8")
    (tmp_path / "config.yml").write_text(CONFIG, encoding="utf-8")
    (tmp_path / "endpoints.yml").write_text("# nothing yet\n", encoding="utf-8")
    (tmp_path / "actions").mkdir()
    (tmp_path / "actions" / "__init__.py").touch()
    return tmp_path


@pytest.fixture
def fresh_bot(tmp_path: Path) -> Path:
    """Return a copy of the bot that `rasa init` writes."""
    spec = find_spec("rasa")
    assert spec is not None
    assert spec.origin is not None
    target = tmp_path / "fresh"
    shutil.copytree(Path(spec.origin).parent / "cli" / "initial_project", target)
    return target


def run(*arguments: str) -> Result:
    """Run the command as a person would."""
    return CliRunner().invoke(main, list(arguments))


def paste(folder: Path) -> None:
    """Do to a bot's files what the printed lines say, and nothing else."""
    for addition in additions(read_bot(folder)):
        path = folder / addition.file
        text = path.read_text(encoding="utf-8") if path.exists() else ""
        section = re.search(r"'(\w+):'", addition.where)
        if section is None:
            text = addition.lines + text
        elif "in place of" in addition.where:
            text = re.sub(rf"(?m)^{section[1]}:.*\n", addition.lines, text)
        else:  # at the end of a list: before the next line at the left margin
            head, _, tail = text.partition(f"{section[1]}:\n")
            block = "".join(itertools.takewhile(lambda line: line[0] in " #\n", tail.splitlines(keepends=True)))
            text = f"{head}{section[1]}:\n{block.rstrip()}\n{addition.lines}{tail[len(block) :]}"
        path.write_text(text, encoding="utf-8")


def test_init_classifies_every_slot(plain_bot: Path) -> None:
    """Personal slots become items, the others are named, and forms with personal slots are guarded."""
    result = run("init", "--bot", str(plain_bot))
    assert result.exit_code == 0, result.output
    policy = load_policy(plain_bot / "privacy.yml")
    assert {name: item.slot for name, item in policy.items.items()} == {
        "name": "name",
        "email": "email",
        "iban": "iban",
        "PERSON": None,
    }
    assert policy.items["email"].entity == "email"
    assert policy.not_personal == ("colour", "wish", "on")
    assert policy.purposes["lead"].guards == ("lead_form", "action_submit_lead")
    assert policy.purposes_using("iban") == ("assistance",)
    assert policy.purposes_guarding("colour_form") == ()
    check_slots(policy, read_bot(plain_bot).domain.slots, "privacy.yml")
    assert "wish  # REVIEW" in (plain_bot / "privacy.yml").read_text(encoding="utf-8")


def test_init_gives_each_item_and_purpose_a_name_for_people(plain_bot: Path) -> None:
    """So nobody reads "your yes for lead", and a language that is added later owes the words of its own."""
    run("init", "--bot", str(plain_bot))
    policy = load_policy(plain_bot / "privacy.yml")
    assert policy.items["name"].called == {"en": "your name"}
    assert policy.purposes["lead"].called == {"en": "your request (lead)"}
    assert policy.purposes["assistance"].called == {"en": "our help"}
    text = (plain_bot / "privacy.yml").read_text(encoding="utf-8")
    (plain_bot / "privacy.yml").write_text(text.replace("languages: [en]", "languages: [en, de]"), encoding="utf-8")
    told = run("check", "--bot", str(plain_bot)).stderr
    for owed in ("item 'name' misses 'called' in 'de'", "purpose 'lead' misses 'called' in 'de'"):
        assert owed in told


def test_init_prints_each_line_with_its_place(plain_bot: Path) -> None:
    """The printed lines are those of the design, and each says where it goes."""
    output = run("init", "--bot", str(plain_bot)).output
    for addition in additions(read_bot(plain_bot)):
        assert f"# {addition.file}, {addition.where}:\n{addition.lines}" in output
    for line in (
        "PrivacyImporter",
        "DataMinimizer",
        "ConsentPolicy",
        "EncryptedTrackerStore",
        "import rasa_privacy.act",
    ):
        assert line in output
    assert "DIETClassifier" not in output


@pytest.mark.parametrize("margin", ["", "  ", "    "])
def test_a_printed_line_stands_as_far_from_the_margin_as_the_others(plain_bot: Path, margin: str) -> None:
    """Else it could not be pasted: YAML takes it for something else."""
    blocks = {"pipeline": "WhitespaceTokenizer", "policies": "RulePolicy"}
    config = "".join(f"{block}:  # ours\n\n# first\n{margin}- name: {name}\n" for block, name in blocks.items())
    (plain_bot / "config.yml").write_text(config, encoding="utf-8")
    lines = {each.where: each.lines for each in additions(read_bot(plain_bot)) if each.file == "config.yml"}
    assert lines["as the last component of 'pipeline:'"] == f"{margin}- name: rasa_privacy.DataMinimizer\n"
    assert lines["at the end of 'policies:'"] == f"{margin}- name: rasa_privacy.ConsentPolicy\n"


def test_check_is_content_once_the_lines_are_added(plain_bot: Path) -> None:
    """Before the lines there are errors and the lines to add; after them there are only warnings."""
    run("init", "--bot", str(plain_bot))
    before = run("check", "--bot", str(plain_bot))
    assert before.exit_code == 1
    assert "RP007" in before.output
    assert "rasa_privacy.DataMinimizer" in before.output
    paste(plain_bot)
    after = run("check", "--bot", str(plain_bot))
    assert after.exit_code == 0, after.output
    assert "0 errors, 2 warnings." in after.output
    assert "Lines to add" not in after.output
    assert additions(read_bot(plain_bot)) == []


@pytest.mark.rasa
def test_the_bot_of_rasa_init_is_led_through(fresh_bot: Path) -> None:
    """An empty pipeline is explained and printed in full, and with the lines in place `check` finds no error."""
    result = run("init", "--bot", str(fresh_bot))
    assert result.exit_code == 0, result.output
    assert "leaves its pipeline or policies empty" in result.output
    assert FULL_PIPELINE + "  - name: rasa_privacy.DataMinimizer\n" in result.output
    assert FULL_POLICIES + "  - name: rasa_privacy.ConsentPolicy\n" in result.output
    paste(fresh_bot)
    assert run("check", "--bot", str(fresh_bot)).exit_code == 0
    assert yaml.safe_load((fresh_bot / "config.yml").read_text(encoding="utf-8"))["pipeline"]


@pytest.mark.rasa
def test_the_written_out_pipeline_is_the_one_of_rasa() -> None:
    """What is printed is what Rasa itself would have chosen, component by component."""
    spec = find_spec("rasa")
    assert spec is not None
    assert spec.origin is not None
    default = Path(spec.origin).parent / "engine" / "recipes" / "config_files" / "default_config.yml"
    wanted = yaml.safe_load(default.read_text(encoding="utf-8"))
    assert yaml.safe_load(FULL_PIPELINE)["pipeline"] == wanted["pipeline"]
    assert yaml.safe_load(FULL_POLICIES)["policies"] == wanted["policies"]


def test_init_never_overwrites(plain_bot: Path) -> None:
    """An existing file stays as it is, byte for byte."""
    (plain_bot / "privacy.yml").write_text("mine", encoding="utf-8")
    result = run("init", "--bot", str(plain_bot))
    assert result.exit_code == 2
    assert "never overwrites" in result.stderr
    assert (plain_bot / "privacy.yml").read_text(encoding="utf-8") == "mine"


def test_init_in_a_folder_without_a_bot_says_so(tmp_path: Path) -> None:
    """The remedy names the option for the bot's folder."""
    result = run("init", "--bot", str(tmp_path))
    assert result.exit_code == 2
    assert "--bot" in result.stderr
    assert not (tmp_path / "privacy.yml").exists()


def test_check_shows_the_mistakes_of_the_policy(plain_bot: Path) -> None:
    """A wrong privacy.yml ends the check with its own messages and exit code 2."""
    (plain_bot / "privacy.yml").write_text("version: 2\n", encoding="utf-8")
    result = run("check", "--bot", str(plain_bot))
    assert result.exit_code == 2
    assert "privacy.yml:1:10: version must be 1" in result.stderr
    assert "Traceback" not in result.output


def test_check_without_a_policy_tells_how_to_begin(plain_bot: Path) -> None:
    """Where there is no privacy.yml yet, the message leads to `init`."""
    result = run("check", "--bot", str(plain_bot))
    assert result.exit_code == 2
    assert "rasa-privacy init" in result.stderr


NAMES = st.one_of(
    st.text(min_size=1, max_size=12).filter(lambda name: name.isprintable() and name.strip() != ""),
    st.sampled_from(
        ["email", "e-mail", "phone", "name", "service", "assistance", "on", "no", "7", "null", "a: b", "#x"]
    ),
    st.sampled_from(
        ["requested_slot", "privacy_x", "full name", "Straße", "имя", "email_form", "form_", "_form", "ssn "]
    ),
)


@st.composite
def domains(draw: st.DrawFn) -> Domain:
    """Return domains with any names at all."""
    here = Place("domain.yml", 1, 1)
    names = draw(st.lists(NAMES, max_size=6, unique=True))
    entities = draw(st.lists(NAMES, max_size=4, unique=True))
    slots = {
        name: Slot(
            Word(name, here), tuple(draw(st.lists(st.sampled_from(entities or ["x"]), max_size=2))), draw(st.booleans())
        )
        for name in names
    }
    forms = {
        name: Form(Word(name, here), tuple(draw(st.lists(st.sampled_from(names or ["x"]), max_size=4))))
        for name in draw(st.lists(NAMES, max_size=3, unique=True))
    }
    return Domain("domain.yml", slots, dict.fromkeys(entities, here), {}, forms, {}, {})


@pytest.mark.parametrize(
    ("intents", "line"),
    [
        (["greet", "affirm", "deny"], "replies: {grant: [affirm], refuse: [deny]}"),
        (["deny"], "replies: {refuse: [deny]}"),
        (["greet"], None),
    ],
)
def test_the_yes_and_no_of_a_bot_answer_our_questions(intents: list[str], line: str | None) -> None:
    """A bot that has the intents of `rasa init` understands "nah, skip it" the way it was trained to."""
    here = Place("domain.yml", 1, 1)
    text = write(draft_of(Domain("domain.yml", {}, {}, dict.fromkeys(intents, here), {}, {}, {})))
    replies = parse_policy(text, "privacy.yml").replies
    assert (line in text and replies is not None) if line is not None else replies is None


def test_intents_that_mean_a_request_are_named_for_review() -> None:
    """A bot with a complaint intent and a hand-over starts with both recorded."""
    here = Place("domain.yml", 1, 1)
    names = ["human_handoff", "unsubscribe", "complaint", "delete_account", "delete_order", "optOut", "greet"]
    text = write(draft_of(Domain("domain.yml", {}, {}, dict.fromkeys(names, here), {}, {}, {})))
    assert parse_policy(text, "privacy.yml").requests == {
        "human": ("human_handoff",),
        "stop": ("unsubscribe", "optOut"),
        "complain": ("complaint",),
        "delete": ("delete_account",),
    }
    assert "requests" not in write(draft_of(Domain("domain.yml", {}, {}, {"greet": here}, {}, {}, {})))


@settings(max_examples=300, deadline=None)
@given(domains())
def test_no_domain_leads_to_a_draft_that_does_not_load(domain: Domain) -> None:
    """Whatever a bot calls its slots, entities and forms, the draft loads and forgets none."""
    policy = parse_policy(write(draft_of(domain)), "privacy.yml")
    check_slots(policy, domain.slots, "privacy.yml")
    assert all(policy.purposes_using(item) for item in policy.items)


@given(st.text())
def test_a_written_word_is_read_back(text: str) -> None:
    """Any text survives being written as a scalar."""
    assert yaml.safe_load(scalar(text)) == text

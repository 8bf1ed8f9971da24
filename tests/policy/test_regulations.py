"""Regulation profiles: each figure has its source, a newer one says what changes, a builder's own may extend one."""

import re
from datetime import date
from pathlib import Path

import msgspec
import pytest
import yaml

from rasa_privacy.dialogue.keywords import opt_out
from rasa_privacy.errors import PolicyError
from rasa_privacy.policy.bot import read_bot
from rasa_privacy.policy.loader import load_policy, parse_policy
from rasa_privacy.policy.profile_model import parse_term
from rasa_privacy.policy.regulations import (
    changes,
    deadline,
    figures,
    is_past_review,
    load_profile,
    newest,
    parse_profile,
    profiles,
)
from tests.support.linting import lint
from tests.support.profiles import HOUSE as OWN

NAMES = ("gdpr", "uk-gdpr", "ccpa", "tcpa", "lgpd", "pipeda", "law25", "dpdp", "coppa", "can-spam")


def own(folder: Path, text: str, name: str = "house-2026-12") -> Path:
    """Write a profile of the builder's own and return its file."""
    file = folder / "regulations" / f"{name}.yml"
    file.parent.mkdir(exist_ok=True)
    file.write_text(text, encoding="utf-8")
    return file


def test_every_promised_profile_is_there() -> None:
    """One for each law of the plan, of this month."""
    assert {f"{name}@2026-11" for name in NAMES} <= set(profiles())


@pytest.mark.parametrize("name", profiles())
def test_each_figure_has_its_article_and_confidence(name: str) -> None:
    """Nothing is said without where it comes from; notes carry no figure to keep."""
    profile = load_profile(name)
    assert profile.id == name
    sourced = [line for path, line in figures(profile).items() if not path.startswith(("notes", "country"))]
    assert sourced
    assert all(line.endswith(("primary)", "secondary)", "low)")) for line in sourced)


@pytest.mark.parametrize(
    ("name", "kind", "answer", "extension", "acknowledge"),
    [
        ("gdpr@2026-11", "erasure", "1 month", "2 months", None),
        ("uk-gdpr@2026-11", "complaint", "1 month", "2 months", "30 days"),
        ("ccpa@2026-11", "access", "45 days", "45 days", "10 business days"),
        ("ccpa@2026-11", "do_not_sell", "15 business days", None, None),
        ("ccpa@2026-11", "limit_sensitive", "15 business days", None, None),
        ("lgpd@2026-11", "access", "15 days", None, None),
        ("pipeda@2026-11", "access", "30 days", "30 days", None),
        ("law25@2026-11", "access", "30 days", None, None),
        ("dpdp@2026-11", "erasure", "90 days", None, None),
    ],
)
def test_the_clock_of_a_request(
    name: str, kind: str, answer: str, extension: str | None, acknowledge: str | None
) -> None:
    """A kind of request has its own clock, or the one of any."""
    clock = deadline(load_profile(name), kind)
    assert clock is not None
    assert clock.answer == parse_term(answer)
    assert clock.extension == (parse_term(extension) if extension else None)
    assert clock.acknowledge == (parse_term(acknowledge) if acknowledge else None)
    assert clock.pauses == name.startswith("uk-")


def test_a_profile_may_set_no_clock() -> None:
    """The TCPA is about telephones, not about requests."""
    assert deadline(load_profile("tcpa@2026-11"), "access") is None


@pytest.mark.parametrize("text", ["1 month", "10 business days", "72 hours", "at once", "5 minutes", "1 year"])
def test_a_term_reads_as_it_was_written(text: str) -> None:
    """What was parsed is written the same way again."""
    assert str(parse_term(text)) == text


@pytest.mark.parametrize("text", ["", "0 days", "one month", "30", "30 days ago", "99999 days"])
def test_what_is_no_term_is_refused(text: str) -> None:
    """Nothing is guessed."""
    with pytest.raises(ValueError, match="is no term"):
        parse_term(text)


def test_a_newer_profile_says_what_changes() -> None:
    """The complaint's clock came with the newer one."""
    assert newest("uk-gdpr@2026-05") == "uk-gdpr@2026-11"
    assert newest("uk-gdpr@2026-11") is None
    lines = changes(load_profile("uk-gdpr@2026-05"), load_profile("uk-gdpr@2026-11"))
    assert len(lines) == 1
    assert lines[0].startswith("clocks.complaint is new: answer 1 month")


def test_what_became_different_or_went_is_said() -> None:
    """A changed figure shows both, and one that went shows what it was."""
    before = load_profile("ccpa@2026-11")
    clocks = {"any": msgspec.structs.replace(before.clocks["any"], answer="40 days")}
    after = msgspec.structs.replace(before, clocks=clocks)
    lines = changes(before, after)
    assert any(line.startswith("clocks.do_not_sell is gone; it was: answer 15 business days") for line in lines)
    assert any("answer 45 days" in line and "becomes answer 40 days" in line for line in lines)


def test_opt_out_words_of_the_law_are_understood() -> None:
    """Each word of the TCPA ends everything, as it stands and in capitals."""
    rule = load_profile("tcpa@2026-11").opt_out
    assert rule is not None
    assert rule.words
    assert all(opt_out(word, "en") and opt_out(word.upper(), "en") for word in rule.words)


@pytest.mark.parametrize(
    ("name", "within"),
    [
        ("gdpr", "at once"),
        ("uk-gdpr", "at once"),
        ("lgpd", "at once"),
        ("dpdp", "at once"),
        ("ccpa", "15 business days"),
        ("tcpa", "10 business days"),
        ("can-spam", "10 business days"),
    ],
)
def test_how_soon_an_opt_out_is_obeyed(name: str, within: str) -> None:
    """As the law has it; the package obeys at once."""
    rule = load_profile(f"{name}@2026-11").opt_out
    assert rule is not None
    assert rule.within == within
    assert rule.article


def test_ages_agree_with_the_table_of_countries() -> None:
    """The figure for one country stands in a profile and in the table, and is the same."""
    table = yaml.safe_load(
        (Path(__file__).parents[2] / "rasa_privacy/policy/profiles/age_of_consent.yml").read_text(encoding="utf-8")
    )
    for name, country in (("uk-gdpr@2026-11", "GB"), ("coppa@2026-11", "US")):
        rule = load_profile(name).age
        assert rule is not None
        assert rule.years == table[country]
    rule = load_profile("gdpr@2026-11").age
    assert rule is not None
    assert rule.least == min(table.values())


def test_an_own_profile_extends_another(tmp_path: Path) -> None:
    """It takes over what it does not say, and adds its own."""
    own(tmp_path, OWN)
    assert "house@2026-12" in profiles(tmp_path)
    profile = load_profile("house@2026-12", tmp_path)
    access, erasure = deadline(profile, "access"), deadline(profile, "erasure")
    assert access is not None
    assert erasure is not None
    assert (str(access.answer), str(erasure.answer)) == ("14 days", "1 month")
    assert "transfers" in profile.notice


@pytest.mark.parametrize(
    ("text", "message"),
    [
        (OWN.replace("14 days", "a fortnight"), "is no term; write for example"),
        (OWN.replace("confidence: primary", "confidence: sure"), "confidence must be one of"),
        (OWN.replace("article: our own rule, ", ""), "misses 'article'"),
        (OWN.replace("clocks:", "clock:"), "did you mean 'clocks'?"),
        (OWN.replace("gdpr@2026-11", "gdpr@2020-01"), "there is no profile 'gdpr@2020-01'"),
        (OWN.replace("gdpr@2026-11", "house@2026-12"), "leads back to it"),
        (OWN.replace("profile: house", "profile: home"), "says that it is home@2026-12"),
        (OWN.replace("2027-06-01", "soon"), "review_by must be a day"),
        ("profile: [", "this is not YAML"),
        ("", "the file is empty"),
    ],
)
def test_a_profile_that_does_not_parse_says_where(tmp_path: Path, text: str, message: str) -> None:
    """Place, cause and remedy, as for privacy.yml."""
    own(tmp_path, text)
    with pytest.raises(PolicyError) as caught:
        load_profile("house@2026-12", tmp_path)
    assert message in str(caught.value)


def test_a_name_cannot_leave_the_folder(tmp_path: Path) -> None:
    """A profile's name is no path."""
    (tmp_path / "secret-2026-11.yml").write_text(OWN, encoding="utf-8")
    (tmp_path / "bot" / "regulations").mkdir(parents=True)
    with pytest.raises(PolicyError, match="there is no profile"):
        load_profile("../../secret@2026-11", tmp_path / "bot")


def test_an_own_file_does_not_replace_the_packages(tmp_path: Path) -> None:
    """Who wants other figures gives them another name, so that gdpr means GDPR."""
    own(tmp_path, OWN.replace("extends: gdpr@2026-11\n", "").replace("house", "gdpr"), "gdpr-2026-11")
    clock = deadline(load_profile("gdpr@2026-11", tmp_path), "access")
    assert clock is not None
    assert str(clock.answer) == "1 month"


def test_the_day_of_review_counts_as_past() -> None:
    """`review_by` is the day on which to look."""
    profile = load_profile("gdpr@2026-11")
    assert is_past_review(profile, profile.review_by)
    assert not is_past_review(profile, date(2026, 11, 30))


def test_an_extending_profile_keeps_its_own_day(tmp_path: Path) -> None:
    """The day of review and the title are never taken over."""
    own(tmp_path, OWN)
    assert load_profile("house@2026-12", tmp_path).review_by == date(2027, 6, 1)
    with pytest.raises(PolicyError, match="misses 'review_by'"):
        parse_profile(OWN.replace("review_by: 2027-06-01\n", ""), "house.yml")


#: GDPR and UK GDPR want to know what a program decides.
_STATED = ("messages:", "automated_decisions: none\nmessages:")

#: Regulations, what else is changed in privacy.yml, the day, and the finding.
FINDINGS = [
    ("uk-gdpr@2026-05", _STATED, "2026-11-28", "RP051", "uk-gdpr@2026-11 is there"),
    ("gdpr@2026-11", _STATED, "2027-11-30", "RP051", "was to be looked at again by 2027-11-30"),
    ("gdpr@2026-11", None, "2026-11-28", "RP052", "automated decisions (Art. 13(2)(f))"),
    (
        "gdpr@2026-11",
        ("90 days\n", "90 days\n    recipients: [Post]\nautomated_decisions: none\n"),
        "2026-11-28",
        "RP052",
        "transfers",
    ),
    ("coppa@2026-11", None, "2026-11-28", "RP053", "minimum_age is missing"),
    (
        "gdpr@2026-11",
        ("items:\n", "minimum_age: 12\nautomated_decisions: none\nitems:\n"),
        "2026-11-28",
        "RP053",
        "below the 13 years",
    ),
]


@pytest.mark.parametrize("case", FINDINGS, ids=lambda case: f"{case[3]} {case[0]}")
def test_check_says_what_a_regulation_wants(
    bot_folder: Path, case: tuple[str, tuple[str, str] | None, str, str, str]
) -> None:
    """One thing that is not kept gives its code."""
    name, change, day, code, message = case
    path = bot_folder / "privacy.yml"
    text = path.read_text(encoding="utf-8")
    text = text.replace(*change) if change else text
    path.write_text(text.replace("version: 1\n", f"version: 1\nregulations: [{name}]\n"), encoding="utf-8")
    bot = read_bot(bot_folder)
    found = [str(each) for each in lint(bot, date.fromisoformat(day))]
    assert len(found) == 1, found
    assert code in found[0]
    assert message in found[0]


@pytest.mark.parametrize(
    ("channel", "ours"),
    [
        ("rest", "rasa_privacy.RestInput"),
        ("rasa.core.channels.socketio.SocketIOInput", "rasa_privacy.SocketIOInput"),
        ("rasa_privacy.RestInput", None),
        ("telegram", None),
    ],
)
def test_a_channel_that_is_deaf_to_a_browsers_opt_out_is_named(
    bot_folder: Path, channel: str, ours: str | None
) -> None:
    """Where a regulation wants the signal honoured, and a purpose could be sale or sharing."""
    path = bot_folder / "privacy.yml"
    text = path.read_text(encoding="utf-8").replace("version: 1\n", "version: 1\nregulations: [ccpa@2026-11]\n")
    (bot_folder / "credentials.yml").write_text(f"{channel}: {{}}\n", encoding="utf-8")
    path.write_text(text, encoding="utf-8")
    assert not signals(bot_folder)  # nothing is shared
    path.write_text(text.replace("90 days\n", "90 days\n    recipients: [Post]\n"), encoding="utf-8")
    found = signals(bot_folder)
    assert [f"name '{ours}' here" in line for line in found] == ([True] if ours else [])
    assert all("credentials.yml:1:1" in line for line in found)


def signals(folder: Path) -> list[str]:
    """Return the findings about a browser's opt-out."""
    bot = read_bot(folder)
    found = lint(bot, date(2026, 11, 28))
    return [str(each) for each in found if each.code == "RP065"]


def test_ask_again_after_keeps_the_regulation() -> None:
    """Under the CCPA nobody is asked again within 12 months, which are a year; the figure is the profile's."""
    text = (Path(__file__).parents[2] / "config" / "privacy.yml").read_text(encoding="utf-8")
    parse_policy(text, "privacy.yml")
    with pytest.raises(PolicyError, match=r"at least '12 months' under ccpa@2026-11 \(11 CCR"):
        parse_policy(text.replace("ask_again_after: 12 months", "ask_again_after: 11 months"), "privacy.yml")
    parse_policy(text.replace("ask_again_after: 12 months", "ask_again_after: 1 year"), "privacy.yml")


PLEDGE = """\
profile: pledge
version: "2026-12"
title: What we promise
extends: ccpa@2026-11
review_by: 2027-06-01
opt_out: {within: at once, ask_again_after: 24 months, article: our own rule, confidence: primary}
"""


@pytest.fixture
def elsewhere(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """Return privacy.yml of a bot with a profile of its own, in a folder that is not the current one."""
    text = (Path(__file__).parents[2] / "config" / "privacy.yml").read_text(encoding="utf-8")
    bot, away = tmp_path / "bot", tmp_path / "away"
    for folder in (bot, away):
        folder.mkdir()
    path = bot / "privacy.yml"
    path.write_text(text.replace("ccpa@2026-11]", "pledge@2026-12]"), encoding="utf-8")
    own(bot, PLEDGE, "pledge-2026-12")
    monkeypatch.chdir(away)
    return path


def test_ask_again_after_keeps_a_profile_of_the_builders_own(elsewhere: Path) -> None:
    """It is read from beside privacy.yml, wherever the process runs."""
    with pytest.raises(PolicyError, match=r"at least '24 months' under pledge@2026-12 \(our own rule\)"):
        load_policy(elsewhere)
    elsewhere.write_text(elsewhere.read_text().replace("ask_again_after: 12 months", "ask_again_after: 24 months"))
    assert "pledge@2026-12" in load_policy(elsewhere).regulations


@pytest.mark.parametrize(
    ("text", "message"),
    [
        (None, "there is no profile 'pledge@2026-12'"),
        ("profile: [", "pledge-2026-12.yml:1:"),
        (PLEDGE.replace("ccpa@2026-11", "ccpa@1999-01"), "there is no profile 'ccpa@1999-01'"),
        (PLEDGE.replace("24 months", "soon"), "'soon' is no term"),
    ],
)
def test_a_regulation_that_cannot_be_read_stops_everything(elsewhere: Path, text: str | None, message: str) -> None:
    """The error names its place in privacy.yml, what is wrong, and what to do; nothing stands in for it."""
    own(elsewhere.parent, text or "", "pledge-2026-12")
    if text is None:
        (elsewhere.parent / "regulations" / "pledge-2026-12.yml").unlink()
    with pytest.raises(PolicyError) as caught:
        load_policy(elsewhere)
    line = next(line for line in str(caught.value).splitlines() if "pledge@2026-12" in line)
    assert re.match(rf"{re.escape(str(elsewhere))}:29:\d+: regulation 'pledge@2026-12' cannot be used: ", line)
    assert message in line


def test_the_example_of_the_guide_is_right(tmp_path: Path) -> None:
    """What docs/regulations.md shows can be copied as it stands."""
    guide = (Path(__file__).parents[2] / "docs" / "regulations.md").read_text(encoding="utf-8")
    own(tmp_path, guide.split("```yaml\n")[1].split("```")[0])
    assert load_profile("house@2026-12", tmp_path).title == "What we promise"

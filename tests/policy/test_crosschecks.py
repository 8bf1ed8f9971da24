"""The parts of privacy.yml fit each other, or the misfit is named at its line."""

from collections.abc import Callable
from pathlib import Path

import pytest

from rasa_privacy.policy.languages import available_languages
from rasa_privacy.policy.loader import parse_policy

Complaint = Callable[[str], str]

CASES = [
    (
        "unknown request",
        ("items:\n", "requests: {complaint: [x]}\nitems:\n"),
        "4:12: requests: there is no request 'comp",
    ),
    ("request of ours", ("items:\n", "requests: {privacy_human: [x]}\nitems:\n"), "did you mean 'human'?"),
    ("no such request", ("items:\n", "requests: {zzz: [x]}\nitems:\n"), "there are 'human', 'complain', 'officer',"),
    ("requests twice", ("items:\n", "requests: {human: [x, x]}\nitems:\n"), "4:23: human names 'x' twice; remove one"),
    (
        "two requests",
        ("items:\n", "requests: {human: [x], complain: [y, x]}\nitems:\n"),
        "4:38: requests: intent 'x' means 'human' already; remove it from one",
    ),
    (
        "our intent",
        ("items:\n", "requests: {human: [privacy_human]}\nitems:\n"),
        "4:20: requests: 'privacy_human' is no intent of your own bot; remove it",
    ),
    (
        "request and answer",
        ("items:\n", "replies: {refuse: [x]}\nrequests: {stop: [x]}\nitems:\n"),
        "5:19: requests: intent 'x' is an answer under 'replies'; remove it there or here",
    ),
    ("no purpose", ("purposes:", "purposes: {}\nold:"), "'old' is not known at the top of the file"),
    ("reserved", ("  prize_draw:", "  service:"), "10:3: purpose 'service' is reserved"),
    ("bad name", ("  prize_draw:", "  prize draw:"), "10:3: purpose 'prize draw' must begin with a letter"),
    ("says", ("says: {en:", "says: {de:"), "11:5: purpose 'prize_draw' misses 'says' in 'en'"),
    ("says empty", ("to enter you in the draw", "''"), "11:12: says of purpose 'prize_draw' is empty in 'en'"),
    ("says code", ("says: {en:", "says: {en: x, English:"), "'English' is no language code"),
    ("called", ("    basis:", "    called: {de: x}\n    basis:"), "misses 'called' in 'en'"),
    ("because", ("basis: consent", "basis: contract"), "'prize_draw' with basis contract misses 'because' in 'en'"),
    (
        "marketing",
        ("basis: consent", "basis: contract\n    because: {en: x}\n    marketing: true"),
        "needs 'basis: con",
    ),
    ("no contact", ("basis: consent", "basis: consent\n    double_opt_in: true"), "has double_opt_in, so it needs"),
    (
        "until withdrawn",
        ("basis: consent", "basis: contract\n    because: {en: x}"),
        "'retain: until withdrawn', which needs 'basis: consent'",
    ),
    (
        "no consent to last",
        ("basis: consent", "basis: contract\n    because: {en: x}\n    consent_lasts: 1 year"),
        "has no consent that could last",
    ),
    (
        "sent",
        ("purposes:", "actions: {items: {action_hi: [mail]}}\npurposes:"),
        "actions: 'action_hi' needs item 'mail', not declared; did you mean 'email'?",
    ),
    ("sent twice", ("purposes:", "actions: {items: {a: [email, email]}}\npurposes:"), "a names 'email' twice"),
    ("duration", ("90 days", "ninety days"), "15:5: purposes.prize_draw.retain: 'ninety days' does not say how long"),
    ("message duration", ("30 days", "until withdrawn"), "8:26: messages.retain: 'until withdrawn' is not a duration"),
    ("zero", ("90 days", "0 days"), "'0 days' does not say how long"),
    ("language", ("[en]", "[en, xx]"), "3:17: language 'xx' has no pack in this release; there are 'de', 'en'"),
    ("no language", ("[en]", "[]"), "languages is empty"),
    ("language twice", ("[en]", "[en, en]"), "languages names 'en' twice"),
    ("regulation", ("items:\n", "regulations: [GDPR]\nitems:\n"), "4:15: regulation 'GDPR' must be a name and a month"),
    ("detector", ("detect: email", "detect: emial"), "names the detector 'emial'; did you mean 'email'?"),
    ("detector of a model", ("detect: email", "detect: presidio_persno"), "did you mean 'presidio_person'?"),
    ("no model", ("detect: email", "detect: presidio_person"), "'presidio_person', which needs a language model; add"),
    (
        "a language without a model",
        ("[en]", "[en, de]\ndetectors: {presidio: {models: {en: some_model}}}"),
        "4:24: language 'de' has no model, so that names would not be found in it; name one",
    ),
    (
        "a model without a language",
        ("[en]", "[en]\ndetectors: {presidio: {models: {en: some_model, de: another}}}"),
        "4:49: a model is named for 'de', which is none of the bot's languages ('en')",
    ),
    (
        "a model that is no package",
        ("[en]", "[en]\ndetectors: {presidio: {models: {en: ../model}}}"),
        "'../model' is no name of a package, such as en_core_web_sm",
    ),
    ("no models", ("[en]", "[en]\ndetectors: {presidio: {models: {}}}"), "models must name a model for each language"),
    (
        "no time",
        ("[en]", "[en]\ndetectors: {presidio: {seconds: 0, models: {en: m}}}"),
        "seconds must be 1 to 30",
    ),
    ("no carrier", ("full_name: {slot: full_name, entity: PERSON, ", "full_name: {"), "so nothing carries it"),
    ("slot twice", ("slot: email", "slot: full_name"), "6:11: slot 'full_name' is used by item 'full_name' already"),
    ("entity twice", ("entity: email", "entity: PERSON"), "entity 'PERSON' is used by item 'full_name' already"),
    ("rasa slot", ("slot: email", "slot: requested_slot"), "belongs to Rasa or to the plug-ins"),
    ("our slot", ("slot: email", "slot: privacy_pending"), "belongs to Rasa or to the plug-ins"),
    ("both", ("[favourite_activity]", "[email]"), "7:16: slot 'email' is named under not_personal and by item 'email'"),
    ("twice", ("[favourite_activity]", "[a, b, a]"), "7:22: not_personal names 'a' twice"),
    ("guard twice", ("[lead_form]", "[lead_form, lead_form]"), "14:25: guards names 'lead_form' twice"),
    ("guard name", ("[lead_form]", "['lead_form ']"), "guards: 'lead_form ' cannot be guarded: it is no name"),
    ("guard listen", ("[lead_form]", "[action_listen]"), "'action_listen' cannot be guarded"),
    ("guard ours", ("[lead_form]", "[action_privacy_ask]"), "'action_privacy_ask' cannot be guarded"),
    ("controller", ("Northwind Outdoor", "''"), "2:14: controller.name is empty"),
    ("authority", ("name: Northwind", "authority: ' ', name: Northwind"), "controller.authority is empty; fill it in"),
    ("place", ("items:\n", "storage: {location: {de: x}}\nitems:\n"), "storage misses 'location' in 'en'"),
    ("transfers", ("items:\n", "storage: {transfers: {en: ''}}\nitems:\n"), "transfers of storage is empty in 'en'"),
    (
        "decisions",
        ("items:\n", "automated_decisions: {de: x}\nitems:\n"),
        "4:1: privacy.yml misses 'automated_decisions' in 'en'",
    ),
    ("link", ("https://northwind.example/privacy}", "northwind}"), "must be a link that begins with https://"),
    ("year", ("items:\n", "ask_age: year\nitems:\n"), "4:1: ask_age says how the age is asked for, and minimum_age"),
    ("age", ("items:\n", "minimum_age: 0\nitems:\n"), "4:1: minimum_age must be a number of years from 1 to 99"),
    ("role", ("purposes:", "roles: {dpo: {items: [mail]}}\npurposes:"), "role 'dpo' names item 'mail', which is not"),
    (
        "role purpose",
        ("purposes:", "roles: {dpo: {purposes: [raffle]}}\npurposes:"),
        "9:26: role 'dpo' names purpose 'raffle', which is not",
    ),
    ("role verb", ("purposes:", "roles: {dpo: {may: [veiw]}}\npurposes:"), "names verb 'veiw', which is none of view"),
    ("role twice", ("purposes:", "roles: {dpo: {may: [view, view]}}\npurposes:"), "may names 'view' twice"),
    ("training", ("purposes:", "training: {course: data-handling, valid_for: ever}\npurposes:"), "is not a duration"),
]


@pytest.mark.parametrize(("change", "message"), [case[1:] for case in CASES], ids=[case[0] for case in CASES])
def test_a_misfit_is_named(change: tuple[str, str], message: str, policy_text: str, complaint: Complaint) -> None:
    """Each rule between the parts has its own sentence and its place."""
    before, after = change
    if "until withdrawn" in message and "basis" in message:
        policy_text = policy_text.replace("90 days", "until withdrawn")
    assert before in policy_text
    assert message in complaint(policy_text.replace(before, after))


def test_an_empty_list_of_purposes_is_an_error(policy_text: str, complaint: Complaint) -> None:
    """Without a purpose nothing may be kept, so the file must name one."""
    text = policy_text[: policy_text.index("purposes:")] + "purposes: {}\n"
    assert complaint(text) == "privacy.yml:9:1: purposes is empty; declare at least one purpose"


def test_a_purpose_that_does_nothing_is_an_error(policy_text: str, complaint: Complaint) -> None:
    """A purpose without items and guards is a line that somebody forgot to finish."""
    text = policy_text.replace("{full_name: required, email: optional}", "{}").replace("[lead_form]", "[]")
    assert "uses no item and guards nothing" in complaint(text)


def test_texts_in_more_languages_than_declared_are_welcome(policy_text: str) -> None:
    """A translation can be written before its language is switched on."""
    policy = parse_policy(policy_text.replace("says: {", "says: {de: damit, "), "privacy.yml")
    assert policy.purposes["prize_draw"].says["de"] == "damit"


def test_an_item_without_purpose_still_loads(policy_text: str) -> None:
    """Nothing is kept of such an item; `rasa-privacy check` asks to remove it."""
    policy = parse_policy(policy_text.replace(", email: optional", ""), "privacy.yml")
    assert policy.purposes_using("email") == ()


def test_languages_are_the_files_of_the_packs(tmp_path: Path) -> None:
    """A pack is one file named by its language, and the keyword files beside it are none."""
    for name in ("en.yml", "de.yml", "en.keywords.yml", "README.md"):
        (tmp_path / name).touch()
    assert available_languages(tmp_path) == ("de", "en")
    assert "en" in available_languages()

"""A policy has one hash, and two policies differ in words."""

from rasa_privacy.policy.hashing import difference, policy_hash
from rasa_privacy.policy.loader import parse_policy


def test_order_and_layout_of_the_file_do_not_count(policy_text: str) -> None:
    """The same content written in another order has the same hash."""
    head, tail = policy_text.split("purposes:")
    other = "purposes:" + tail + head
    first, second = parse_policy(policy_text, "a.yml"), parse_policy(other, "b.yml")
    assert policy_hash(first) == policy_hash(second)
    assert difference(first, second) == []


def test_the_hash_of_a_known_file_does_not_drift(policy_text: str) -> None:
    """The canonical form is fixed: a change of it would make every trained model look wrong."""
    expected = "33807bae5277373553cc44b4a9261da79cf0a63d6b4ead0ade29f995d3387495"
    assert policy_hash(parse_policy(policy_text, "privacy.yml")) == expected


def test_each_difference_is_one_sentence(policy_text: str) -> None:
    """Changed, added and removed settings are named by their path."""
    before = parse_policy(policy_text, "a.yml")
    text = policy_text.replace("90 days", "30 days").replace("email: optional", "email: required")
    text = text.replace("[favourite_activity]", "[favourite_activity, colour]").replace("  full_name:", "  name:")
    after = parse_policy(text.replace("{full_name: req", "{name: req"), "b.yml")
    assert policy_hash(before) != policy_hash(after)
    assert difference(before, after) == [
        "items.full_name was removed",
        "items.name was added",
        'not_personal changed from ["favourite_activity"] to ["favourite_activity", "colour"]',
        "purposes.prize_draw.items.email changed from optional to required",
        "purposes.prize_draw.items.full_name was removed",
        "purposes.prize_draw.items.name was added",
        "purposes.prize_draw.retain changed from 90 days to 30 days",
    ]


def test_a_default_that_is_written_out_changes_nothing(policy_text: str) -> None:
    """To write what holds anyway is no change, so a new option with a default needs no new training."""
    written = policy_text + "ask: just_in_time\nminimum_age:\nroles: {}\n"
    assert policy_hash(parse_policy(policy_text, "a.yml")) == policy_hash(parse_policy(written, "b.yml"))


def test_who_may_see_what_changes_no_model(policy_text: str) -> None:
    """Roles, training and the audit log are the staff's affair, so a change of them needs no new model."""
    changed = policy_text + (
        "audit: {operators: pseudonym}\ntraining: {course: data-handling}\n"
        "roles: {clerk: {items: [email], may: [view]}}\n"
    )
    assert policy_hash(parse_policy(policy_text, "a.yml")) == policy_hash(parse_policy(changed, "b.yml"))
    assert difference(parse_policy(policy_text, "a.yml"), parse_policy(changed, "b.yml")) == []


def test_who_proves_and_collects_what_changes_no_model(policy_text: str) -> None:
    """How people prove who they are and collect their copy is looked up while the bot runs; no model has learned it."""
    changed = policy_text + (
        "identity: {trusted_channels: [telegram]}\nhandover: {url: 'https://bot.northwind.example/privacy'}\n"
    )
    before, after = parse_policy(policy_text, "a.yml"), parse_policy(changed, "b.yml")
    assert before != after
    assert policy_hash(before) == policy_hash(after)
    assert difference(before, after) == []


def test_where_opt_out_words_count_changes_no_model(policy_text: str) -> None:
    """They are looked up while the bot runs, and are never learned."""
    changed = parse_policy(policy_text + "opt_out: {chat_windows: [webchat]}\n", "b.yml")
    assert changed.opt_out.chat_windows == ("webchat",)
    assert policy_hash(parse_policy(policy_text, "a.yml")) == policy_hash(changed)


def test_a_setting_that_was_left_out_reads_as_nothing(policy_text: str) -> None:
    """An option that is set for the first time is told from nothing."""
    after = parse_policy(policy_text + "minimum_age: 16\n", "b.yml")
    assert difference(parse_policy(policy_text, "a.yml"), after) == ["minimum_age changed from nothing to 16"]

"""Are the named regulations known, current, and kept by what privacy.yml says?"""

from collections.abc import Iterator
from datetime import date
from pathlib import Path
from typing import Final

from rasa_privacy.policy.bot import Bot, policy_path
from rasa_privacy.policy.bot_regulations import load_regulations
from rasa_privacy.policy.findings import Finding
from rasa_privacy.policy.model import AgeByCountry, Policy
from rasa_privacy.policy.profile_model import Profile
from rasa_privacy.policy.regulations import is_past_review, newest
from rasa_privacy.policy.topics import sharing
from rasa_privacy.policy.yaml_tree import read_tree

#: Rasa's channels for browsers, as credentials.yml names them, and ours that see the header.
_DEAF: Final = {
    "rest": "rasa_privacy.RestInput",
    "rasa.core.channels.rest.RestInput": "rasa_privacy.RestInput",
    "socketio": "rasa_privacy.SocketIOInput",
    "rasa.core.channels.socketio.SocketIOInput": "rasa_privacy.SocketIOInput",
}


def regulations(bot: Bot, policy: Policy, file: str, today: date) -> Iterator[Finding]:
    """RP051 to RP053, and RP065."""
    folder = policy_path(bot).parent
    for profile in load_regulations(policy.regulations, folder).named:
        yield from _current(profile, folder, file, today)
        yield from _notice(profile, policy, file)
        yield from _age(profile, policy, file)
        yield from _signal(profile, policy, bot)


def _current(profile: Profile, folder: Path, file: str, today: date) -> Iterator[Finding]:
    newer = newest(profile.id, folder)
    if newer is not None:
        why = f"{profile.id} is out of date: {newer} is there"
        yield Finding("RP051", file, why, "see what changes with 'rasa-privacy regulations upgrade'", "warning")
    elif is_past_review(profile, today):
        why = f"{profile.id} was to be looked at again by {profile.review_by}, and no newer one is there"
        remedy = "see whether the law still says this; update this package, or write your own profile that extends it"
        yield Finding("RP051", file, why, remedy, "warning")


def _notice(profile: Profile, policy: Policy, file: str) -> Iterator[Finding]:
    for part, rule in profile.notice.items():
        if not _is_said(rule.where, policy):
            told = part.replace("_", " ")
            why = f"{profile.id} wants people to be told of {told} ({rule.article}), and nothing says it"
            yield Finding("RP052", file, why, f"write '{rule.where}'", "warning")


def _is_said(where: str, policy: Policy) -> bool:
    """Say whether privacy.yml holds what a part of the notice is made from.

    What the loader insists on is there. Without an officer the contact is named, and without an authority people are
    told of the one where they live. Transfers need a word where somebody else gets the data; decisions always do.
    """
    shared = any(purpose.recipients for purpose in policy.purposes.values())
    if where == "storage.transfers":
        return not shared or (policy.storage is not None and bool(policy.storage.transfers))
    if where == "automated_decisions":
        return policy.automated_decisions is not None
    if where == "storage.location":
        return policy.storage is not None and bool(policy.storage.location)
    return True


def _age(profile: Profile, policy: Policy, file: str) -> Iterator[Finding]:
    rule, declared = profile.age, policy.minimum_age
    if rule is None:
        return
    years = declared.otherwise if isinstance(declared, AgeByCountry) else declared
    if years is None and rule.demanded:
        why = f"{profile.id} sets an age of {rule.years} years ({rule.article}), and minimum_age is missing"
        yield Finding("RP053", file, why, f"write 'minimum_age: {rule.years}'")
    elif years is not None and years < rule.least:
        why = f"minimum_age is {years}, below the {rule.least} years of {profile.id} ({rule.article})"
        yield Finding("RP053", file, why, f"write 'minimum_age: {rule.years}'")


def _signal(profile: Profile, policy: Policy, bot: Bot) -> Iterator[Finding]:
    """A browser's opt-out must be honoured where something could be sold or shared."""
    rule, credentials = profile.opt_out, bot.folder / "credentials.yml"
    if rule is None or rule.signal is None or not sharing(policy) or not credentials.is_file():
        return
    for channel, _ in read_tree(credentials).pairs():
        if channel.text in _DEAF:
            why = f"{profile.id} wants '{rule.signal}' honoured ({rule.article}), and this channel does not read it"
            remedy = f"name '{_DEAF[channel.text]}' here instead, with the same options"
            yield Finding("RP065", str(channel.place), why, remedy, "warning")

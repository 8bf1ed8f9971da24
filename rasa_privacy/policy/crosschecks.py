"""What must be right between the parts of privacy.yml, once each part is right by itself.

Each check notes every mistake it finds. A check never guesses what was meant: it says where, what, and what to write.
An item that no purpose uses is no mistake here, since nothing is ever kept of it; `linter` asks to remove it (RP017).
"""

import dataclasses
import re
from collections.abc import Collection, Iterable, Mapping
from dataclasses import dataclass
from itertools import combinations
from pathlib import Path
from typing import Final

from rasa_privacy.errors import PolicyError
from rasa_privacy.policy.contacts import REACHABLE
from rasa_privacy.policy.decoder import dotted
from rasa_privacy.policy.detector_names import DETECTOR_NAMES, PRESIDIO_NAMES
from rasa_privacy.policy.findings import CODES
from rasa_privacy.policy.languages import available_languages
from rasa_privacy.policy.model import NEVER, UNTIL_WITHDRAWN, AgeByCountry, Policy, Purpose, Replies, duration_seconds
from rasa_privacy.policy.operations import Identity
from rasa_privacy.policy.own_intents import OURS, REQUEST_NAMES
from rasa_privacy.policy.positions import KeyPath, Place, Problems
from rasa_privacy.policy.profile_model import Profile
from rasa_privacy.policy.regulations import load_profile
from rasa_privacy.policy.retain import parse_retain
from rasa_privacy.policy.slots import is_exempt
from rasa_privacy.policy.suggest import did_you_mean, listed, shown
from rasa_privacy.policy.verbs import VERBS

#: The purpose under which the structure of a conversation is sealed; not for builders.
RESERVED_PURPOSE: Final = "service"

_NAME: Final = re.compile(r"[A-Za-z][A-Za-z0-9_-]{0,63}")
_REGULATION: Final = re.compile(r"[a-z0-9-]+@[0-9]{4}-[0-9]{2}")
_LANGUAGE: Final = re.compile(r"[a-z]{2,3}(-[A-Za-z0-9]{2,8})*")
_LINK: Final = re.compile(r"https?://[^\s/]+\S*")
_REASON_CHARACTERS: Final = 10
_AGES: Final = range(1, 100)

# Actions without which Rasa cannot run a conversation at all (rasa/shared/core/constants.py), or ours, which ask.
_NEVER_GUARDED: Final = frozenset(
    {
        "action_listen",
        "action_restart",
        "action_session_start",
        "action_back",
        "action_deactivate_loop",
        "action_extract_slots",
        "action_revert_fallback_events",
        "action_unlikely_intent",
        "action_default_fallback",
    }
)
_OUR_ACTIONS: Final = ("action_privacy_", "utter_privacy_", "privacy_")


def can_be_guarded(action: str) -> bool:
    """Tell whether a purpose may guard an action or form: it has a name, and the bot can go on without it."""
    readable = action.isprintable() and action.strip() == action and action != ""
    return readable and action not in _NEVER_GUARDED and not action.startswith(_OUR_ACTIONS)


@dataclass(frozen=True, slots=True)
class CrossChecks:
    """The checks of one file; `places` and `key_places` come from `decoder`, a builder's own profiles from `folder`."""

    policy: Policy
    problems: Problems
    places: Mapping[KeyPath, Place]
    key_places: Mapping[KeyPath, Place]
    folder: Path | None = None
    _profiles: list[Profile] = dataclasses.field(default_factory=list)

    def run(self) -> None:
        """Note everything that is wrong."""
        self._controller()
        self._languages()
        self._regulations()  # before what goes by them
        self._items()
        self._models()
        self._carriers()
        self._not_personal()
        self._duration(("messages", "retain"), self.policy.messages.retain)
        self._waivers()
        if self.policy.retention.review_every is not None:
            self._duration(("retention", "review_every"), self.policy.retention.review_every)
        if self.policy.retention.every != NEVER:
            self._duration(("retention", "every"), self.policy.retention.every)
        if not self.policy.purposes:
            self._note(("purposes",), "purposes is empty; declare at least one purpose")
        for name, purpose in self.policy.purposes.items():
            self._purpose(name, purpose)
        self._bundles()
        if self.policy.identity is not None:
            self._identity(self.policy.identity)
        if self.policy.handover is not None:
            self._duration(("handover", "valid_for"), self.policy.handover.valid_for)
        self._twice(("erasure",), [each.name for each in self.policy.erasure.systems])
        self._sent()
        self._told()
        self._people()
        self._import()

    def _note(self, path: KeyPath, message: str) -> None:
        """Note a problem at a name, or at the value or its nearest written parent where there is no name."""
        while path not in self.key_places and path not in self.places:
            path = path[:-1]
        self.problems.add(self.key_places.get(path) or self.places[path], message)

    def _controller(self) -> None:
        controller = self.policy.controller
        for name in ("name", "contact", "policy_url"):
            if not getattr(controller, name).strip():
                self._note(("controller", name), f"controller.{name} is empty; people are shown it, so fill it in")
        for name in ("authority", "address", "phone"):
            value = getattr(controller, name)
            if value is not None and not value.strip():
                self._note(("controller", name), f"controller.{name} is empty; fill it in or leave it out")
        if controller.policy_url.strip() and not _LINK.fullmatch(controller.policy_url):
            self._note(("controller", "policy_url"), "controller.policy_url must be a link that begins with https://")

    def _languages(self) -> None:
        known = available_languages()
        if not self.policy.languages:
            self._note(("languages",), "languages is empty; name at least one, for example [en]")
        for index, language in enumerate(self.policy.languages):
            if language not in known:
                message = f"language {shown(language)} has no pack in this release; there are {listed(known)}"
                self._note(("languages", index), message)
        self._twice(("languages",), self.policy.languages)

    def _regulations(self) -> None:
        for index, name in enumerate(self.policy.regulations):
            if not _REGULATION.fullmatch(name):
                message = f"regulation {shown(name)} must be a name and a month, such as 'gdpr@2026-11'"
                self._note(("regulations", index), message)
                continue
            try:
                self._profiles.append(load_profile(name, self.folder))
            except PolicyError as error:
                for line in str(error).splitlines():
                    self._note(("regulations", index), f"regulation {shown(name)} cannot be used: {line}")
        self._twice(("regulations",), self.policy.regulations)

    def _items(self) -> None:
        for name, item in self.policy.items.items():
            here: KeyPath = ("items", name)
            self._name(here, "item", name)
            self._detector(here, name, item.detect)
            if item.slot is None and item.entity is None and item.detect is None:
                self._note(here, f"item {shown(name)} has neither 'slot', 'entity' nor 'detect', so nothing carries it")
            if item.slot is not None and is_exempt(item.slot):
                self._note((*here, "slot"), f"slot {shown(item.slot)} belongs to Rasa or to the plug-ins, to no item")
            self._texts((*here, "called"), item.called, f"item {shown(name)}")

    def _detector(self, here: KeyPath, name: str, detect: str | None) -> None:
        if detect is None:
            return
        known, message = (*DETECTOR_NAMES, *PRESIDIO_NAMES), f"item {shown(name)} names the detector {shown(detect)}"
        if detect in PRESIDIO_NAMES and self.policy.detectors.presidio is None:
            remedy = "add 'detectors: {presidio: {models: {en: en_core_web_sm}}}' with a model for each language"
            self._note((*here, "detect"), f"{message}, which needs a language model; {remedy}")
        elif detect not in known:
            self._note((*here, "detect"), f"{message}{did_you_mean(detect, known)}; there are {listed(known)}")

    def _models(self) -> None:
        """A language without a model would let its names through."""
        presidio, here = self.policy.detectors.presidio, ("detectors", "presidio", "models")
        if presidio is None:
            return
        for language in self.policy.languages:
            if language not in presidio.models:
                message = f"language {shown(language)} has no model, so that names would not be found in it; name one"
                self._note(here, f"{message} (for several languages: xx_ent_wiki_sm)")
        for language in presidio.models:
            if language not in self.policy.languages:
                message = f"a model is named for {shown(language)}, which is none of the bot's languages"
                self._note((*here, language), f"{message} ({listed(self.policy.languages)})")

    def _carriers(self) -> None:
        """Two items must not share a slot or an entity: a value would have two owners."""
        for carrier in ("slot", "entity"):
            owners: dict[str, str] = {}
            for name, item in self.policy.items.items():
                value = getattr(item, carrier)
                if value is None:
                    continue
                if not value.strip():
                    self._note(("items", name, carrier), f"{carrier} of item {shown(name)} is empty")
                owner = owners.setdefault(value, name)
                if owner != name:
                    message = f"{carrier} {shown(value)} is used by item {shown(owner)} already; each needs its own"
                    self._note(("items", name, carrier), message)

    def _identity(self, identity: Identity) -> None:
        """Check that a proof can be given: by a code to a contact that is kept as it is."""
        self._duration(("identity", "proof_lasts"), identity.proof_lasts)
        self._twice(("identity", "trusted_channels"), identity.trusted_channels)
        if not any(item.detect in REACHABLE and item.cut == "full" for item in self.policy.items.values()):
            message = "nobody could prove who they are: no item with 'detect: email' or 'detect: phone' is kept in full"
            self._note(("identity",), message)

    def _not_personal(self) -> None:
        for index, slot in enumerate(self.policy.not_personal):
            item = self.policy.item_of_slot(slot)
            if item is not None:
                message = f"slot {shown(slot)} is named under not_personal and by item {shown(item)}; decide for one"
                self._note(("not_personal", index), message)
        self._twice(("not_personal",), self.policy.not_personal)

    def _purpose(self, name: str, purpose: Purpose) -> None:
        here: KeyPath = ("purposes", name)
        self._name(here, "purpose", name)
        if name == RESERVED_PURPOSE:
            self._note(here, "purpose 'service' is reserved for the bot's own working; choose another name")
        self._texts((*here, "says"), purpose.says, f"purpose {shown(name)}", required=True)
        self._texts((*here, "called"), purpose.called, f"purpose {shown(name)}")
        self._basis(here, name, purpose)
        for item in purpose.items:
            if item not in self.policy.items:
                hint = did_you_mean(item, self.policy.items)
                message = f"purpose {shown(name)} uses item {shown(item)}, which is not declared{hint}"
                self._note((*here, "items", item), message)
        if not purpose.items and not purpose.guards:
            self._note(here, f"purpose {shown(name)} uses no item and guards nothing; remove it or fill it in")
        self._guards((*here, "guards"), purpose.guards)
        self._asking(here, name, purpose)

    def _asking(self, here: KeyPath, name: str, purpose: Purpose) -> None:
        """Check when and with what else the purpose is asked about."""
        for field in ("also_ask", "requires"):
            for other in getattr(purpose, field):
                self._asked_with((*here, field), name, other)
        for other, reason in purpose.requires.items():
            self._texts((*here, "requires", other), reason, f"purpose {shown(name)}", required=True)
        if purpose.basis != "consent":
            for field in ("ask", "ask_again_after", "also_ask", "requires"):
                if getattr(purpose, field):
                    self._note((*here, field), f"purpose {shown(name)} is not asked about, so '{field}' means nothing")
        if purpose.ask_again_after is not None:
            self._duration((*here, "ask_again_after"), purpose.ask_again_after)
            self._pause((*here, "ask_again_after"), purpose.ask_again_after)

    def _asked_with(self, here: KeyPath, name: str, other: str) -> None:
        declared = self.policy.purposes.get(other)
        whose = f"{here[-1]} of {shown(name)} names purpose {shown(other)}"
        if declared is None:
            self._note(here, f"{whose}, which is not declared{did_you_mean(other, self.policy.purposes)}")
        elif other == name or declared.basis != "consent":
            self._note(here, f"{whose}, about which nobody would be asked; name another that rests on consent")

    def _pause(self, here: KeyPath, duration: str) -> None:
        """Who said no to a sale is left alone for as long as the regulations say."""
        try:
            seconds = duration_seconds(duration)
        except ValueError:
            return
        for profile in self._profiles:
            rule = profile.opt_out
            if rule is not None and seconds < duration_seconds(rule.ask_again_after or duration):
                message = (
                    f"ask_again_after must be at least '{rule.ask_again_after}' under {profile.id} ({rule.article})"
                )
                self._note(here, message)

    def _waivers(self) -> None:
        for index, waiver in enumerate(self.policy.waivers):
            if waiver.code not in CODES:
                hint = did_you_mean(waiver.code, CODES) or "; 'rasa-privacy check' prints the codes"
                self._note(("waivers", index, "code"), f"there is no finding {shown(waiver.code)}{hint}")
            if len(waiver.reason.strip()) < _REASON_CHARACTERS:
                message = f"the reason of a waiver says why, in at least {_REASON_CHARACTERS} characters"
                self._note(("waivers", index, "reason"), message)

    def _bundles(self) -> None:
        """Refusing one purpose must not close what another is for, unless that is declared and justified."""
        for (first, one), (second, other) in combinations(self.policy.purposes.items(), 2):
            shared = [action for action in other.guards if action in one.guards]
            justified = second in one.requires or first in other.requires
            if shared and not justified and one.basis == other.basis == "consent":
                message = (
                    f"{listed(shared)} is guarded by {shown(first)} and by {shown(second)}, so that a no to one would "
                    "close it for both (GDPR Art. 7(4)); guard it by one, and name the other there under 'also_ask', "
                    "or with the reason under 'requires'"
                )
                self._note(("purposes", second, "guards", other.guards.index(shared[0])), message)

    def _basis(self, here: KeyPath, name: str, purpose: Purpose) -> None:
        """Check what depends on the legal basis, and the durations."""
        consent = purpose.basis == "consent"
        because = f"purpose {shown(name)} with basis {purpose.basis}"
        self._texts((*here, "because"), purpose.because, because, required=not consent)
        if purpose.marketing and not consent:
            message = f"purpose {shown(name)} is marketing, which needs 'basis: consent' here (GDPR Art. 6(1)(a))"
            self._note((*here, "basis"), message)
        if purpose.double_opt_in and not (consent and self._is_reachable(purpose)):
            message = (
                f"purpose {shown(name)} has double_opt_in, so it needs 'basis: consent' and a required item with "
                "'detect: email' or 'detect: phone', to which the code goes"
            )
            self._note((*here, "double_opt_in"), message)
        if purpose.retain != UNTIL_WITHDRAWN:
            self._retain((*here, "retain"), purpose.retain)
        elif not consent:
            message = f"purpose {shown(name)} has 'retain: {UNTIL_WITHDRAWN}', which needs 'basis: consent'"
            self._note((*here, "retain"), message)
        if purpose.consent_lasts is not None:
            self._duration((*here, "consent_lasts"), purpose.consent_lasts)
            if not consent:
                self._note((*here, "consent_lasts"), f"purpose {shown(name)} has no consent that could last")

    def _is_reachable(self, purpose: Purpose) -> bool:
        """Return whether an item that the purpose needs is a contact."""
        needed = (self.policy.items.get(item) for item, need in purpose.items.items() if need == "required")
        return any(item is not None and item.detect in REACHABLE for item in needed)

    def _guards(self, here: KeyPath, guards: tuple[str, ...]) -> None:
        for index, action in enumerate(guards):
            if not can_be_guarded(action):
                message = (
                    f"guards: {shown(action)} cannot be guarded: it is no name, or the bot cannot go on without it"
                )
                self._note((*here, index), message)
        self._twice(here, guards)

    def _texts(self, here: KeyPath, texts: Mapping[str, str], whose: str, *, required: bool = False) -> None:
        """Texts for people are there in every declared language or, where they may be left out, in none."""
        for language, text in texts.items():
            if not _LANGUAGE.fullmatch(language):
                hint = did_you_mean(language, self.policy.languages)
                self._note((*here, language), f"{shown(language)} is no language code such as 'en'{hint}")
            elif not text.strip():
                self._note((*here, language), f"{here[-1]} of {whose} is empty in {shown(language)}")
        missing = [language for language in self.policy.languages if language not in texts]
        if missing and (required or texts):
            self._note(here, f"{whose} misses '{here[-1]}' in {listed(missing)}")

    def _sent(self) -> None:
        for action, items in self.policy.actions.items.items():
            here: KeyPath = ("actions", "items", action)
            for index, item in enumerate(items):
                if item not in self.policy.items:
                    hint = did_you_mean(item, self.policy.items)
                    self._note((*here, index), f"actions: {shown(action)} needs item {shown(item)}, not declared{hint}")
            self._twice(here, items)

    def _told(self) -> None:
        if self.policy.storage is not None:
            self._texts(("storage", "location"), self.policy.storage.location, "storage")
            self._texts(("storage", "transfers"), self.policy.storage.transfers, "storage")
        decisions = self.policy.automated_decisions
        if isinstance(decisions, dict):
            self._texts(("automated_decisions",), decisions, "privacy.yml", required=True)

    def _people(self) -> None:
        self._age()
        replies = self.policy.replies or Replies()
        self._twice(("opt_out", "chat_windows"), self.policy.opt_out.chat_windows)
        self._twice(("replies", "grant"), replies.grant)
        self._twice(("replies", "refuse"), replies.refuse)
        for intent in sorted({*replies.grant} & {*replies.refuse}):
            self._note(("replies",), f"replies: intent {shown(intent)} cannot mean yes and no")
        self._requests({*replies.grant, *replies.refuse})
        for role, rights in self.policy.roles.items():
            self._name(("roles", role), "role", role)
            self._role(role, "items", rights.items, "item", self.policy.items)
            self._role(role, "purposes", rights.purposes, "purpose", self.policy.purposes)
            self._role(role, "may", rights.may, "verb", VERBS)
        if self.policy.training is not None:
            self._duration(("training", "valid_for"), self.policy.training.valid_for)

    def _requests(self, answers: Collection[str]) -> None:
        """Check that each intent of the bot's own means one thing."""
        meant: dict[str, str] = {}
        for name, intents in self.policy.requests.items():
            here: KeyPath = ("requests", name)
            if name not in REQUEST_NAMES:
                hint = did_you_mean(name.removeprefix(OURS), REQUEST_NAMES) or f"; there are {listed(REQUEST_NAMES)}"
                self._note(here, f"requests: there is no request {shown(name)}{hint}")
            self._twice(here, intents)
            for index, intent in enumerate(intents):
                first = meant.setdefault(intent, name)
                if intent.startswith(OURS):
                    self._note((*here, index), f"requests: {shown(intent)} is no intent of your own bot; remove it")
                elif first != name:
                    message = f"requests: intent {shown(intent)} means {shown(first)} already; remove it from one"
                    self._note((*here, index), message)
                elif intent in answers:
                    message = f"intent {shown(intent)} is an answer under 'replies'; remove it there or here"
                    self._note((*here, index), f"requests: {message}")

    def _role(self, role: str, field: str, named: Iterable[str], kind: str, known: Iterable[str]) -> None:
        """Note what a role names and nobody knows."""
        names = () if named == "all" else tuple(named)
        for index, name in enumerate(names):
            if name not in known:
                why = "is not declared" if kind != "verb" else f"is none of {', '.join(VERBS)}"
                message = f"role {shown(role)} names {kind} {shown(name)}, which {why}{did_you_mean(name, known)}"
                self._note(("roles", role, field, index), message)
        self._twice(("roles", role, field), names)

    def _age(self) -> None:
        declared = self.policy.minimum_age
        if declared is None and self.policy.ask_age != "yes_or_no":
            self._note(("ask_age",), "ask_age says how the age is asked for, and minimum_age is missing; write it too")
        years = declared.otherwise if isinstance(declared, AgeByCountry) else declared
        if years is not None and years not in _AGES:
            self._note(("minimum_age",), f"minimum_age must be a number of years from {_AGES[0]} to {_AGES[-1]}")
        if isinstance(declared, AgeByCountry) and declared.slot not in self.policy.not_personal:
            message = (
                f"minimum_age reads slot {shown(declared.slot)} before anybody is asked; name it under 'not_personal', "
                "and keep nothing but a country in it"
            )
            self._note(("minimum_age",), message)

    def _import(self) -> None:
        declared = self.policy.import_
        for name, consent in declared.consent.items() if declared is not None else ():
            here: KeyPath = ("import", "consent", name)
            purpose = self.policy.purposes.get(name)
            if purpose is None:
                hint = did_you_mean(name, self.policy.purposes)
                self._note(here, f"import names the purpose {shown(name)}, which is not declared{hint}")
            elif purpose.basis != "consent":
                self._note(here, f"import names the purpose {shown(name)}, which needs no consent; remove it there")
            if not consent.evidence.strip():
                message = f"the evidence of {shown(name)} is empty; say where the proof is (GDPR Art. 7(1))"
                self._note((*here, "evidence"), message)
            if consent.given_by == "everyone" and consent.at is None:
                message = f"{shown(name)} was given by everyone and misses 'at'; write the day on which it was given"
                self._note(here, message)

    def _name(self, here: KeyPath, kind: str, name: str) -> None:
        if not _NAME.fullmatch(name):
            message = f"{kind} {shown(name)} must begin with a letter and have only letters, digits, '_' and '-'"
            self._note(here, message)

    def _duration(self, here: KeyPath, text: str) -> None:
        try:
            duration_seconds(text)
        except ValueError:
            wanted = "write for example '90 days', '12 months' or '1 hour'"
            self._note(here, f"{dotted(here)}: {shown(text)} is not a duration; {wanted}")

    def _retain(self, here: KeyPath, text: str) -> None:
        try:
            parse_retain(text)
        except ValueError:
            wanted = (
                "write for example '90 days', 'until withdrawn', 'until lead_form', '30 days after action_submit' or "
                "'6 years after 31 December'"
            )
            self._note(here, f"{dotted(here)}: {shown(text)} does not say how long; {wanted}")

    def _twice(self, here: KeyPath, words: Iterable[str]) -> None:
        seen: set[str] = set()
        for index, word in enumerate(words):
            if word in seen:
                self._note((*here, index), f"{here[-1]} names {shown(word)} twice; remove one")
            seen.add(word)

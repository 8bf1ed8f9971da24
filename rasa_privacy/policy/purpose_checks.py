"""What must be right of the purposes of privacy.yml: basis, durations, what they guard, when they are asked about."""

from collections.abc import Sequence
from dataclasses import dataclass
from itertools import combinations
from typing import Final

from rasa_privacy.policy.check_notes import CheckNotes
from rasa_privacy.policy.contacts import REACHABLE
from rasa_privacy.policy.durations import duration_seconds
from rasa_privacy.policy.positions import KeyPath
from rasa_privacy.policy.profile_model import Profile
from rasa_privacy.policy.purpose_model import UNTIL_WITHDRAWN, Purpose
from rasa_privacy.policy.suggest import did_you_mean, listed, shown

#: The purpose under which the structure of a conversation is sealed; not for builders.
RESERVED_PURPOSE: Final = "service"

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
class PurposeChecks(CheckNotes):
    """The checks of purposes; some go by the regulations' `profiles`."""

    profiles: Sequence[Profile]

    def run(self) -> None:
        """Note everything that is wrong."""
        if not self.policy.purposes:
            self.note(("purposes",), "purposes is empty; declare at least one purpose")
        for name, purpose in self.policy.purposes.items():
            self._purpose(name, purpose)
        self._bundles()

    def _purpose(self, name: str, purpose: Purpose) -> None:
        here: KeyPath = ("purposes", name)
        self.name(here, "purpose", name)
        if name == RESERVED_PURPOSE:
            self.note(here, "purpose 'service' is reserved for the bot's own working; choose another name")
        self.texts((*here, "says"), purpose.says, f"purpose {shown(name)}", required=True)
        self.texts((*here, "called"), purpose.called, f"purpose {shown(name)}")
        self._basis(here, name, purpose)
        for item in purpose.items:
            if item not in self.policy.items:
                hint = did_you_mean(item, self.policy.items)
                message = f"purpose {shown(name)} uses item {shown(item)}, which is not declared{hint}"
                self.note((*here, "items", item), message)
        if not purpose.items and not purpose.guards:
            self.note(here, f"purpose {shown(name)} uses no item and guards nothing; remove it or fill it in")
        self._guards((*here, "guards"), purpose.guards)
        self._asking(here, name, purpose)

    def _asking(self, here: KeyPath, name: str, purpose: Purpose) -> None:
        """Check when and with what else the purpose is asked about."""
        for field in ("also_ask", "requires"):
            for other in getattr(purpose, field):
                self._asked_with((*here, field), name, other)
        for other, reason in purpose.requires.items():
            self.texts((*here, "requires", other), reason, f"purpose {shown(name)}", required=True)
        if purpose.basis != "consent":
            for field in ("ask", "ask_again_after", "also_ask", "requires"):
                if getattr(purpose, field):
                    self.note((*here, field), f"purpose {shown(name)} is not asked about, so '{field}' means nothing")
        if purpose.ask_again_after is not None:
            self.duration((*here, "ask_again_after"), purpose.ask_again_after)
            self._pause((*here, "ask_again_after"), purpose.ask_again_after)

    def _asked_with(self, here: KeyPath, name: str, other: str) -> None:
        declared = self.policy.purposes.get(other)
        whose = f"{here[-1]} of {shown(name)} names purpose {shown(other)}"
        if declared is None:
            self.note(here, f"{whose}, which is not declared{did_you_mean(other, self.policy.purposes)}")
        elif other == name or declared.basis != "consent":
            self.note(here, f"{whose}, about which nobody would be asked; name another that rests on consent")

    def _pause(self, here: KeyPath, duration: str) -> None:
        """Who said no to a sale is left alone for as long as the regulations say."""
        try:
            seconds = duration_seconds(duration)
        except ValueError:
            return
        for profile in self.profiles:
            rule = profile.opt_out
            if rule is not None and seconds < duration_seconds(rule.ask_again_after or duration):
                message = (
                    f"ask_again_after must be at least '{rule.ask_again_after}' under {profile.id} ({rule.article})"
                )
                self.note(here, message)

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
                self.note(("purposes", second, "guards", other.guards.index(shared[0])), message)

    def _basis(self, here: KeyPath, name: str, purpose: Purpose) -> None:
        """Check what depends on the legal basis, and the durations."""
        consent = purpose.basis == "consent"
        because = f"purpose {shown(name)} with basis {purpose.basis}"
        self.texts((*here, "because"), purpose.because, because, required=not consent)
        if purpose.marketing and not consent:
            message = f"purpose {shown(name)} is marketing, which needs 'basis: consent' here (GDPR Art. 6(1)(a))"
            self.note((*here, "basis"), message)
        if purpose.double_opt_in and not (consent and self._is_reachable(purpose)):
            message = (
                f"purpose {shown(name)} has double_opt_in, so it needs 'basis: consent' and a required item with "
                "'detect: email' or 'detect: phone', to which the code goes"
            )
            self.note((*here, "double_opt_in"), message)
        if purpose.retain != UNTIL_WITHDRAWN:
            self.retain((*here, "retain"), purpose.retain)
        elif not consent:
            message = f"purpose {shown(name)} has 'retain: {UNTIL_WITHDRAWN}', which needs 'basis: consent'"
            self.note((*here, "retain"), message)
        if purpose.consent_lasts is not None:
            self.duration((*here, "consent_lasts"), purpose.consent_lasts)
            if not consent:
                self.note((*here, "consent_lasts"), f"purpose {shown(name)} has no consent that could last")

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
                self.note((*here, index), message)
        self.twice(here, guards)

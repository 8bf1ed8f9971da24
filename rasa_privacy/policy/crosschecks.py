"""What must be right between the parts of privacy.yml, once each part is right by itself.

Each check notes every mistake it finds. A check never guesses what was meant: it says where, what, and what to write.
Items, purposes and people have modules of their own (`item_checks`, `purpose_checks`, `people_checks`). An item that no
purpose uses is no mistake, since nothing is ever kept of it; `linter` asks to remove it (RP017).
"""

import re
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Final

from rasa_privacy.errors import PolicyError
from rasa_privacy.policy.check_notes import CheckNotes
from rasa_privacy.policy.findings import CODES
from rasa_privacy.policy.item_checks import ItemChecks
from rasa_privacy.policy.languages import available_languages
from rasa_privacy.policy.model import NEVER
from rasa_privacy.policy.people_checks import PeopleChecks
from rasa_privacy.policy.profile_model import Profile
from rasa_privacy.policy.purpose_checks import PurposeChecks
from rasa_privacy.policy.regulations import load_profile
from rasa_privacy.policy.suggest import did_you_mean, listed, shown

if TYPE_CHECKING:
    from rasa_privacy.policy.positions import KeyPath

_REGULATION: Final = re.compile(r"[a-z0-9-]+@[0-9]{4}-[0-9]{2}")
_LINK: Final = re.compile(r"https?://[^\s/]+\S*")
_REASON_CHARACTERS: Final = 10


@dataclass(frozen=True, slots=True)
class CrossChecks(CheckNotes):
    """The checks of one file; a builder's own profiles come from `folder`."""

    folder: Path | None = None

    def run(self) -> None:
        """Note everything that is wrong."""
        parts = (self.policy, self.problems, self.places, self.key_places)
        self._controller()
        self._languages()
        PurposeChecks(*parts, self._regulations()).run()
        ItemChecks(*parts).run()
        PeopleChecks(*parts).run()
        self._durations()
        self._waivers()
        self.twice(("erasure",), [each.name for each in self.policy.erasure.systems])
        self._sent()
        self._told()

    def _durations(self) -> None:
        """Check those that stand alone; what belongs to items, purposes and people is checked with them."""
        self.duration(("messages", "retain"), self.policy.messages.retain)
        if self.policy.retention.review_every is not None:
            self.duration(("retention", "review_every"), self.policy.retention.review_every)
        if self.policy.retention.every != NEVER:
            self.duration(("retention", "every"), self.policy.retention.every)
        if self.policy.handover is not None:
            self.duration(("handover", "valid_for"), self.policy.handover.valid_for)

    def _controller(self) -> None:
        controller = self.policy.controller
        for name in ("name", "contact", "policy_url"):
            if not getattr(controller, name).strip():
                self.note(("controller", name), f"controller.{name} is empty; people are shown it, so fill it in")
        for name in ("authority", "address", "phone"):
            value = getattr(controller, name)
            if value is not None and not value.strip():
                self.note(("controller", name), f"controller.{name} is empty; fill it in or leave it out")
        if controller.policy_url.strip() and not _LINK.fullmatch(controller.policy_url):
            self.note(("controller", "policy_url"), "controller.policy_url must be a link that begins with https://")

    def _languages(self) -> None:
        known = available_languages()
        if not self.policy.languages:
            self.note(("languages",), "languages is empty; name at least one, for example [en]")
        for index, language in enumerate(self.policy.languages):
            if language not in known:
                message = f"language {shown(language)} has no pack in this release; there are {listed(known)}"
                self.note(("languages", index), message)
        self.twice(("languages",), self.policy.languages)

    def _regulations(self) -> list[Profile]:
        """Check what the regulations are called, and return the profiles of those that can be used."""
        profiles = []
        for index, name in enumerate(self.policy.regulations):
            if not _REGULATION.fullmatch(name):
                message = f"regulation {shown(name)} must be a name and a month, such as 'gdpr@2026-11'"
                self.note(("regulations", index), message)
                continue
            try:
                profiles.append(load_profile(name, self.folder))
            except PolicyError as error:
                for line in str(error).splitlines():
                    self.note(("regulations", index), f"regulation {shown(name)} cannot be used: {line}")
        self.twice(("regulations",), self.policy.regulations)
        return profiles

    def _waivers(self) -> None:
        for index, waiver in enumerate(self.policy.waivers):
            if waiver.code not in CODES:
                hint = did_you_mean(waiver.code, CODES) or "; 'rasa-privacy check' prints the codes"
                self.note(("waivers", index, "code"), f"there is no finding {shown(waiver.code)}{hint}")
            if len(waiver.reason.strip()) < _REASON_CHARACTERS:
                message = f"the reason of a waiver says why, in at least {_REASON_CHARACTERS} characters"
                self.note(("waivers", index, "reason"), message)

    def _sent(self) -> None:
        for action, items in self.policy.actions.items.items():
            here: KeyPath = ("actions", "items", action)
            for index, item in enumerate(items):
                if item not in self.policy.items:
                    hint = did_you_mean(item, self.policy.items)
                    self.note((*here, index), f"actions: {shown(action)} needs item {shown(item)}, not declared{hint}")
            self.twice(here, items)

    def _told(self) -> None:
        if self.policy.storage is not None:
            self.texts(("storage", "location"), self.policy.storage.location, "storage")
            self.texts(("storage", "transfers"), self.policy.storage.transfers, "storage")
        decisions = self.policy.automated_decisions
        if isinstance(decisions, dict):
            self.texts(("automated_decisions",), decisions, "privacy.yml", required=True)

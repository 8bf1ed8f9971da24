"""What must be right of people in privacy.yml: how old they are, what they say and said before, and who staff are."""

from collections.abc import Collection, Iterable
from typing import TYPE_CHECKING, Final

from rasa_privacy.policy.check_notes import CheckNotes
from rasa_privacy.policy.model import AgeByCountry, Replies
from rasa_privacy.policy.own_intents import OURS, REQUEST_NAMES
from rasa_privacy.policy.suggest import did_you_mean, listed, shown
from rasa_privacy.policy.verbs import VERBS

if TYPE_CHECKING:
    from rasa_privacy.policy.positions import KeyPath

_AGES: Final = range(1, 100)


class PeopleChecks(CheckNotes):
    """The checks of people."""

    __slots__ = ()

    def run(self) -> None:
        """Note everything that is wrong."""
        self._age()
        replies = self.policy.replies or Replies()
        self.twice(("opt_out", "chat_windows"), self.policy.opt_out.chat_windows)
        self.twice(("replies", "grant"), replies.grant)
        self.twice(("replies", "refuse"), replies.refuse)
        for intent in sorted({*replies.grant} & {*replies.refuse}):
            self.note(("replies",), f"replies: intent {shown(intent)} cannot mean yes and no")
        self._requests({*replies.grant, *replies.refuse})
        for role, rights in self.policy.roles.items():
            self.name(("roles", role), "role", role)
            self._role(role, "items", rights.items, "item", self.policy.items)
            self._role(role, "purposes", rights.purposes, "purpose", self.policy.purposes)
            self._role(role, "may", rights.may, "verb", VERBS)
        if self.policy.training is not None:
            self.duration(("training", "valid_for"), self.policy.training.valid_for)
        self._import()

    def _requests(self, answers: Collection[str]) -> None:
        """Check that each intent of the bot's own means one thing."""
        meant: dict[str, str] = {}
        for name, intents in self.policy.requests.items():
            here: KeyPath = ("requests", name)
            if name not in REQUEST_NAMES:
                hint = did_you_mean(name.removeprefix(OURS), REQUEST_NAMES) or f"; there are {listed(REQUEST_NAMES)}"
                self.note(here, f"requests: there is no request {shown(name)}{hint}")
            self.twice(here, intents)
            for index, intent in enumerate(intents):
                first = meant.setdefault(intent, name)
                if intent.startswith(OURS):
                    self.note((*here, index), f"requests: {shown(intent)} is no intent of your own bot; remove it")
                elif first != name:
                    message = f"requests: intent {shown(intent)} means {shown(first)} already; remove it from one"
                    self.note((*here, index), message)
                elif intent in answers:
                    message = f"intent {shown(intent)} is an answer under 'replies'; remove it there or here"
                    self.note((*here, index), f"requests: {message}")

    def _role(self, role: str, field: str, named: Iterable[str], kind: str, known: Iterable[str]) -> None:
        """Note what a role names and nobody knows."""
        names = () if named == "all" else tuple(named)
        for index, name in enumerate(names):
            if name not in known:
                why = "is not declared" if kind != "verb" else f"is none of {', '.join(VERBS)}"
                message = f"role {shown(role)} names {kind} {shown(name)}, which {why}{did_you_mean(name, known)}"
                self.note(("roles", role, field, index), message)
        self.twice(("roles", role, field), names)

    def _age(self) -> None:
        declared = self.policy.minimum_age
        if declared is None and self.policy.ask_age != "yes_or_no":
            self.note(("ask_age",), "ask_age says how the age is asked for, and minimum_age is missing; write it too")
        years = declared.otherwise if isinstance(declared, AgeByCountry) else declared
        if years is not None and years not in _AGES:
            self.note(("minimum_age",), f"minimum_age must be a number of years from {_AGES[0]} to {_AGES[-1]}")
        if isinstance(declared, AgeByCountry) and declared.slot not in self.policy.not_personal:
            message = (
                f"minimum_age reads slot {shown(declared.slot)} before anybody is asked; name it under 'not_personal', "
                "and keep nothing but a country in it"
            )
            self.note(("minimum_age",), message)

    def _import(self) -> None:
        declared = self.policy.import_
        for name, consent in declared.consent.items() if declared is not None else ():
            here: KeyPath = ("import", "consent", name)
            purpose = self.policy.purposes.get(name)
            if purpose is None:
                hint = did_you_mean(name, self.policy.purposes)
                self.note(here, f"import names the purpose {shown(name)}, which is not declared{hint}")
            elif purpose.basis != "consent":
                self.note(here, f"import names the purpose {shown(name)}, which needs no consent; remove it there")
            if not consent.evidence.strip():
                message = f"the evidence of {shown(name)} is empty; say where the proof is (GDPR Art. 7(1))"
                self.note((*here, "evidence"), message)
            if consent.given_by == "everyone" and consent.at is None:
                message = f"{shown(name)} was given by everyone and misses 'at'; write the day on which it was given"
                self.note(here, message)

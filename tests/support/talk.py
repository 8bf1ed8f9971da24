"""A conversation without Rasa: the turns decide, the real actions answer, the ledger is real."""

from collections.abc import Mapping
from dataclasses import replace
from typing import Any

from rasa_privacy.actions.asking import AskConsent, RecordGrant, RecordLimits, RecordRefusal, TooYoung
from rasa_privacy.actions.base import PrivacyAction, Turn
from rasa_privacy.actions.confirming import ConfirmCode, SendCode
from rasa_privacy.actions.consent import Stop, WithdrawConsent
from rasa_privacy.actions.data_rights import Erase, HandOver, PreviewErasure, ShowData
from rasa_privacy.actions.explaining import Explain
from rasa_privacy.consent.ledger import Evidence, state_of
from rasa_privacy.consent.state import due
from rasa_privacy.dialogue.names import LISTEN, PENDING_SLOT, UNCLEAR, YOUNG_SLOT
from rasa_privacy.dialogue.turn_view import Asking, Decision, Pending, TurnView
from rasa_privacy.dialogue.turns import Turns
from rasa_privacy.policy.ages import minimum_age
from rasa_privacy.policy.topics import choice, choices
from rasa_privacy.storage.vault import Vault
from tests.support.vaults import SENDER

_ACTIONS: Mapping[str, PrivacyAction] = {
    action.name(): action
    for action in (
        AskConsent(),
        RecordGrant(),
        RecordRefusal(),
        RecordLimits(),
        TooYoung(),
        Explain(),
        WithdrawConsent(),
        Stop(),
        SendCode(),
        ConfirmCode(),
        ShowData(),
        HandOver(),
        PreviewErasure(),
        Erase(),
    )
}


class Talk:
    """One person's conversation.

    Attributes:
        vault: The store.
        slots: Values of the slots.
        ran: The bot's own actions that ran, in order.
        said: What our actions said in the last turn.
        buttons: Payloads of the buttons under it.
        loop: The form that runs.
    """

    def __init__(self, vault: Vault, sender: str = SENDER, channel: str = "rest") -> None:
        self.channel = channel
        self.vault = vault
        self.sender = sender
        self.slots: dict[str, Any] = {}
        self.ran: list[str] = []
        self.said: list[str] = []
        self.buttons: list[str] = []
        self.loop: str | None = None
        self._turns = Turns(Asking.of(vault.policy))

    @property
    def pending(self) -> Pending | None:
        """The question that waits."""
        return Pending.from_slot(self.slots.get(PENDING_SLOT))

    def want(self, action: str, intent: str = "wish") -> "Talk":
        """Say something to which the bot answers with an action of its own."""
        return self._turn(intent, action, ())

    def reply(self, intent: str, *items: str) -> "Talk":
        """Answer the question that waits; the bot has nothing of its own to say to it."""
        return self._turn(intent, LISTEN, items)

    def give(self, intent: str, text: str) -> "Talk":
        """Answer with a contact or a code, as the payload lets it through."""
        return self._turn(intent, LISTEN, (), text)

    def _turn(self, intent: str, wanted: str, items: tuple[str, ...], text: str = "") -> "Talk":
        self.said, self.buttons = [], []
        last, own = LISTEN, wanted
        for _ in range(20):
            view = self._view(intent, last, items)
            if self._turns.forgets(view):
                self.slots[PENDING_SLOT] = None
            decision = self._turns.decide(view) or self._turns.gate(own, view) or Decision(own)
            if decision.pending is not ...:
                self.slots[PENDING_SLOT] = decision.pending.to_slot() if decision.pending else None
            last = decision.action
            if last == LISTEN:
                return self
            own = LISTEN
            self._run(last, intent, items, text)
        raise AssertionError("the turn does not end")

    def _run(self, action: str, intent: str, items: tuple[str, ...], text: str) -> None:
        if action == UNCLEAR:
            self.said.append(UNCLEAR)
        elif action not in _ACTIONS:
            self.ran.append(action)
        else:
            evidence = Evidence("words", "rest", "en", self.vault.clock())
            turn = Turn(
                self.sender,
                intent,
                (),
                pending=self.pending,
                evidence=evidence,
                responses={},
                channel=self.channel,
            )
            for reply in _ACTIONS[action].answer(
                self.vault, replace(turn, items=items, text=text, slots=dict(self.slots))
            ):
                self.said.append(reply.text)
                self.buttons += [button["payload"] for button in reply.buttons]
                for event in reply.events:
                    if event.get("event") == "slot":
                        self.slots[event["name"]] = event["value"]

    def _view(self, intent: str, last: str, items: tuple[str, ...] = ()) -> TurnView:
        policy = self.vault.policy
        with self.vault.database.read() as connection:
            subject_id = self.vault.subjects.find(connection, self.sender)
            state = state_of(self.vault, connection, subject_id, self.vault.clock())
        age = minimum_age(policy, self.slots) or 0
        by_consent = [name for name, purpose in policy.purposes.items() if purpose.basis == "consent"]
        return TurnView(
            intent=intent,
            last_action=last,
            succeeded=True,
            pending=self.pending,
            active_loop=self.loop,
            active=state.active,
            due=frozenset(due(state, policy, by_consent, self.vault.clock())),
            answered=state.answered,
            age=age if age > state.confirmed_age else None,
            waiting=state.waiting,
            is_too_young=self.slots.get(YOUNG_SLOT) is True,
            named=tuple(choice(purpose, item) for purpose, item in choices(policy) if item in items),
        )

"""The payload to the action server: the Emit door, and the second guard of the Act door.

A `FollowupAction` event, `POST /conversations/<id>/execute` and reminders that name an action bypass the ensemble, so a
remote action passes the gate here once more. Then Rasa's payload, which carries the whole tracker, is cut to the events
that `actions` of privacy.yml names and to the slots that the action needs, of purposes that are active, each value as
it may be kept.

Of the message that answers our question where to send a one-time code, or that is the code, or that says what is right
instead of a wrong value, the contact, the code or the value alone passes to the action that takes it, and to no other.
"""

from collections.abc import Mapping
from typing import Any, Final

from rasa_privacy.components import runtime
from rasa_privacy.components.emitted_tracker import minimised
from rasa_privacy.components.naming import said_value
from rasa_privacy.components.rasa_api import ActionExecutionRejection, hookimpl, plugin_manager
from rasa_privacy.consent.state import ConsentState
from rasa_privacy.dialogue.limits import code_in
from rasa_privacy.dialogue.names import ACTIONS, CONFIRM, CORRECT, INTENTS, PENDING_SLOT, SEND_CODE
from rasa_privacy.dialogue.turn_view import Pending
from rasa_privacy.minimize.contact_answers import contact_in
from rasa_privacy.minimize.view import View
from rasa_privacy.policy.contacts import reachable_kinds
from rasa_privacy.policy.needs import guarding, is_validation

_OUR_RESPONSES: Final = "utter_privacy_"


class PayloadHooks:
    """Rasa's plugin hooks that see each payload before it is sent."""

    @hookimpl
    def prefix_stripping_for_custom_actions(self, json_body: dict[str, Any]) -> dict[str, Any] | None:
        """Return the payload that may leave the process.

        Raises:
            ActionExecutionRejection: The action's purposes lack consent, or nobody can tell.
        """
        running = runtime.current()
        if running is None:
            raise ActionExecutionRejection(json_body["next_action"], "the protected store is not configured")
        return _cut(json_body, running, _state(json_body, running))

    @hookimpl
    def prefixing_custom_actions_response(self, json_body: dict[str, Any], response: dict[str, Any]) -> None:
        """Leave the response as it is: what its events may fill is decided at the next prediction and at Store."""


def _state(json_body: Mapping[str, Any], running: runtime.Runtime) -> ConsentState:
    action = str(json_body["next_action"])
    state = runtime.consent_of_sender(str(json_body["sender_id"]))
    if state is None:
        if action in ACTIONS:
            return ConsentState({}, frozenset())
        raise ActionExecutionRejection(action, "the consent ledger cannot be read")
    if not guarding(running.vault.policy, action) <= state.active:
        raise ActionExecutionRejection(action, "its purposes lack consent")
    return state


def _cut(json_body: Mapping[str, Any], running: runtime.Runtime, state: ConsentState) -> dict[str, Any]:
    """Return the payload cut to what this action may see."""
    action = str(json_body["next_action"])
    # A validation judges what the person types now; everything else gets what may be kept of it.
    items = running.needs.of_action(action)
    if state.limited and items is not None and not is_validation(action):
        items = running.needs.within_limit(action, items)
    view = View(state.active, {}, whole=is_validation(action), items=items)
    tracker = minimised(json_body["tracker"], running.splitter, running.vault.policy.actions, view)
    answer = _answer(json_body, running)
    if answer is not None:
        tracker["latest_message"] = {**tracker["latest_message"], "text": answer}
    body = {**json_body, "tracker": tracker}
    if "domain" in json_body:
        body["domain"] = (_ours if action in ACTIONS else _theirs)(json_body["domain"] or {})
    return body


def _answer(json_body: Mapping[str, Any], running: runtime.Runtime) -> str | None:
    """Return the contact or the code that the message gives, for the action that takes it."""
    tracker, action = json_body["tracker"], json_body["next_action"]
    said = tracker.get("latest_message") or {}
    text, intent = str(said.get("text") or ""), (said.get("intent") or {}).get("name")
    if action == CORRECT:
        return said_value(json_body, running) or ""
    if action == CONFIRM and intent == "privacy_code":
        return code_in(text, alone=False)
    if action != SEND_CODE or intent != "privacy_contact":
        return None
    pending = Pending.from_slot((tracker.get("slots") or {}).get(PENDING_SLOT))
    purpose = pending.purposes[0] if pending is not None and pending.purposes else ""
    return contact_in(text, reachable_kinds(running.vault.policy, purpose))


def _ours(domain: Mapping[str, Any]) -> dict[str, Any]:
    """Our actions need the privacy responses, as the builder may have reworded them, and nothing else of the domain."""
    responses = domain.get("responses") or {}
    return {"responses": {name: texts for name, texts in responses.items() if name.startswith(_OUR_RESPONSES)}}


def _theirs(domain: Mapping[str, Any]) -> dict[str, Any]:
    """The bot's actions need its own domain, without what this package added: that is as long as a small bot's."""
    kept = dict(domain)
    kept["responses"] = {
        name: texts for name, texts in (domain.get("responses") or {}).items() if not name.startswith(_OUR_RESPONSES)
    }
    kept["intents"] = [intent for intent in domain.get("intents") or [] if _name_of(intent) not in INTENTS]
    kept["actions"] = [action for action in domain.get("actions") or [] if _name_of(action) not in ACTIONS]
    return kept


def _name_of(listed: object) -> object:
    """Return the name in a list of the domain, where an entry with settings is a mapping of one name."""
    return next(iter(listed), None) if isinstance(listed, Mapping) else listed


def install() -> None:
    """Register the hooks once."""
    manager = plugin_manager()
    if not manager.has_plugin("rasa_privacy"):
        manager.register(PayloadHooks(), "rasa_privacy")

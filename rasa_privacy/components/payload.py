"""The payload to the action server: the Emit door, and the second guard of the Act door.

A `FollowupAction` event, `POST /conversations/<id>/execute` and reminders that name an action bypass the ensemble, so a
remote action passes the gate here once more. Then Rasa's payload, which carries the whole tracker, is cut to the events
since the last user message and to the slots of purposes that are active, each value as it may be kept.
"""

from collections.abc import Mapping
from typing import Any, Final

from rasa_privacy.components import runtime
from rasa_privacy.components.rasa_api import ActionExecutionRejection, hookimpl, plugin_manager
from rasa_privacy.dialogue.turns import ACTIONS, INTENTS
from rasa_privacy.minimize.events import View, join, texts_of

#: The form's action and its validation belong together: `validate_lead_form` is guarded with `lead_form`.
_VALIDATION: Final = "validate_"


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
        return minimised(json_body, running, _active(json_body, running))

    @hookimpl
    def prefixing_custom_actions_response(self, json_body: dict[str, Any], response: dict[str, Any]) -> None:
        """Leave the response as it is: what its events may fill is decided at the next prediction and at Store."""


def _active(json_body: Mapping[str, Any], running: runtime.Runtime) -> frozenset[str]:
    action = str(json_body["next_action"])
    policy = running.vault.policy
    state = runtime.consent_of_sender(str(json_body["sender_id"]))
    if state is None:
        if action in ACTIONS:
            return frozenset()
        raise ActionExecutionRejection(action, "the consent ledger cannot be read")
    guarded = {*policy.purposes_guarding(action), *policy.purposes_guarding(action.removeprefix(_VALIDATION))}
    if not guarded <= state.active:
        raise ActionExecutionRejection(action, "its purposes lack consent")
    return state.active


def minimised(json_body: Mapping[str, Any], running: runtime.Runtime, active: frozenset[str]) -> dict[str, Any]:
    """Return the payload cut to what this action may see."""
    tracker = json_body["tracker"]
    events = _since_last_message(tracker.get("events") or [])
    # A validation judges what the person types now; everything else gets what may be kept of it.
    whole = str(json_body["next_action"]).startswith(("validate_", "action_validate_slot_mappings"))
    view = View(active, _known(tracker.get("slots") or {}, running), whole=whole)
    kept = _minimised_events(events, running, view)
    message = _latest_message(kept)
    body = {
        **json_body,
        "tracker": {
            **{name: tracker.get(name) for name in ("sender_id", "latest_event_time", "followup_action", "paused")},
            "latest_input_channel": tracker.get("latest_input_channel"),
            # Both hold more than names: a loop, for one, the message that started it.
            "active_loop": _only(tracker.get("active_loop"), ("name", "is_interrupted", "rejected")),
            "latest_action": _only(tracker.get("latest_action"), ("action_name",)),
            "latest_action_name": tracker.get("latest_action_name"),
            "slots": _slots(tracker.get("slots") or {}, running, view),
            "latest_message": message,
            "events": kept,
        },
    }
    if json_body["next_action"] in ACTIONS:
        body["domain"] = _own_responses(json_body.get("domain") or {})
    return body


def _only(found: Mapping[str, Any] | None, names: tuple[str, ...]) -> dict[str, Any]:
    return {name: found[name] for name in names if name in found} if found else {}


def _since_last_message(events: list[dict[str, Any]]) -> list[dict[str, Any]]:
    for index in range(len(events) - 1, -1, -1):
        if events[index].get("event") == "user":
            return events[index:]
    return events


def _minimised_events(events: list[dict[str, Any]], running: runtime.Runtime, view: View) -> list[dict[str, Any]]:
    structure, entries = [], []
    for seq, event in enumerate(events):
        privacy = event.get("event") == "user" and _intent(event) in INTENTS
        kept, values = running.splitter.split(event, seq, View(view.active, view.known, privacy, view.whole))
        structure.append(kept)
        entries += values
    join(structure, 0, {"": entries})
    return structure


def _intent(event: Mapping[str, Any]) -> str | None:
    name = ((event.get("parse_data") or {}).get("intent") or {}).get("name")
    return name if isinstance(name, str) else None


def _latest_message(events: list[dict[str, Any]]) -> dict[str, Any]:
    """Return the message in the shape in which Rasa sends it: its parse data and text."""
    user = next((event for event in events if event["event"] == "user"), None)
    if user is None:
        return {"intent": {}, "entities": [], "text": None, "message_id": None, "metadata": {}}
    return {**user["parse_data"], "text": user["text"], "metadata": {}}


def _slots(slots: Mapping[str, Any], running: runtime.Runtime, view: View) -> dict[str, Any]:
    kept: dict[str, Any] = {}
    for name, value in slots.items():
        item = running.splitter.item_of_slot(name)
        if running.splitter.is_plain_slot(name):
            kept[name] = value
        elif item is not None and value is not None and running.splitter.purposes_for(item, view.active):
            kept[name] = value if view.whole else running.splitter.kept(item, value)
        else:
            kept[name] = None
    return kept


def _known(slots: Mapping[str, Any], running: runtime.Runtime) -> dict[str, set[str]]:
    known: dict[str, set[str]] = {}
    for name, value in slots.items():
        item = running.splitter.item_of_slot(name)
        if item is not None:
            known.setdefault(item, set()).update(texts_of(value))
    return known


def _own_responses(domain: Mapping[str, Any]) -> dict[str, Any]:
    """Our actions need the privacy responses, as the builder may have reworded them, and nothing else of the domain."""
    responses = domain.get("responses") or {}
    return {"responses": {name: texts for name, texts in responses.items() if name.startswith("utter_privacy_")}}


def install() -> None:
    """Register the hooks once."""
    manager = plugin_manager()
    if not manager.has_plugin("rasa_privacy"):
        manager.register(PayloadHooks(), "rasa_privacy")

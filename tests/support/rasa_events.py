"""Every event type of rasa 3.6.21 as `Event.as_dict()` gives it, with one value wherever a person's words can stand."""

from typing import Any, Final

TIME: Final = 1795436000.25
ROW: Final = {"timestamp": TIME}


def message(value: Any, item_entity: str = "PERSON", intent: str = "enter_draw") -> dict[str, Any]:
    """Return a user's message that says the value, names it as an entity, and carries it in its metadata."""
    text = f"Well, {value} it is."
    return {
        "event": "user",
        **ROW,
        "text": text,
        "parse_data": {
            "intent": {"name": intent, "confidence": 0.75},
            "entities": [
                {"entity": item_entity, "value": value, "start": 6, "end": 9, "extractor": "CRF", "original": text},
                {"entity": "unknown", "value": value},
            ],
            "text": text,
            "message_id": "m1",
            "metadata": {"note": value},
            "intent_ranking": [{"name": intent, "confidence": 0.75, "words": value}, {"name": "greet"}],
            "text_tokens": [[0, 4]],
            "response_selector": {"default": {"query": text}},
        },
        "input_channel": "rest",
        "message_id": "m1",
        "metadata": {"model_id": "M", "assistant_id": "A", "profile": {"name": value}},
    }


def utterance(value: Any, kind: str = "bot") -> dict[str, Any]:
    """Return a bot's answer that echoes the value, with a button that would send it back."""
    return {
        "event": kind,
        **ROW,
        "metadata": {"utter_action": "utter_greet", "text": value},
        "text": f"Hello {value}!",
        "data": {
            "elements": [{"title": value}],
            "quick_replies": None,
            "buttons": [{"title": f"I am {value}", "payload": f'/inform{{"full_name": "{value}"}}'}, value],
            "attachment": {"payload": {"src": value}},
            "image": f"https://img.example/{value}.png",
            "custom": {"note": [value]},
        },
    }


def saying(value: Any, slot: str = "full_name", entity: str = "PERSON") -> dict[str, dict[str, Any]]:
    """Return an event of each type, and of a type that nobody knows, with the value in it."""
    entities = [{"entity": entity, "value": value, "start": 0, "end": 4}]
    reminder = {"name": "r1", "intent": "EXTERNAL_remind", "date_time": "2026-11-24T10:00:00+00:00"}
    named = {"policy": "policy_1_RulePolicy", "confidence": 1.0}
    return {
        "user": message(value, entity),
        "user_featurization": {"event": "user_featurization", **ROW, "use_text_for_featurization": False},
        "entities": {"event": "entities", **ROW, "entities": entities},
        "bot": utterance(value),
        "agent": utterance(value, "agent"),
        "slot": {"event": "slot", **ROW, "name": slot, "value": value},
        "restart": {"event": "restart", **ROW},
        "rewind": {"event": "rewind", **ROW},
        "reset_slots": {"event": "reset_slots", **ROW},
        "reminder": {"event": "reminder", **ROW, **reminder, "entities": entities, "kill_on_user_msg": True},
        "cancel_reminder": {"event": "cancel_reminder", **ROW, **reminder, "entities": {entity: value}},
        "undo": {"event": "undo", **ROW},
        "export": {"event": "export", **ROW, "path": f"/home/{value}"},
        "followup": {"event": "followup", **ROW, "name": "action_submit"},
        "pause": {"event": "pause", **ROW},
        "resume": {"event": "resume", **ROW},
        "action": {
            "event": "action",
            **ROW,
            **named,
            "name": "action_submit",
            "action_text": f"Hello {value}",
            "hide_rule_turn": False,
        },
        "active_loop": {"event": "active_loop", **ROW, "name": "lead_form"},
        "form": {"event": "form", **ROW, "name": "lead_form"},
        "loop_interrupted": {"event": "loop_interrupted", **ROW, "is_interrupted": True},
        "form_validation": {"event": "form_validation", **ROW, "validate": False},
        "action_execution_rejected": {"event": "action_execution_rejected", **ROW, **named, "name": "lead_form"},
        "session_started": {"event": "session_started", **ROW},
        "from_a_plugin": {"event": "from_a_plugin", **ROW, "name": value, "note": {"deep": [value]}, value: value},
    }

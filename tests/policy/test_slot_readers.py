"""Who reads which slots: actions by their source, responses by the domain, and whether all of that was there."""

from pathlib import Path

from rasa_privacy.policy.slot_readers import Readers, read_readers

ACTIONS = """\
class Greet:
    def name(self):
        return "action_greet"

    def run(self, dispatcher, tracker, domain):
        return tracker.get_slot("full_name"), tracker.slots["email"]
"""
DOMAIN = """\
actions: [action_greet]
responses:
  utter_hello: [{text: "Hello {full_name}!"}]
  utter_thanks: [{text: Thanks!, condition: [{type: slot, name: postcode, value: "10115"}]}]
"""
RESPONSES = {"utter_hello": frozenset({"full_name"}), "utter_thanks": frozenset({"postcode"})}


def test_actions_and_responses_read_slots(tmp_path: Path) -> None:
    """By their names, in a file or in a folder."""
    (tmp_path / "actions.py").write_text(ACTIONS)
    (tmp_path / "domain").mkdir()
    (tmp_path / "domain" / "all.yml").write_text(DOMAIN)
    found = read_readers(tmp_path)
    assert found == Readers({"action_greet": frozenset({"full_name", "email"}), **RESPONSES}, is_whole=True)


def test_a_domain_may_end_in_yaml(tmp_path: Path) -> None:
    """Rasa reads such files too; what their responses show is read by somebody."""
    (tmp_path / "domain").mkdir()
    (tmp_path / "domain" / "all.yaml").write_text(DOMAIN.replace("actions: [action_greet]\n", ""))
    assert read_readers(tmp_path) == Readers(RESPONSES, is_whole=True)


def test_what_is_not_at_hand_is_said(tmp_path: Path) -> None:
    """The source of actions that the domain names, and the domain; a bot without actions of its own misses none."""
    assert read_readers(tmp_path) == Readers({}, is_whole=False)
    (tmp_path / "domain.yml").write_text(DOMAIN)
    assert read_readers(tmp_path) == Readers(RESPONSES, is_whole=False)
    (tmp_path / "domain.yml").write_text(DOMAIN.replace("actions: [action_greet]\n", ""))
    assert read_readers(tmp_path) == Readers(RESPONSES, is_whole=True)

"""What the action server finds when a bot imports `rasa_privacy.actions`."""

import inspect

from rasa_sdk.utils import all_subclasses

from rasa_privacy.actions.base import PrivacyAction
from rasa_privacy.dialogue.names import ACTIONS


def test_every_class_that_is_registered_is_an_action_of_ours() -> None:
    """The action server makes what it can make: a base class that is not abstract is an action named None."""
    assert inspect.isabstract(PrivacyAction)
    made = [found for found in all_subclasses(PrivacyAction) if found.__module__.startswith("rasa_privacy.")]
    names = [found().name() for found in made if not inspect.isabstract(found)]
    assert sorted(names) == sorted(ACTIONS)

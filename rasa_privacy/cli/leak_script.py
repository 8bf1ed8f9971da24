"""A conversation that the builder wrote for the leak test.

```yaml
people:
  - consents: true            # whether this person agrees; decides what may go to an action
    steps:
      - hello
      - I want a tent         # a message; {item} stands for a marked value of that item
      - "[Yes, I agree]"      # a button of the bot's last turn, by its title or a part of it
      - my name is {full_name}
```

Every conversation ends with a deletion.
"""

import re
from pathlib import Path
from typing import Final

import msgspec
import yaml

from rasa_privacy.cli.leak_visitor import Visitor
from rasa_privacy.errors import ConfigurationError
from rasa_privacy.policy.model import Policy
from rasa_privacy.policy.suggest import did_you_mean, shown

_ITEM: Final = re.compile(r"{(\w+)}")
_BUTTON: Final = re.compile(r"^\[(.+)\]$")


class Person(msgspec.Struct, frozen=True, forbid_unknown_fields=True, kw_only=True):
    """One conversation.

    Attributes:
        consents: Whether the person agrees to what they are asked.
        steps: Messages and buttons, in order.
    """

    consents: bool
    steps: tuple[str, ...]


class Script(msgspec.Struct, frozen=True, forbid_unknown_fields=True, kw_only=True):
    """The whole file."""

    people: tuple[Person, ...]


def load_script(path: Path, policy: Policy) -> Script:
    """Read a script.

    Raises:
        ConfigurationError: The file cannot be read, or does not have this form, or names an item that is not declared.
    """
    try:
        script = msgspec.convert(yaml.safe_load(path.read_bytes()), Script)
    except OSError as error:
        raise ConfigurationError(f"{path}: the file cannot be read ({error.strerror})") from None
    except (yaml.YAMLError, msgspec.ValidationError, ValueError) as error:
        raise ConfigurationError(
            f"{path}: this is no script; write 'people', each with 'consents' and 'steps'"
        ) from error
    for person in script.people:
        for item in (item for step in person.steps for item in _ITEM.findall(step)):
            if item not in policy.items:
                raise ConfigurationError(
                    f"{path}: item {shown(item)} is not declared{did_you_mean(item, policy.items)}"
                )
    if not any(_ITEM.search(step) for person in script.people for step in person.steps):
        raise ConfigurationError(f"{path}: no step holds a marked value, so nothing could be found; write {{item}}")
    return script


def play(visitor: Visitor, steps: tuple[str, ...]) -> None:
    """Say the steps.

    Raises:
        ServerError: A button is not offered.
    """
    for step in steps:
        button = _BUTTON.match(step)
        if button is not None:
            visitor.chat.press(button[1])
            continue
        text = step
        for item in _ITEM.findall(step):
            value = visitor.values[item][0]
            visitor.said.setdefault(item, []).append(value)
            text = text.replace(f"{{{item}}}", value.text)
        visitor.chat.say(text)

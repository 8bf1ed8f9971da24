"""`load_policy`: from privacy.yml to a `Policy`, or to an error that lists every mistake with its line.

Rules, in order: the bytes are text within bounds (`positions`); the tree has the form of the model (`decoder`); the
parts fit each other (`crosschecks`). A later step runs only after the earlier one found nothing, so no mistake is
reported twice under two names. Whether the file fits the bot is the work of `slots` and `linter`.
"""

from pathlib import Path

import msgspec
from msgspec import inspect

from rasa_privacy.errors import PolicyError
from rasa_privacy.policy.crosschecks import CrossChecks
from rasa_privacy.policy.decoder import Decoder
from rasa_privacy.policy.model import Policy
from rasa_privacy.policy.positions import Problems, compose, read_text


def load_policy(path: Path, folder: Path | None = None) -> Policy:
    """Read privacy.yml.

    Args:
        path: The file.
        folder: Where the folder `regulations` of the builder's own profiles is; otherwise beside the file.

    Raises:
        PolicyError: The file cannot be read or is wrong, or a regulation that it names cannot; one line
            `file:line:column: ...` for each mistake.
    """
    return parse_policy(read_text(path), str(path), folder or path.parent)


def parse_policy(text: str, file: str, folder: Path | None = None) -> Policy:
    """Read the text of a privacy.yml.

    Args:
        text: The YAML.
        file: The name to show in messages.
        folder: Where the folder `regulations` of the builder's own profiles is; None for the package's alone.

    Raises:
        PolicyError: The text is wrong, or a regulation that it names cannot be read; one line
            `file:line:column: ...` for each mistake.
    """
    problems = Problems()
    decoder = Decoder(file, problems)
    values = decoder.decode(compose(text, file), inspect.type_info(Policy))
    problems.raise_any()
    try:
        policy = msgspec.convert(values, Policy)
    except msgspec.ValidationError as error:  # the decoder knows the same types, so this is a last line of defence
        raise PolicyError(f"{file}:1:1: {error}") from None
    CrossChecks(policy, problems, decoder.places, decoder.key_places, folder).run()
    problems.raise_any()
    return policy

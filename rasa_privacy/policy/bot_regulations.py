"""`Regulations`: the profiles of one bot, read once from beside its privacy.yml and passed to whoever goes by them.

A profile that cannot be read is an error at once (`loader` names its place in privacy.yml), and never another one's
figures in its stead.
"""

from collections.abc import Iterable
from dataclasses import dataclass
from pathlib import Path

from rasa_privacy.policy.profile_model import Profile
from rasa_privacy.policy.regulations import load_profile


@dataclass(frozen=True, slots=True)
class Regulations:
    """What the regulations of a bot say.

    Attributes:
        named: The profiles that privacy.yml names, in its order.
        folder: The folder of privacy.yml, for the builder's own; None where the package's alone count.
    """

    named: tuple[Profile, ...] = ()
    folder: Path | None = None

    def find(self, name: str) -> Profile:
        """Return one profile, also one that privacy.yml does not name any more but a request runs by.

        Raises:
            PolicyError: It is not there any more, or cannot be read.
        """
        known = next((profile for profile in self.named if profile.id == name), None)
        return known or load_profile(name, self.folder)


def load_regulations(names: Iterable[str], folder: Path | None) -> Regulations:
    """Return the profiles of these names.

    Args:
        names: As privacy.yml has them, such as `gdpr@2026-11`.
        folder: The folder of privacy.yml, for the builder's own.

    Raises:
        PolicyError: One is not there, or cannot be read.
    """
    return Regulations(tuple(load_profile(name, folder) for name in names), folder)

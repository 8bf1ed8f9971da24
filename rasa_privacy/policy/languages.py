"""Which languages the bot can speak privacy in: those with a pack under `rasa_privacy/dialogue/packs`."""

from pathlib import Path
from typing import Final

PACKS_FOLDER: Final = Path(__file__).parent.parent / "dialogue" / "packs"


def available_languages(folder: Path = PACKS_FOLDER) -> tuple[str, ...]:
    """Return the language codes that have a pack, sorted. `en.yml` is a pack; `en.keywords.yml` belongs to one."""
    return tuple(sorted(path.stem for path in folder.glob("*.yml") if "." not in path.stem))

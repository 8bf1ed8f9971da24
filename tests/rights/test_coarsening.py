"""Pseudonyms: stable within one bot, of no use in another."""

from contextlib import closing
from pathlib import Path

from rasa_privacy.minimize.transforms import keep_part
from rasa_privacy.rights.coarsening import aids_of
from rasa_privacy.storage.vault import open_vault
from tests.support.vaults import PRIVACY, Clock, settings_in


def _pseudonym(folder: Path, item: str) -> object:
    folder.mkdir(exist_ok=True)
    (folder / "privacy.yml").write_text(PRIVACY)
    with closing(open_vault(settings_in(folder), clock=Clock())) as vault:
        return keep_part("Ana Li", "pseudonym", aids_of(vault)(item))


def test_a_pseudonym_is_stable_in_one_bot_and_another_in_the_next(tmp_path: Path) -> None:
    """A restart changes nothing; another item or another bot has another word, so that nothing can be joined."""
    first = _pseudonym(tmp_path / "one", "name")
    assert first == _pseudonym(tmp_path / "one", "name")
    assert len({first, _pseudonym(tmp_path / "one", "nick"), _pseudonym(tmp_path / "two", "name")}) == 3

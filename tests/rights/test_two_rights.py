"""Two rights of one person at once: whichever comes first, an erasure leaves nothing, and nobody meets an accident."""

from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from dataclasses import replace
from threading import Barrier
from typing import Any, Final

import msgspec
import pytest

from rasa_privacy.access.admission import admit_local
from rasa_privacy.access.permit import Permit
from rasa_privacy.errors import PrivacyError
from rasa_privacy.policy.operations import HandOver
from rasa_privacy.rights import requests, staff_access, staff_erasure, staff_rectification, staff_restriction
from rasa_privacy.rights.access import holdings
from rasa_privacy.rights.certificates import certificate
from rasa_privacy.rights.handover import collect, offer
from rasa_privacy.rights.portability import copy_chunks
from rasa_privacy.rights.withdrawal import withdraw
from rasa_privacy.storage.requests import all_of
from rasa_privacy.storage.vault import Vault
from tests.support.databases import EACH_KIND
from tests.support.vaults import SENDER, evidence, give, grant

VALUES: Final = {"draw": {"full_name": "Ana Li", "email": "ana@b.example"}, "newsletter": {"email": "ana@b.example"}}
#: The verb that staff need for it, and what does it.
Right = tuple[str, Callable[[Vault, Permit], Any]]


def _copy(vault: Vault, permit: Permit) -> bytes:
    made = staff_access.hand_out(vault, SENDER, permit)
    return b"".join(copy_chunks(made)) if made else b""


def _locked(vault: Vault, work: Callable[[Any, bytes], Any]) -> Any:
    def do(connection: Any) -> Any:
        subject_id = vault.subjects.find_for_update(connection, SENDER)
        return None if subject_id is None else work(connection, subject_id)

    return vault.database.transact(do)


def _collect(vault: Vault, _: Permit) -> bytes:
    link = vault.database.transact(lambda conn: offer(vault, conn, SENDER, vault.clock()))
    return b"".join(collect(vault, link.token, None, vault.clock()))


OTHERS: Final[dict[str, Right]] = {
    "look": ("view", lambda vault, permit: staff_access.show(vault, SENDER, permit)),
    "copy": ("export", _copy),
    "link": (
        "export",
        lambda vault, _: vault.database.transact(lambda conn: offer(vault, conn, SENDER, vault.clock())),
    ),
    "collect": ("view", _collect),
    "correct": (
        "rectify",
        lambda vault, permit: staff_rectification.rectify(vault, SENDER, "email", "new@b.example", permit),
    ),
    "restrict": ("restrict", lambda vault, permit: staff_restriction.restrict(vault, SENDER, ["draw"], permit)),
    "no sale": ("restrict", lambda vault, permit: staff_restriction.do_not_sell(vault, SENDER, permit)),
    "erase": ("erase", lambda vault, permit: staff_erasure.erase_person(vault, SENDER, permit)),
    "withdraw": (
        "view",
        lambda vault, _: _locked(vault, lambda conn, who: withdraw(vault, conn, who, ["draw"], evidence(vault))),
    ),
    "complain": (
        "view",
        lambda vault, _: _locked(
            vault, lambda conn, who: requests.open_request(vault, conn, "complaint", who, vault.clock())
        ),
    ),
}


@pytest.mark.parametrize("kind", EACH_KIND, indirect=True)
def test_an_erasure_beside_any_other_right_leaves_nothing(vault: Vault) -> None:
    """The other one is done before, or finds nobody; the certificate is given after all was read back."""
    bot = replace(vault, policy=msgspec.structs.replace(vault.policy, handover=HandOver(url="https://bot.example")))
    for name, (verb, other) in OTHERS.items():
        subject_id = grant(bot, "draw", "newsletter")
        give(bot, VALUES, events=3)
        permits, start = (admit_local(bot, verb), admit_local(bot, "erase")), Barrier(2)

        def together(work: Callable[[Vault, Permit], Any], permit: Permit, start: Barrier = start) -> Any:
            start.wait()
            return work(bot, permit)

        with ThreadPoolExecutor(2) as pool:
            beside = pool.submit(together, other, permits[0])
            erasing = pool.submit(together, OTHERS["erase"][1], permits[1])
        error = beside.exception()
        assert error is None or isinstance(error, PrivacyError), (name, error)
        done = erasing.result() or beside.result()
        assert done is not None, name
        assert certificate(bot, done.number, bot.clock())["verified"], name
        with bot.database.read() as connection:
            assert holdings(bot, connection, SENDER).is_empty, name
            assert not [each for each in all_of(connection, subject_id) if each.is_open], name

"""A legal hold that may not be disclosed keeps what an open one keeps, and no door tells of it."""

import io
import json
import re
import zipfile
from dataclasses import replace
from typing import Any

import msgspec
import pytest

from rasa_privacy.access.admission import admit_local
from rasa_privacy.access.permit import issue
from rasa_privacy.errors import HoldError, RequestError
from rasa_privacy.policy.operations import Role
from rasa_privacy.rights import holds as rules
from rasa_privacy.rights import staff_access, staff_erasure, staff_rectification
from rasa_privacy.rights.bulk_erasure import erase_listed
from rasa_privacy.rights.bulk_run import Bulk, Line
from rasa_privacy.rights.certificates import certificate
from rasa_privacy.rights.erasure import erase
from rasa_privacy.rights.linked import copies_linked
from rasa_privacy.rights.portability import copy_chunks
from rasa_privacy.rights.previews import preview
from rasa_privacy.rights.requests import open_request, refuse
from rasa_privacy.storage import holds as rows
from rasa_privacy.storage import requests
from rasa_privacy.storage.vault import Vault
from tests.support.databases import EACH_KIND
from tests.support.parts import delete_part
from tests.support.vaults import SENDER, evidence, give, grant, held, link

each_kind = pytest.mark.parametrize("kind", EACH_KIND, indirect=True)
VALUES = {"draw": {"full_name": "Ana Li", "email": "ana@a.example"}, "newsletter": {"birthday": "1990"}}
#: What would give a hold away.
TELLING = re.compile(r"legal hold|case-17|legal matter|legal reasons|\bheld for\b", re.IGNORECASE)
ROLES = {
    "support": Role(items="all", may=("view", "erase", "requests", "rectify"), values="clear"),
    "keeper": Role(items="all", may=("view", "retention")),
    "dpo": Role(items="all", may="all"),
}


@pytest.fixture
def ana(vault: Vault) -> Vault:
    """Return the store with roles, and with a person who is held silently."""
    grant(vault, "draw", "newsletter")
    give(vault, VALUES)
    store = replace(vault, policy=msgspec.structs.replace(vault.policy, roles=ROLES))
    assert hold(store)
    return store


def hold(vault: Vault, *, silent: bool = True, name: str = "case-17", sender: str = SENDER) -> bool:
    """Hold somebody."""
    permit = admit_local(vault, "retention")
    return vault.database.transact(lambda conn: rules.add(vault, conn, sender, name, permit, silent=silent))


def permit(verb: str, role: str = "support") -> Any:
    """Return a permit of an operator with a role."""
    return issue(operator="eva", role=role, verb=verb, reason="ticket 17", items=None, purposes=None, clear=True)


def asked(vault: Vault, kind: Any) -> str:
    """Open a request, which the person was told of, and return its number."""
    with vault.database.write() as conn:
        subject_id = vault.subjects.find(conn, SENDER) or b""
        preview(vault, conn, subject_id, vault.clock(), kind)
        return open_request(vault, conn, kind, subject_id, vault.clock()).number


@each_kind
def test_it_keeps_what_an_open_one_keeps_until_the_release(ana: Vault) -> None:
    """Against everybody and every way; the release lets go of it by the name of the matter."""
    for work in (
        lambda: erase(ana, SENDER, evidence(ana)),
        lambda: staff_erasure.erase_person(ana, SENDER, permit("erase")),
        lambda: delete_part(ana, SENDER, ["email"], [], evidence(ana)),
    ):
        with pytest.raises(HoldError) as caught:
            work()
        assert not TELLING.search(str(caught.value))
    assert held(ana) == VALUES
    leave = admit_local(ana, "retention")
    done = ana.database.transact(lambda conn: rules.release(ana, conn, "case-17", leave, SENDER))
    assert done.people == 1
    assert erase(ana, SENDER, evidence(ana)) is not None


def test_the_copy_and_the_certificate_do_not_tell(ana: Vault) -> None:
    """Neither while it lasts, nor the certificate of the deletion after it."""
    refused = asked(ana, "erasure")
    ana.database.transact(lambda conn: refuse(ana, conn, refused, "legal_obligation", "Eva", ana.clock()))
    zipped = b"".join(copy_chunks(copies_linked(ana, SENDER, ana.clock())))
    with zipfile.ZipFile(io.BytesIO(zipped)) as copy:
        whole = "\n".join(copy.read(name).decode() for name in copy.namelist() if not name.endswith("schema.json"))
    assert "Ana Li" in whole
    assert not TELLING.search(whole)
    leave = admit_local(ana, "retention")
    ana.database.transact(lambda conn: rules.release(ana, conn, "case-17", leave))
    done = erase(ana, SENDER, evidence(ana))
    assert done is not None
    assert not TELLING.search(json.dumps(certificate(ana, done.number, ana.clock()), default=str))


def test_staff_without_its_verb_see_nothing_of_it(ana: Vault) -> None:
    """Finding, correcting, refusing and lists for bulk erasure; whose role may look after retention sees it."""
    for role, expected in (("support", False), ("keeper", True), ("dpo", True), ("", True), ("gone", False)):
        found = staff_access.find(ana, SENDER, permit("view", role))
        assert found is not None
        assert (role, found.is_held) == (role, expected)
    with pytest.raises(RequestError) as caught:
        staff_rectification.rectify(ana, SENDER, "email", "b@c.example", permit("rectify"))
    assert not TELLING.search(str(caught.value))
    lines: list[Line] = []
    erase_listed(Bulk(ana, permit("erase"), note=lines.append), [SENDER])
    assert [each.outcome for each in lines] == ["must_stay"]


def test_a_request_is_refused_for_a_hold_where_an_open_one_keeps_the_person(ana: Vault) -> None:
    """So that the list of requests tells of no silent one; of one who is not held at all it says the same."""
    grant(ana, "draw", sender="ben")
    with ana.database.write() as conn:
        ben = open_request(ana, conn, "erasure", ana.subjects.find(conn, "ben"), ana.clock()).number
        nobody = open_request(ana, conn, "erasure", None, ana.clock()).number
    number = asked(ana, "erasure")
    texts = set()
    for each in (number, ben, nobody):
        with pytest.raises(RequestError, match="say legal_obligation") as caught:
            ana.database.transact(lambda conn, each=each: refuse(ana, conn, each, "legal_hold", "E", ana.clock()))  # type: ignore[misc]
        texts.add(str(caught.value).partition(":")[2])
    assert len(texts) == 1
    assert hold(ana, silent=False, name="case-18")
    ana.database.transact(lambda conn: refuse(ana, conn, number, "legal_hold", "Eva", ana.clock()))
    with ana.database.read() as conn:
        found = requests.find(conn, number)
    assert found is not None
    assert found.reason == "legal_hold"


@each_kind
def test_who_is_held_both_ways_is_told_of_the_open_one(ana: Vault) -> None:
    """And whoever is held openly in a linked conversation, of that."""
    assert hold(ana, silent=False, name="case-18")
    with pytest.raises(HoldError, match="a legal hold keeps this person"):
        erase(ana, SENDER, evidence(ana))
    grant(ana, "draw", sender="web-7")
    link(ana, "web-7", SENDER)
    found = staff_access.find(ana, "web-7", permit("view"))
    assert found is not None
    assert found.is_held


@each_kind
def test_that_a_hold_is_silent_is_what_was_said_last(ana: Vault) -> None:
    """Under one name there is one; a role that looks after retention sees which it is."""
    assert not hold(ana)
    with ana.database.read() as conn:
        assert [(each.name, each.is_silent) for each in rows.every(conn)] == [("case-17", True)]
        assert rows.told_among(conn, rows.named(conn, "case-17")) == set()
    assert not hold(ana, silent=False)
    with ana.database.read() as conn:
        assert [(each.name, each.is_silent) for each in rows.every(conn)] == [("case-17", False)]
        assert len(rows.told_among(conn, rows.named(conn, "case-17"))) == 1
    assert not hold(ana)
    with ana.database.read() as conn:
        assert [each.is_silent for each in rows.every(conn)] == [True]


def test_a_silent_matter_has_a_name_that_fits_with_its_mark(ana: Vault) -> None:
    """One character less than an open one, and none of the mark's own."""
    assert hold(ana, name="m" * 63)
    with pytest.raises(HoldError, match="63 characters"):
        hold(ana, name="m" * 64)
    with pytest.raises(HoldError, match="name the matter"):
        hold(ana, name="~case-17")

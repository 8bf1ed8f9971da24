"""Finding, showing, exporting and erasing a person by HTTP."""

import io
import json
import zipfile
from dataclasses import replace
from pathlib import Path

import jsonschema
import msgspec
import pytest

from rasa_privacy.console.verbs import make_console
from rasa_privacy.policy.operations import Erasure, StockTable
from rasa_privacy.rights.portability import schema
from rasa_privacy.storage.vault import Vault
from tests.console.conftest import As
from tests.support.asgi import Client
from tests.support.databases import EACH_KIND
from tests.support.operators import records
from tests.support.stock import OldStore, conversation
from tests.support.vaults import SENDER, give, grant, held, link

each_kind = pytest.mark.parametrize("kind", EACH_KIND, indirect=True)
OTHER = "web-8"
WHO = {"sender": SENDER, "reason": "ticket 17"}


@each_kind
def test_a_person_is_found_shown_and_erased(as_role: As, vault: Vault) -> None:
    """Masked unless asked for in the clear with a reason; erased after a preview, verified; twice is no error."""
    crm = as_role("crm")
    found = crm.post("/v1/subjects/find", WHO)
    assert (found.status, found.json()["purposes"]) == (200, ["draw", "newsletter"])
    masked = crm.post("/v1/subjects/show", WHO)
    assert masked.status == 200
    assert b"Ana Li" not in masked.body
    clear = crm.post("/v1/subjects/show", {**WHO, "clear": True}).json()
    assert {each["item"]: each["value"] for each in clear["values"]} == {
        "full_name": "Ana Li",
        "email": "ana@example.com",
    }
    preview = crm.post("/v1/subjects/erase", WHO).json()
    assert (preview["erased"], preview["would_erase"]["person"]) == (False, found.json()["person"])
    assert held(vault)
    erased = crm.post("/v1/subjects/erase", {**WHO, "confirm": True}).json()
    assert (erased["erased"], erased["certificate"][:3]) == (True, "ER-")
    assert not held(vault)
    assert crm.post("/v1/subjects/erase", {**WHO, "confirm": True}).json()["erased"] is False
    assert crm.post("/v1/subjects/show", WHO).status == 404
    noted = [(each.verb, each.outcome, each.operator, each.reason) for each in records(vault)][-6:]
    assert ("erase", "begun", "crm-system", "ticket 17") in noted
    assert ("erase", "done", "crm-system", "ticket 17") in noted


def test_an_erasure_says_what_went_with_it(vault: Vault, tokens: dict[str, str], tmp_path: Path) -> None:
    """Certificates of linked conversations, and rows of an old table, also of somebody who is in that one alone."""
    old = OldStore(tmp_path / "rasa.db")
    for sender in (SENDER, "of old"):
        old.add(sender, *conversation())
    rules = Erasure(stock_tables=(StockTable(name="old", url=old.url),))
    bot = replace(vault, policy=msgspec.structs.replace(vault.policy, erasure=rules))
    grant(bot, "draw", sender=OTHER)
    link(bot, SENDER, OTHER)
    crm, rows = Client(make_console(bot), tokens["crm"], "192.0.2.7"), len(conversation())
    assert crm.post("/v1/subjects/erase", WHO).json()["old_tables"] == {}
    assert old.count() == 2 * rows
    done = crm.post("/v1/subjects/erase", {**WHO, "confirm": True}).json()
    assert ([each[:3] for each in done["also"]], done["old_tables"]) == (["ER-"], {"old": rows})
    done = crm.post("/v1/subjects/erase", {**WHO, "sender": "of old", "confirm": True}).json()
    assert (done["erased"], done["old_tables"]) == (False, {"old": rows})
    assert old.count() == 0


def test_the_copy_is_json_or_a_zip(as_role: As) -> None:
    """The same copy that the command line writes."""
    crm = as_role("crm")
    copy = crm.post("/v1/subjects/export", WHO)
    assert copy.headers["content-type"] == "application/json"
    assert copy.json()["sender_id"] == SENDER
    packed = crm.post("/v1/subjects/export", {**WHO, "form": "zip"})
    assert packed.headers["content-type"] == "application/zip"
    with zipfile.ZipFile(io.BytesIO(packed.body)) as opened:
        assert {"data.json", "data.html"} <= set(opened.namelist())


def test_a_copy_of_several_conversations_holds_all(as_role: As, vault: Vault) -> None:
    """The JSON has the others within it, by its schema; the zip has a document for each."""
    grant(vault, "draw", sender=OTHER)
    give(vault, {"draw": {"full_name": "Bo Berg"}}, OTHER)
    grant(vault, "draw", sender="web-9")
    for other in (OTHER, "web-9"):
        link(vault, SENDER, other)
    crm = as_role("crm")
    whole = crm.post("/v1/subjects/export", WHO).json()
    jsonschema.validate(whole, json.loads(schema()), jsonschema.Draft202012Validator)
    assert [whole["sender_id"], *sorted(each["sender_id"] for each in whole["linked"])] == [SENDER, OTHER, "web-9"]
    assert "Bo Berg" in json.dumps(whole["linked"])
    alone = crm.post("/v1/subjects/export", {**WHO, "sender": OTHER}).json()
    assert "linked" not in alone
    assert alone["conversation"] in [each["conversation"] for each in whole["linked"]]
    packed = crm.post("/v1/subjects/export", {**WHO, "form": "zip"})
    with zipfile.ZipFile(io.BytesIO(packed.body)) as opened:
        assert {"data.json", "data-2.json", "data-3.json"} <= set(opened.namelist())
        assert b"Bo Berg" in opened.read("data-2.json") + opened.read("data-3.json")


def test_values_in_the_clear_need_a_reason(as_role: As, vault: Vault) -> None:
    """And what is refused is in the log; a reason with personal data is not."""
    crm = as_role("crm")
    refused = crm.post("/v1/subjects/show", {"sender": SENDER, "clear": True})
    assert (refused.status, refused.headers["content-type"]) == (403, "application/problem+json")
    assert "need a reason" in refused.json()["detail"]
    assert (records(vault)[-1].verb, records(vault)[-1].outcome) == ("view", "refused")
    personal = crm.post("/v1/subjects/show", {"sender": SENDER, "reason": "mail of ana@example.com"})
    assert personal.status == 422
    assert b"ana@example" not in personal.body

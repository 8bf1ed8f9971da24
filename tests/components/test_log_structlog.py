"""structlog's lines, as Rasa configures it, in processes of their own: its configuration is global."""

import subprocess
import sys
from pathlib import Path

import pytest

MARKS = ("Quartz", "quartz", "48213", "+49 30")

#: The order of the two calls differs: the command line configures first, a test or a script may do it later.
SET_UP = {
    "install_last": "configure_structlog(logging.DEBUG)\nlog_scrubbing.install()",
    "install_first": "log_scrubbing.install()\nconfigure_structlog(logging.DEBUG)",
}

WITH_RASA = """
import asyncio, logging, sys
from rasa.utils.log_utils import configure_structlog
from rasa_privacy.components import log_scrubbing
{set_up}
logging.getLogger().setLevel(logging.DEBUG)
log_scrubbing.allow(["email", "lead_form", "greet"])

from rasa.core.lock_store import InMemoryLockStore
from rasa.core.processor import MessageProcessor, structlogger
from rasa.core.tracker_store import InMemoryTrackerStore
from rasa.core.channels import rest
from rasa.core.policies import rule_policy
from rasa.shared.core.domain import Domain
from rasa.shared.core.events import ActionExecuted, SlotSet, UserUttered
from rasa.shared.core.slots import TextSlot
from rasa.shared.core.trackers import DialogueStateTracker
from rasa.shared.core.training_data.story_reader.yaml_story_reader import YAMLStoryReader
from rasa.core.nlg.interpolator import interpolate_text
import rasa.shared.utils.io

mark, number, phone = sys.argv[1:]

async def main():
    async with InMemoryLockStore().lock(mark):
        pass
    store = InMemoryTrackerStore(Domain.empty())
    tracker = DialogueStateTracker(mark, [TextSlot("email", [], initial_value=mark)])
    await store.retrieve(mark)
    await store.save(tracker)
    await store.retrieve(mark)
    MessageProcessor._log_slots(tracker)
    structlogger.debug(
        "processor.message.parse", parse_data_text=mark + phone,
        parse_data_intent={{"name": "greet", "confidence": 0.98}},
        parse_data_entities=[{{"entity": "email", "value": mark, "start": 3}}],
    )
    structlogger.debug(
        "processor.actions.log", action_name="action_listen",
        rasa_events=[SlotSet("email", mark), SlotSet("x", number)],
    )
    try:
        try:
            raise KeyError(mark)
        except KeyError as e:
            raise ValueError(f"no {{number}}") from e
    except ValueError:
        rest.structlogger.exception("rest.message.received.failure", text=mark)
    interpolate_text("Hello {{first}} {{missing}}", {{"first": mark}})
    rule_policy.structlogger.debug("rule_policy.actions.find", current_states=f"[state 1] user text: {{mark}}")
    YAMLStoryReader.unpack_regex_message(__import__("rasa").shared.nlu.training_data.message.Message(
        {{"text": "/zoequartz{{\\"a\\": \\"Quartz\\""}}), domain=Domain.empty())
    rasa.shared.utils.io.raise_warning(f"Invalid entity specification: {{mark}}. Assuming no entities.")

asyncio.run(main())
"""

WITHOUT_RASA = """
import logging, sys
import structlog
from rasa_privacy.components import log_scrubbing

mark, number, phone = sys.argv[1:]
logger = structlog.get_logger()
{before}
log_scrubbing.install()
log_scrubbing.install()
structlog.contextvars.bind_contextvars(sender=mark, phone=phone)
logger = logger.bind(user=mark)
logger.warning("bound.line", text=mark, flag=True, port=5005, age=int(number), note=f"Saved {{mark}} twice")
logger.info(f"Hello {{mark}}", exc_info=ValueError(mark))
try:
    raise LookupError(mark)
except LookupError:
    logger.exception("failed.line")
"""


def run(script: Path) -> str:
    """Run a script in a process of its own, with the personal values as arguments, and return all it printed."""
    command = [sys.executable, str(script), "Zoe-Quartz", "48213", "+49 30 901820"]
    done = subprocess.run(command, capture_output=True, text=True, check=False, timeout=120)
    assert done.returncode == 0, done.stderr
    return done.stdout + done.stderr


def assert_unmarked(text: str) -> None:
    """Fail if any of the marks is in the text."""
    assert not [mark for mark in MARKS if mark in text], text


@pytest.mark.rasa
@pytest.mark.parametrize("order", sorted(SET_UP))
def test_rasas_own_debug_lines_name_no_person(order: str, tmp_path: Path) -> None:
    """Rasa's real code, with its real logging configuration at debug level, prints no value and stays readable."""
    script = tmp_path / "rasa_lines.py"
    script.write_text(WITH_RASA.format(set_up=SET_UP[order]), encoding="utf-8")
    printed = run(script)
    assert_unmarked(printed)
    for wanted in (
        "Issuing ticket for conversation '[withheld]'.",
        "Recreating tracker for id '[withheld]'",
        "processor.message.parse",
        "{name: greet, confidence: 0.98}",
        '"rasa_events": "[2 SlotSet]"',
        '"action_name": "action_listen"',
        "rest.message.received.failure",
        "ValueError: [withheld]",
        "Invalid entity specification: [withheld]. Assuming no entities.",
    ):
        assert wanted in printed


@pytest.mark.rasa
def test_rasas_debug_lines_name_persons_without_the_scrubbing(tmp_path: Path) -> None:
    """The same script without `install` prints the marks, so the test above can fail."""
    script = tmp_path / "rasa_lines.py"
    script.write_text(WITH_RASA.format(set_up="configure_structlog(logging.DEBUG)"), encoding="utf-8")
    assert "Zoe-Quartz" in run(script)


#: How structlog was configured, and maybe used, before `install`.
CONFIGURED = {
    "defaults": "",
    "cached_json": """structlog.configure(
    processors=[
        structlog.contextvars.merge_contextvars, structlog.dev.set_exc_info,
        structlog.processors.dict_tracebacks, structlog.processors.JSONRenderer(),
    ],
    wrapper_class=structlog.stdlib.BoundLogger,
    logger_factory=structlog.stdlib.LoggerFactory(),
    cache_logger_on_first_use=True,
)
logging.basicConfig(level=0)
logger.info("first.use")""",
    "stdlib_console": """structlog.configure(
    processors=[structlog.dev.ConsoleRenderer(colors=False)], logger_factory=structlog.stdlib.LoggerFactory()
)
logging.basicConfig(level=0)""",
}


@pytest.mark.parametrize("before", sorted(CONFIGURED))
def test_structlog_lines_keep_names_and_lose_values(before: str, tmp_path: Path) -> None:
    """Keywords, bound values, context variables and exceptions are scrubbed with every common configuration."""
    script = tmp_path / "lines.py"
    script.write_text(WITHOUT_RASA.format(before=CONFIGURED[before]), encoding="utf-8")
    printed = run(script)
    assert_unmarked(printed)
    for wanted in (
        "bound.line",
        "failed.line",
        "Hello [withheld]",
        "Saved [withheld] twice",
        "5005",
        "LookupError: [withheld]",
    ):
        assert wanted in printed


def test_structlog_line_without_the_processors_is_withheld(tmp_path: Path) -> None:
    """Where a logger brings its own processors, the log record factory withholds what it renders."""
    script = tmp_path / "lines.py"
    script.write_text(
        "import logging, sys, structlog\n"
        "from rasa_privacy.components import log_scrubbing\n"
        "logging.basicConfig(level=0)\n"
        "log_scrubbing.install()\n"
        "logger = structlog.wrap_logger(logging.getLogger('a'), processors=[structlog.processors.JSONRenderer()])\n"
        "logger.info('some.line', text=sys.argv[1])\n",
        encoding="utf-8",
    )
    printed = run(script)
    assert_unmarked(printed)
    assert "INFO:a:[withheld" in printed


WITH_SENTRY = """
import sys
import sentry_sdk
from sentry_sdk.integrations.excepthook import ExcepthookIntegration

sent = []
sentry_sdk.init(
    "https://key@sentry.example/1", transport=sent.append, default_integrations=False,
    integrations=[ExcepthookIntegration()], with_locals=False,
)
{set_up}
def report():
    print("sent", len(sent), sent)
import atexit
atexit.register(report)
raise ValueError(f"no slot {{sys.argv[1]}}")
"""


@pytest.mark.parametrize("scrubs", [True, False])
def test_rasas_error_reporting_gets_no_exception(scrubs: bool, tmp_path: Path) -> None:  # noqa: FBT001 - cases
    """Where its telemetry is on, Rasa sends uncaught exceptions with their messages to its makers' Sentry; not here."""
    script = tmp_path / "sentry.py"
    set_up = "from rasa_privacy.components import log_scrubbing\nlog_scrubbing.install()" if scrubs else ""
    script.write_text(WITH_SENTRY.format(set_up=set_up), encoding="utf-8")
    done = subprocess.run(
        [sys.executable, str(script), "Zoe-Quartz"], capture_output=True, text=True, check=False, timeout=60
    )
    assert ("sent 0" in done.stdout) is scrubs
    assert ("Quartz" in done.stdout + done.stderr) is not scrubs

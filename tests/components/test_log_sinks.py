"""Every place where log lines end up, with real servers and libraries at debug level, in processes of their own.

A Sanic server with its access log, SQLAlchemy with its echo, an error of asyncio, a warning, an uncaught exception of a
thread, structlog as JSON; written to standard output and error, to a log file and to a syslog server, as
Rasa sets them up.
"""

import contextlib
import socket
import subprocess
import sys
from pathlib import Path

import pytest

pytestmark = pytest.mark.rasa

MARKS = ("Quartz", "quartz", "48213", "901820")
SCRIPT = """
import asyncio, logging, socket, sys, threading, urllib.error, urllib.parse, urllib.request, warnings

sys.path.insert(0, "")
mark, number, phone, log_file, syslog_port, scrubs = sys.argv[1:]

import rasa.server
import sqlalchemy
import structlog
from sanic import Sanic, response
from rasa.server import ErrorResponse
from rasa.utils.common import configure_logging_and_warnings, update_sanic_log_level
from rasa.core.utils import configure_file_logging
import rasa.utils.log_utils
configure_logging_and_warnings(logging.DEBUG)
logging.basicConfig(level=logging.DEBUG, stream=sys.stdout, force=True)
rasa.utils.log_utils.configure_structlog(logging.DEBUG)
configure_file_logging(logging.root, log_file, True, "127.0.0.1", int(syslog_port), "UDP")
if scrubs == "yes":
    from rasa_privacy.components import error_responses, log_scrubbing
    log_scrubbing.install()
    error_responses.install()

app = Sanic("canary", configure_logging=False)

@app.get("/conversations/<sender>/tracker")
async def tracker(request, sender):
    return response.json({"sender": "known"})

@app.get("/conversations/<sender>/boom")
async def boom(request, sender):
    raise ValueError(f"no slot {mark} of {sender}")

@app.get("/conversations/<sender>/refused")
async def refused(request, sender):
    try:
        raise KeyError(mark)
    except KeyError as e:
        raise ErrorResponse(500, "ConversationError", f"An unexpected error occurred. Error: {e}")

@app.exception(ErrorResponse)
async def as_rasa_answers(request, exception):
    return response.json(exception.error_info, status=exception.status)

def ask(path):
    url = f"http://127.0.0.1:{port}/conversations/{urllib.parse.quote(phone)}/{path}?email={mark}"
    try:
        with urllib.request.urlopen(url, timeout=20) as answer:
            return answer.read().decode()
    except urllib.error.HTTPError as error:
        with error:
            return error.read().decode()

async def serve():
    global port
    listening = socket.create_server(("127.0.0.1", 0))
    port = listening.getsockname()[1]
    server = await app.create_server(sock=listening, return_asyncio_server=True, access_log=True)
    await server.startup()
    await server.before_start()
    await server.after_start()
    update_sanic_log_level(log_file, True, "127.0.0.1", int(syslog_port), "UDP")
    access = logging.StreamHandler(sys.stdout)
    access.setFormatter(logging.Formatter("%(host)s %(request)s %(status)d"))  # Sanic's own, without the date
    logging.getLogger("sanic.access").addHandler(access)
    for path in ("tracker", "boom", "refused"):
        answer = await asyncio.get_running_loop().run_in_executor(None, ask, path)
        print("answered", path, answer)
    asyncio.get_running_loop().call_exception_handler({"message": "lost", "exception": ValueError(mark), "who": mark})

asyncio.run(serve())

engine = sqlalchemy.create_engine("sqlite://", echo="debug")
with engine.begin() as connection:
    connection.execute(sqlalchemy.text("CREATE TABLE people (name TEXT PRIMARY KEY)"))
    for _ in range(2):
        try:
            connection.execute(sqlalchemy.text("INSERT INTO people VALUES (:name)"), {"name": mark})
        except sqlalchemy.exc.IntegrityError:
            logging.getLogger("somebody.else").exception("not inserted")
    print("rows", len(connection.execute(sqlalchemy.text("SELECT name FROM people")).fetchall()))

warnings.warn(f"slot {mark} is odd")
structlog.get_logger().error("bot.failed", text=mark, number=int(number), exc_info=ValueError(mark))
def fail():
    raise LookupError(phone)
thread = threading.Thread(target=fail)
thread.start()
thread.join()
"""


def written(folder: Path, *, scrubs: bool) -> dict[str, str]:
    """Run the script and return what came to each place."""
    folder.mkdir()
    script = folder / "sinks.py"
    script.write_text(SCRIPT, encoding="utf-8")
    with socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as syslog:
        syslog.setsockopt(socket.SOL_SOCKET, socket.SO_RCVBUF, 2**22)
        syslog.bind(("127.0.0.1", 0))
        syslog.settimeout(0)
        port = str(syslog.getsockname()[1])
        arguments = ["Zoe-Quartz", "48213", "+49 30 901820", str(folder / "rasa.log"), port]
        command = [sys.executable, str(script), *arguments, "yes" if scrubs else "no"]
        environment = {"PATH": "/usr/bin:/bin", "LOG_LEVEL_LIBRARIES": "DEBUG", "SQLALCHEMY_SILENCE_UBER_WARNING": "1"}
        done = subprocess.run(command, capture_output=True, text=True, check=False, timeout=120, env=environment)
        assert done.returncode == 0, done.stderr
        lines = []
        with contextlib.suppress(BlockingIOError):
            while True:
                lines.append(syslog.recv(65_536).decode())
    log = (folder / "rasa.log").read_text(encoding="utf-8")
    return {"stdout": done.stdout, "stderr": done.stderr, "file": log, "syslog": "\n".join(lines)}


def test_no_sink_shows_what_people_said(tmp_path: Path) -> None:
    """Nothing personal in any of them, nor in the answers to requests that failed; and each still tells something."""
    sinks = written(tmp_path / "run", scrubs=True)
    for name, text in sinks.items():
        assert not [mark for mark in MARKS if mark in text], f"{name}:\n{text}"
    assert "/conversations/[withheld]/tracker?[withheld]" in sinks["stdout"]
    assert "rows 1" in sinks["stdout"]
    assert "An unexpected error occurred. Error: KeyError: [withheld]" in sinks["stdout"]
    assert "ValueError: [withheld]" in sinks["file"]
    assert "not inserted" in sinks["syslog"]
    assert "LookupError: [withheld]" in sinks["stderr"]


def test_every_sink_shows_it_without_the_scrubbing(tmp_path: Path) -> None:
    """The same script without `install`, so the test above can fail at each of them."""
    sinks = written(tmp_path / "run", scrubs=False)
    assert all("Zoe-Quartz" in text or "901820" in text for text in sinks.values()), sinks
    assert "/conversations/+49" in sinks["stdout"].replace("%2B", "+")
    assert "Error: 'Zoe-Quartz'" in sinks["stdout"]

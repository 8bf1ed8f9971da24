"""One demo session: a person, a running bot, its open store, and a screen that shows both sides after each turn."""

from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Final

from rich.console import Console
from rich.text import Text

from rasa_privacy.cli.demo_script import EMAIL, NAME, POSTCODE, Step
from rasa_privacy.cli.rest import BotMessage, Button
from rasa_privacy.cli.servers import BotServers
from rasa_privacy.cli.store_view import StoreSnapshot, read_store, render
from rasa_privacy.errors import ServerError
from rasa_privacy.storage.vault import Vault

SENDER: Final = "demo-visitor"
QUIT: Final = "/quit"
_TYPED: Final = (NAME, EMAIL, POSTCODE)


@dataclass(frozen=True)
class DemoSession:
    """What a demo needs once the servers run.

    Attributes:
        console: The screen.
        servers: The running bot.
        vault: Its store, opened here a second time.
        files: Folder of the database, for the search at the end.
    """

    console: Console
    servers: BotServers
    vault: Vault
    files: Path

    def chat(self, read_line: Callable[[], str]) -> None:
        """Talk until the person leaves: `/quit`, the end of input, or Ctrl-C.

        Args:
            read_line: Returns what the person typed; raises EOFError at the end of input.

        Raises:
            ServerError: A server ended by itself.
        """
        chat = self.servers.chat(SENDER)
        self._print("Type a message, or the number of a button. /quit, Ctrl-D or Ctrl-C ends.", style="dim")
        before = read_store(self.vault, SENDER)
        while (text := self._next_line(read_line)) is not None:
            if not text:
                continue
            try:
                before = self._show_turn(chat.say(chosen(text, chat.offered)), before)
            except ServerError:
                self.servers.check()  # a process that ended is the better explanation
                raise

    def play(self, steps: Sequence[Step]) -> list[str]:
        """Play a script and return what did not go as expected, each with its turn."""
        chat = self.servers.chat(SENDER)
        failed: list[str] = []
        before = read_store(self.vault, SENDER)
        for number, step in enumerate(steps, 1):
            pressed = next(
                (button for button in chat.offered if step.presses and button.payload.startswith(step.send)), None
            )
            self._print(f"\nyou> {f'[{pressed.title}]' if pressed else step.send}", style="bold")
            messages = chat.say(pressed.payload if pressed else step.send)
            after = self._show_turn(messages, before)
            failed += [f"turn {number}: not so: {what}" for what in step.failures(messages, before, after)]
            failed += [f"turn {number}: {value!r} is readable in the stored files" for value in self._readable()]
            before = after
        if not any("is readable" in line for line in failed):
            self._print(f"\nAfter each turn every stored file was searched for {', '.join(_TYPED)}: none was readable.")
        return failed

    def _next_line(self, read_line: Callable[[], str]) -> str | None:
        try:
            text = read_line().strip()
        except (EOFError, KeyboardInterrupt):
            return None
        return None if text == QUIT else text

    def _show_turn(self, messages: Iterable[BotMessage], before: StoreSnapshot) -> StoreSnapshot:
        """Print the bot's words and buttons, and then what the store holds; return that."""
        number = 0
        for message in messages:
            self._print(f"bot> {message.text}", style="cyan")
            for button in message.buttons:
                number += 1
                self._print(f"     {number}) {button.title}", style="cyan")
        after = read_store(self.vault, SENDER, before)
        self.console.print(render(after))
        return after

    def _readable(self) -> list[str]:
        """Return the script's values that can be read in a file of the store: database, journals, keys."""
        content = b"\0".join(path.read_bytes().lower() for path in self.files.rglob("*") if path.is_file())
        return [value for value in _TYPED if value.lower().encode() in content]

    def _print(self, text: str, style: str = "") -> None:
        # What people and bots say is shown as it is, and never read as markup.
        # In a file or a pipe, lines stay whole.
        self.console.print(Text(text, style=style), highlight=False, soft_wrap=not self.console.is_terminal)


def chosen(text: str, offered: Sequence[Button]) -> str:
    """Return the payload of the button with this number, or the text itself."""
    if text.isascii() and text.isdigit() and 1 <= int(text) <= len(offered):
        return offered[int(text) - 1].payload
    return text

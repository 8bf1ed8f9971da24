"""The `rasa-privacy` command.

Each subcommand is a module, imported when it is run: the list of commands is shown without importing any of them, so
that `--help` stays within its 150 ms (DESIGN.md, section 8). What goes wrong on purpose is one message and exit code 2.
"""

import importlib
from typing import Any, Final

import click

from rasa_privacy.errors import PrivacyError

#: Exit code of every deliberate error; 1 is for findings of `check`.
ERROR_EXIT_CODE: Final = 2

#: By what they are for: command name to module, attribute and the line that `--help` shows.
_SECTIONS: Final = {
    "To build the bot": {
        "init": ("rasa_privacy.cli.init", "init", "Write a privacy.yml for a bot, and print the lines to add."),
        "check": ("rasa_privacy.cli.check", "check", "Say what is wrong or forgotten in a bot's privacy settings."),
        "schema": ("rasa_privacy.cli.schema", "schema", "Print the JSON Schema of privacy.yml for editors."),
        "regulations": ("rasa_privacy.cli.regulations", "regulations", "Show what each law asks, and what is newer."),
        "leaktest": ("rasa_privacy.cli.leaktest", "leaktest", "Look for what people said in all that a bot writes."),
        "messages": ("rasa_privacy.cli.messages", "messages", "Export masked messages as examples for training."),
        "demo": ("rasa_privacy.cli.demo", "demo", "Talk to the example bot and watch what is stored."),
    },
    "The store": {
        "database": ("rasa_privacy.cli.database", "database", "Show or upgrade the schema of the stored data."),
        "keys": ("rasa_privacy.cli.keys", "keys", "Look after the keys: status, rotate, end-epoch, replay-erasures."),
        "import": (
            "rasa_privacy.cli.import_store",
            "import_store",
            "Take over the conversations of Rasa's own SQL store.",
        ),
        "old-tables": (
            "rasa_privacy.cli.old_tables",
            "old_tables",
            "Find and empty the tables of Rasa's own SQL stores.",
        ),
    },
    "What people allow": {
        "consent": ("rasa_privacy.cli.consent", "consent", "Show, prove, import and end consents; receipts."),
        "notice": ("rasa_privacy.cli.notice", "notice", "Show what each purpose promises, and what changed."),
        "audience": ("rasa_privacy.cli.audience", "audience", "Export who may be written to for a purpose."),
        "suppression": ("rasa_privacy.cli.suppression", "suppression", "Look after who must not be written to again."),
    },
    "What people ask for": {
        "requests": (
            "rasa_privacy.cli.requests",
            "requests",
            "Answer what people ask for, on time: list, due, extend ...",
        ),
        "subject": ("rasa_privacy.cli.subject", "subject", "Find, show, export, correct and erase one person's data."),
        "hold": ("rasa_privacy.cli.hold", "hold", "Keep what is stored of a person for a legal matter."),
        "identity": ("rasa_privacy.cli.identity", "identity", "Let people be found by contacts of before `identity:`."),
        "rights": ("rasa_privacy.cli.rights", "rights", "Write and check certificates of erasure."),
    },
    "How long it is kept": {
        "retention": ("rasa_privacy.cli.retention", "retention", "Remove what is due: plan, run, explain."),
        "review": ("rasa_privacy.cli.review", "review", "Look again at what is stored, and acknowledge it."),
    },
    "Who did what, and how things stand": {
        "status": ("rasa_privacy.cli.report", "status", "Say in ten lines how things stand."),
        "report": ("rasa_privacy.cli.report", "report", "Write the report for the officer and for auditors."),
        "audit": ("rasa_privacy.cli.audit", "audit", "Verify, show and export who did what with personal data."),
        "operator": ("rasa_privacy.cli.operator", "operator", "Look after operators: add, list, revoke, token."),
        "training": ("rasa_privacy.cli.course", "training", "Take the course on handling this bot's data; who has."),
        "breach": ("rasa_privacy.cli.breach", "breach", "Count who and what was touched in a breach."),
    },
    "Other systems": {
        "api": ("rasa_privacy.cli.api", "api", "Serve these commands by HTTP to a CRM or a consent platform."),
    },
}
COMMANDS: Final = {name: command for section in _SECTIONS.values() for name, command in section.items()}


class LazyGroup(click.Group):
    """A group that imports a subcommand when it is asked for."""

    def list_commands(self, ctx: click.Context) -> list[str]:  # noqa: ARG002 - click's signature
        """Return the names in the order in which a builder needs them."""
        return list(COMMANDS)

    def get_command(self, ctx: click.Context, cmd_name: str) -> click.Command | None:  # noqa: ARG002 - click's signature
        """Import one subcommand."""
        if cmd_name not in COMMANDS:
            return None
        module, attribute, _ = COMMANDS[cmd_name]
        command: click.Command = getattr(importlib.import_module(module), attribute)
        return command

    def format_commands(self, ctx: click.Context, formatter: click.HelpFormatter) -> None:  # noqa: ARG002 - as above
        """Write the list of commands, by what they are for, without importing them."""
        width = max(map(len, COMMANDS))
        for title, commands in _SECTIONS.items():
            with formatter.section(title):
                formatter.write_dl([(name.ljust(width), help_line) for name, (_, _, help_line) in commands.items()])

    def invoke(self, ctx: click.Context) -> Any:
        """Run the command; a deliberate error becomes a message."""
        try:
            return super().invoke(ctx)
        except PrivacyError as error:
            click.echo(f"Error: {error}", err=True)
            ctx.exit(ERROR_EXIT_CODE)


@click.group(cls=LazyGroup, context_settings={"help_option_names": ["-h", "--help"]})
@click.version_option(package_name="rasa_privacy", prog_name="rasa-privacy")
def main() -> None:
    """Consent, data minimisation, erasure and encrypted storage for Rasa bots.

    Begin in your bot's folder with 'init' and 'check'; each command says more with --help.
    """

"""`rasa-privacy schema`: the JSON Schema of privacy.yml on standard output."""

import json

import click

from rasa_privacy.policy.json_schema import policy_schema


@click.command()
def schema() -> None:
    r"""Print the JSON Schema of privacy.yml, for editors that check YAML while you type.

    Write it to a file, and name that file in the first line of privacy.yml:

    \b
        rasa-privacy schema > privacy.schema.json
        # yaml-language-server: $schema=privacy.schema.json
    """
    click.echo(json.dumps(policy_schema(), indent=2, ensure_ascii=False))

"""What each process needs of a PostgreSQL database, table by table, and the statements that grant just that.

Four roles:

- `server`: the Rasa server. It stores conversations, and removes what is due, which it records.
- `actions`: the action server. It asks for consent and carries out what people want: see, withdraw, delete.
- `sweeper`: what timers run: `retention run` removes what is due, and writes what it leaves of a conversation anew;
  `review make`, `requests due` and `requests deliver`. A deletion that a process was killed in it leaves to the others.
- `console`: the operators' commands and their API, with the audit log, which nobody can change or delete from.

Whoever owns the tables makes and upgrades them, and opens the store once before the others do. A test shows that each
role can do its work, that every other statement is refused, and that nothing is granted which the work does not need.
"""

from collections.abc import Iterator, Mapping
from types import MappingProxyType
from typing import Final

from rasa_privacy.errors import ConfigurationError
from rasa_privacy.storage.tables import metadata

_VERSION: Final = "alembic_version"
_JOURNAL: Final = "erasure_journal"
_KEY_TABLES: Final = frozenset(("meta", "system_keys", "epochs", "data_keys", _JOURNAL, _VERSION))
_ONLY_WITH_KEYS: Final = _KEY_TABLES - {"meta", _VERSION}

#: The sequences that count rows up, by table; a test compares them with PostgreSQL's own.
SEQUENCES: Final = MappingProxyType(
    {
        "attestations": "attestations_attestation_seq",
        "conversations": "conversations_conversation_ref_seq",
    }
)

#: Letters of the matrix below.
_WORDS: Final = {"S": "SELECT", "I": "INSERT", "U": "UPDATE", "D": "DELETE"}

#: What everybody needs who opens the store.
_OPEN: Final = {_VERSION: "S", "meta": "SIU", "system_keys": "S", "epochs": "SU", _JOURNAL: "SI"}

#: What differs where the keys have a database of their own. Its `meta` says of which store they are and nothing else,
#: and beside the people an erasure finds in one question that their keys are not there.
_BESIDE_KEYS: Final = {"meta": "S"}
_BESIDE_PEOPLE: Final = {"data_keys": "S"}
_ERASING: Final = frozenset(("server", "actions", "console"))

#: By role, the letters of what it needs on each table; on a table that is not named it has nothing.
NEEDS: Final[Mapping[str, Mapping[str, str]]] = MappingProxyType(
    {
        "server": {
            **_OPEN,
            "links": "SD",
            "known_contacts": "SID",
            "handovers": "SD",
            "deliveries": "SIU",
            "meta": "SIUD",
            "subjects": "SIUD",
            "data_keys": "SIUD",
            "conversations": "SIUD",
            "sessions": "SIUD",
            "segments": "SIUD",
            "ledger": "SI",
            "ledger_kinds": "SI",
            "ledger_people": "SIU",
            "checkpoints": "SI",
            "notices": "S",
            "erasures": "SI",
            "tombstones": "SIUD",
            "suppressions": "S",
            "opt_in_codes": "SD",
            "code_mails": "SD",
            "requests": "SIU",
            "request_steps": "SI",
            "holds": "SD",
            "lasting_values": "SIUD",
            "audit": "SI",
            "audit_checkpoints": "SI",
            "leases": "SIUD",
        },
        "actions": {
            **_OPEN,
            "links": "SID",
            "known_contacts": "SID",
            "handovers": "SID",
            "deliveries": "SIU",
            "subjects": "SIUD",
            "data_keys": "SIUD",
            "conversations": "SIUD",
            "sessions": "SUD",
            "segments": "SIUD",
            "ledger": "SI",
            "ledger_kinds": "SI",
            "ledger_people": "SIU",
            "checkpoints": "SI",
            "notices": "SI",
            "erasures": "SI",
            "tombstones": "SID",
            "suppressions": "SID",
            "opt_in_codes": "SID",
            "code_mails": "SID",
            "requests": "SIU",
            "request_steps": "SI",
            "holds": "SD",
            "lasting_values": "SID",
            "audit": "SI",
            "audit_checkpoints": "SI",
        },
        "sweeper": {
            **_OPEN,
            _JOURNAL: "S",
            "links": "SD",
            "known_contacts": "SD",
            "handovers": "SD",
            "deliveries": "SIU",
            "meta": "SIU",
            "subjects": "SUD",
            "data_keys": "SIUD",
            "conversations": "SUD",
            "sessions": "SIUD",
            "segments": "SID",
            "ledger": "S",
            "ledger_kinds": "S",
            "ledger_people": "I",
            "checkpoints": "SI",
            "erasures": "SI",
            "tombstones": "SIU",
            "opt_in_codes": "SD",
            "code_mails": "SD",
            "requests": "SU",
            "request_steps": "SI",
            "holds": "S",
            "lasting_values": "SIUD",
            "audit": "SI",
            "audit_checkpoints": "SI",
            "operators": "SU",
        },
        "console": {
            **_OPEN,
            "links": "SD",
            "known_contacts": "SID",
            "handovers": "SIUD",
            "deliveries": "SIU",
            "system_keys": "SU",
            "epochs": "SIU",
            "subjects": "SIUD",
            "data_keys": "SIUD",
            "conversations": "SIUD",
            "sessions": "SIUD",
            "segments": "SIUD",
            "ledger": "SI",
            "ledger_kinds": "SI",
            "ledger_people": "SIU",
            "checkpoints": "SI",
            "notices": "SI",
            "erasures": "SI",
            "tombstones": "SIUD",
            "suppressions": "SIUD",
            "opt_in_codes": "SID",
            "code_mails": "SD",
            "requests": "SIU",
            "request_steps": "SI",
            "holds": "SID",
            "lasting_values": "SIUD",
            "audit": "SI",
            "audit_checkpoints": "SI",
            "operators": "SIU",
            "attestations": "SI",
            "dsr_requests": "SIU",
            "api_answers": "SIUD",
        },
    }
)


def privileges(role: str, table: str, *, apart: bool = False, keys: bool = False) -> tuple[str, ...]:
    """Return what a role needs on a table, as SQL's words.

    Args:
        role: A key of NEEDS.
        table: The table.
        apart: Whether the keys have a database of their own.
        keys: Whether the table is in that database.
    """
    if keys:
        needs = {**NEEDS[role], **_BESIDE_KEYS} if table in _KEY_TABLES else {}
    elif apart:
        needs = {name: letters for name, letters in NEEDS[role].items() if name not in _ONLY_WITH_KEYS}
        needs |= _BESIDE_PEOPLE if role in _ERASING else {}
    else:
        needs = {name: letters for name, letters in NEEDS[role].items() if name != _JOURNAL}
    return tuple(_WORDS[letter] for letter in needs.get(table, ""))


def grant_statements(
    *, prefix: str = "rasa_privacy", schema: str = "public", apart: bool = False, keys: bool = False
) -> Iterator[str]:
    """Yield the statements for one database, to be run by who owns its tables.

    Args:
        prefix: What the names of the database roles begin with.
        schema: The schema of the tables.
        apart: Whether the keys have a database of their own.
        keys: Whether this is that database.

    Raises:
        ConfigurationError: Prefix or schema is no plain name.
    """
    for name in (prefix, schema):
        if not (name.isascii() and name.isidentifier() and name == name.lower()):
            raise ConfigurationError("the names of roles and schema must be small letters, digits and '_'")
    everything = sorted({*metadata.tables, _VERSION})
    yield f"REVOKE ALL ON SCHEMA {schema} FROM PUBLIC"
    yield f"REVOKE ALL ON {_listed(schema, everything)} FROM PUBLIC"
    for role in NEEDS:
        user = f"{prefix}_{role}"
        yield f"REVOKE ALL ON {_listed(schema, everything)} FROM {user}"
        yield f"GRANT USAGE ON SCHEMA {schema} TO {user}"
        for table in everything:
            words = privileges(role, table, apart=apart, keys=keys)
            if words:
                yield f"GRANT {', '.join(words)} ON {schema}.{table} TO {user}"
            if "INSERT" in words and table in SEQUENCES:
                yield f"GRANT USAGE ON SEQUENCE {schema}.{SEQUENCES[table]} TO {user}"


def role_statements(prefix: str = "rasa_privacy") -> Iterator[str]:
    """Yield the statements that make the roles, without passwords; they may log in and nothing else."""
    for role in NEEDS:
        yield f"CREATE ROLE {prefix}_{role} LOGIN NOSUPERUSER NOCREATEDB NOCREATEROLE NOREPLICATION NOBYPASSRLS"


def _listed(schema: str, tables: list[str]) -> str:
    return ", ".join(f"{schema}.{table}" for table in tables)

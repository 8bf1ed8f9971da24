"""One number for the whole of privacy.yml, and what differs between two of them in words.

A model carries the hash of the policy it was trained with. The order of names in the file does not count; the order
in lists does. The blocks `import`, `roles`, `training`, `audit`, `actions`, `detectors`, `retention`,
`waivers`, `erasure`, `identity`, `handover`, `opt_out` and `requests` count nowhere here: no model depends on them.
"""

import hashlib
import json
from collections.abc import Iterator

import msgspec

from rasa_privacy.policy.item_model import Detectors
from rasa_privacy.policy.model import Actions, Policy
from rasa_privacy.policy.operations import Audit, Erasure, OptOut, Retention


def policy_hash(policy: Policy) -> str:
    """Return the SHA-256 of the policy's canonical JSON, as 64 hexadecimal digits.

    Canonical: names sorted, no spaces, ASCII only. Settings at their default are left out, so that an option that a
    later release adds does not make every trained model look wrong.
    """
    canonical = json.dumps(
        _without_defaults(_of_models(policy)), sort_keys=True, separators=(",", ":"), ensure_ascii=True
    )
    return hashlib.sha256(canonical.encode("ascii")).hexdigest()


def difference(before: Policy, after: Policy) -> list[str]:
    """Return one sentence for each setting that differs, sorted by its path; empty where the hashes are equal.

    Args:
        before: For example the policy that a model was trained with.
        after: For example the policy that a server was started with.
    """
    return list(_changes(msgspec.to_builtins(_of_models(before)), msgspec.to_builtins(_of_models(after)), ""))


def _of_models(policy: Policy) -> Policy:
    """Return the policy without what no model depends on."""
    return msgspec.structs.replace(
        policy,
        import_=None,
        roles={},
        training=None,
        audit=Audit(),
        actions=Actions(),
        detectors=Detectors(),
        retention=Retention(),
        waivers=(),
        erasure=Erasure(),
        identity=None,
        handover=None,
        opt_out=OptOut(),
        requests={},
    )


def _without_defaults(value: object) -> object:
    """Return structs as mappings of what was set."""
    if isinstance(value, msgspec.Struct):
        fields = msgspec.structs.fields(value)
        values = {field.name: (getattr(value, field.name), _default(field)) for field in fields}
        return {name: _without_defaults(now) for name, (now, default) in values.items() if now != default}
    if isinstance(value, dict):
        return {name: _without_defaults(below) for name, below in value.items()}
    return value


def _default(field: msgspec.structs.FieldInfo) -> object:
    """Return a field's default, or a value that equals nothing in a policy."""
    return field.default_factory() if field.default_factory is not msgspec.NODEFAULT else field.default


def _changes(before: object, after: object, path: str) -> Iterator[str]:
    """Yield what differs below one path."""
    if isinstance(before, dict) and isinstance(after, dict):
        for name in sorted(before.keys() | after.keys()):
            below = f"{path}.{name}" if path else str(name)
            if name not in before:
                yield f"{below} was added"
            elif name not in after:
                yield f"{below} was removed"
            else:
                yield from _changes(before[name], after[name], below)
    elif before != after:
        yield f"{path} changed from {_said(before)} to {_said(after)}"


def _said(value: object) -> str:
    """Write a value as privacy.yml would have it."""
    if value is None:
        return "nothing"
    return value if isinstance(value, str) else json.dumps(value, ensure_ascii=False, sort_keys=True)

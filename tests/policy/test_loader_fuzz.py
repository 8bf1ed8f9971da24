"""Whatever the text, the loader gives a policy or a `PolicyError`."""

import yaml
from hypothesis import example, given, settings
from hypothesis import strategies as st

from rasa_privacy.errors import PolicyError
from rasa_privacy.policy.hashing import difference, policy_hash
from rasa_privacy.policy.loader import parse_policy

_WORDS = """
version controller name contact policy_url languages items purposes says basis consent contract retain guards slot
entity detect keep first masked roles may all en de 1 -1 16 none null yes ~ 2026-11-01 0x1F 1.5 .inf << email
"""
WORDS = st.sampled_from([*_WORDS.split(), "90 days", "until withdrawn"])
PIECES = st.one_of(
    WORDS,
    st.sampled_from(
        ["\n", "\n  ", "\n    ", ": ", ":", "- ", "[", "]", "{", "}", ", ", "&a ", "*a", "!!int ", "!x ", "? "]
    ),
    st.sampled_from(
        ["'", '"', "|", ">", "#", "%YAML 1.1", "%TAG ! tag:x,1:", "---", "...", "\t", "\\", '"\\U00110000"']
    ),
    st.text(max_size=4),
)
VALUES = st.recursive(
    st.one_of(st.none(), st.booleans(), st.integers(), st.floats(), st.text(max_size=6), WORDS, st.dates()),
    lambda below: st.one_of(
        st.lists(below, max_size=3),
        st.dictionaries(st.one_of(WORDS, st.integers(), st.text(max_size=4)), below, max_size=5),
    ),
    max_leaves=12,
)
FIELDS = st.fixed_dictionaries(
    {"version": st.just(1) | VALUES, "controller": VALUES, "purposes": st.dictionaries(WORDS, VALUES, max_size=3)},
    optional=dict.fromkeys(("items", "languages", "not_personal", "messages", "roles", "minimum_age"), VALUES),
)


def loads_or_complains(text: str) -> None:
    """Load a text; only `PolicyError` may come out of it."""
    try:
        policy = parse_policy(text, "privacy.yml")
    except PolicyError as error:
        assert all(line.startswith("privacy.yml:") for line in str(error).splitlines())  # noqa: PT017 - it may also load
    else:
        assert difference(policy, policy) == []
        assert len(policy_hash(policy)) == 64


@settings(max_examples=400, deadline=None)
@given(st.lists(PIECES, max_size=40).map("".join))
@example('"\\UFFFFFFFF"')
@example("%YAML 1.999999999999999999999\n---\na")
@example("&a [*a]")
@example("!<> a")
@example("a: !!int 'x'")
@example("!!map [a]")
@example("\ud800")
def test_no_yaml_text_breaks_the_loader(text: str) -> None:
    """Text made of YAML's own signs never raises anything else."""
    loads_or_complains(text)


@settings(max_examples=200, deadline=None)
@given(FIELDS)
def test_no_value_in_the_right_place_breaks_the_loader(value: dict[str, object]) -> None:
    """Files of the right outline with any values in it never raise anything else."""
    loads_or_complains(yaml.safe_dump(value, allow_unicode=True))


@settings(max_examples=200, deadline=None)
@given(st.text())
def test_no_text_breaks_the_loader(text: str) -> None:
    """Arbitrary text never raises anything else."""
    loads_or_complains(text)

"""The payloads of manifests in docs/spec/segment.md, section 5."""

import json
from pathlib import Path
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from rasa_privacy.crypto.sealing import DataKey, open_sealed, seal
from rasa_privacy.errors import MalformedSegmentError
from rasa_privacy.storage.manifest import Head, SegmentRef, open_head, open_purposes, seal_manifest

_VECTORS: list[dict[str, str]] = json.loads(
    (Path(__file__).parents[1] / "vectors/segment.json").read_text(encoding="utf-8")
)["manifests"]
_KEY = DataKey(bytes(32))
_NONCE = b"n" * 12
_NUMBERS = st.integers(0, 2**63 - 1)
_REFS = st.builds(
    SegmentRef, _NUMBERS, st.integers(1, 2**63 - 1), st.integers(0, 15), st.binary(min_size=16, max_size=16)
)
_PURPOSES = st.dictionaries(st.text(min_size=1, max_size=20), st.lists(_REFS, max_size=4), max_size=4)
_NAMES = st.text(min_size=1, max_size=20)
_OF_ITEMS = st.dictionaries(_NAMES, st.integers(1, 2**53), min_size=1, max_size=4)
_VALUES = st.none() | st.dictionaries(_NAMES, _OF_ITEMS, max_size=3)
_HEADS = st.builds(Head, _NUMBERS, _NUMBERS, _NUMBERS, st.binary(min_size=32, max_size=32), _PURPOSES, _VALUES)


@pytest.mark.parametrize("vector", _VECTORS, ids=lambda vector: vector["name"])
def test_manifest_gives_what_it_promises(vector: dict[str, str]) -> None:
    """Each payload opens and is written again the same, or is malformed, under the right key too."""
    payload = bytes.fromhex(vector["payload"])
    opened: Any = open_head if vector["kind"] == "head" else open_purposes
    sealed = seal(_KEY, payload, b"", _NONCE)
    if vector["expect"] == "malformed":
        with pytest.raises(MalformedSegmentError):
            opened(_KEY, sealed, b"")
        return
    assert open_sealed(_KEY, seal_manifest(_KEY, opened(_KEY, sealed, b""), b"", _NONCE), b"") == payload


@given(_HEADS)
def test_opening_a_head_undoes_sealing(head: Head) -> None:
    """A head comes back as it was, and so do its purposes alone."""
    assert open_head(_KEY, seal_manifest(_KEY, head, b"", _NONCE), b"") == head
    assert open_purposes(_KEY, seal_manifest(_KEY, head.purposes, b"", _NONCE), b"") == head.purposes

"""The dictionary with which short payloads are compressed (docs/spec/segment.md, section 3).

It holds what made-up conversations have in common; `tests/vectors/make_dictionary.py` made it. It never changes: what
was written with it could not be read any more.
"""

import hashlib
from functools import cache
from importlib.resources import files
from typing import Final

from zstandard import ZstdCompressionDict

from rasa_privacy.errors import StorageError

_FILE: Final = "dictionary_1.zdict"
_SHA256: Final = "274f34f890d58700cbdafb4817012155e53e39062406b172f7e24227f3ca28a6"


@cache
def dictionary() -> ZstdCompressionDict:
    """Return the dictionary of codec 2.

    Raises:
        StorageError: The file of the package is missing or changed.
    """
    try:
        content = files(__package__).joinpath(_FILE).read_bytes()
    except OSError:
        content = b""
    if hashlib.sha256(content).hexdigest() != _SHA256:
        raise StorageError(
            f"{__package__}/{_FILE}: the file is missing or was changed, and what was stored cannot be read without "
            "it; install rasa_privacy again"
        )
    return ZstdCompressionDict(content)

"""Countries whose national way of writing phone numbers is recognised when nothing else is said.

They stand apart from the detectors, which take long to import, for those who detect nothing.
"""

from typing import Final

#: ISO 3166-1 codes.
DEFAULT_REGIONS: Final = ("US", "GB", "DE")

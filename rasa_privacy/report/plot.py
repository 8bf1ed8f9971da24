"""Bars by month, as SVG within the page: no script, no outside file, and readable in black and white."""

from collections.abc import Mapping, Sequence
from html import escape
from typing import Final

_WIDTH: Final = 640
_HEIGHT: Final = 150
_LEFT: Final = 40
_BOTTOM: Final = 22
_TOP: Final = 18
#: Fill of each kind of bar, in their order; told apart by lightness too.
_FILLS: Final = ("#1b6e53", "#c9c9c9", "#b3452c", "#3c5a99")
_MOST_MONTHS: Final = 24
_DECEMBER: Final = 12
#: More would touch each other.
_MOST_LABELS: Final = 12


def bars(months: Mapping[str, Mapping[str, int]], kinds: tuple[str, ...], title: str) -> str:
    """Return the picture of counts by month and kind; empty where there is nothing to draw.

    Args:
        months: Counts by month and kind.
        kinds: The kinds in the order of their bars.
        title: What screen readers say.
    """
    shown = _through(sorted(months))[-_MOST_MONTHS:]
    counts = {month: months.get(month, {}) for month in shown}
    highest = max((counts[month].get(kind, 0) for month in shown for kind in kinds), default=0)
    if highest == 0:
        return ""
    slot = (_WIDTH - _LEFT) / len(shown)
    width = min(slot / (len(kinds) + 1), 36)
    scale = (_HEIGHT - _TOP - _BOTTOM) / highest
    parts = [
        f'<svg viewBox="0 0 {_WIDTH} {_HEIGHT}" role="img" aria-label="{escape(title)}">',
        f'<line x1="{_LEFT}" x2="{_WIDTH}" y1="{_HEIGHT - _BOTTOM}" y2="{_HEIGHT - _BOTTOM}" stroke="#444"/>',
        f'<text x="{_LEFT - 6}" y="{_TOP + 4}" text-anchor="end">{highest:,}</text>',
        f'<text x="{_LEFT - 6}" y="{_HEIGHT - _BOTTOM}" text-anchor="end">0</text>',
    ]
    for number, month in enumerate(shown):
        left = _LEFT + number * slot + (slot - width * len(kinds)) / 2
        for place, kind in enumerate(kinds):
            count = counts[month].get(kind, 0)
            top = _HEIGHT - _BOTTOM - count * scale
            size = f'width="{width * 0.9:.1f}" height="{count * scale:.1f}"'
            parts.append(
                f'<rect x="{left + place * width:.1f}" y="{top:.1f}" {size} '
                f'fill="{_FILLS[place % len(_FILLS)]}"><title>{escape(month)} {escape(kind)}: {count:,}</title></rect>'
            )
        middle = _LEFT + (number + 0.5) * slot
        if number % -(-len(shown) // _MOST_LABELS) == 0:
            parts.append(f'<text x="{middle:.1f}" y="{_HEIGHT - 6}" text-anchor="middle">{escape(month)}</text>')
    for place, kind in enumerate(kinds):
        at = _LEFT + place * 110
        parts.append(f'<rect x="{at}" y="2" width="9" height="9" fill="{_FILLS[place % len(_FILLS)]}"/>')
        parts.append(f'<text x="{at + 13}" y="11">{escape(kind)}</text>')
    return "".join((*parts, "</svg>"))


def _through(months: Sequence[str]) -> list[str]:
    """Return all months from the first to the last, also those in which nothing was."""
    if not months:
        return []
    (year, month), last = map(int, months[0].split("-")), months[-1]
    found = [months[0]]
    while found[-1] < last:
        year, month = (year, month + 1) if month < _DECEMBER else (year + 1, 1)
        found.append(f"{year:04}-{month:02}")
    return found

"""The pictures in docs/: time to retrieve, by length and store."""

from statistics import median
from typing import Any, Final

import matplotlib as mpl

from bench.support.report import ROOT

mpl.use("Agg")
from matplotlib import pyplot as plt

_COLOURS: Final = {"stock": "#9a3412", "memory": "#64748b", "ours": "#1d4ed8"}
_LABELS: Final = {
    "stock": "stock SQLTrackerStore, plain text",
    "memory": "InMemoryTrackerStore",
    "ours": "rasa_privacy, encrypted",
}


def draw(kind: str, measured: Any) -> None:
    """Draw what was measured on one kind of database into docs/benchmarks-<kind>.svg."""
    figure, axes = plt.subplots(1, 2, figsize=(10, 4), constrained_layout=True)
    for axis, title, times in ((axes[0], "retrieve", measured.retrieve), (axes[1], "save one turn", measured.save)):
        lengths = sorted(times)
        for name, colour in _COLOURS.items():
            middle = [median(times[length][name]) * 1000 for length in lengths]
            axis.plot(lengths, middle, marker="o", color=colour, label=_LABELS[name])
        axis.set(
            xscale="log", yscale="log", title=f"{title}, {kind}", xlabel="events in the session", ylabel="milliseconds"
        )
        axis.set_xticks(lengths, [f"{length:,}" for length in lengths])
        axis.grid(visible=True, which="major", alpha=0.3)
    axes[0].legend(frameon=False)
    mpl.rcParams["svg.hashsalt"] = "rasa_privacy"  # the same picture has the same bytes
    figure.savefig(ROOT / "docs" / f"benchmarks-{kind.lower()}.svg", metadata={"Date": None})
    plt.close(figure)

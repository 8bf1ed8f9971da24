"""The corpus: `corpus/<target>.txt` holds one input per line, in hexadecimal, sorted by length and then by value."""

from pathlib import Path
from typing import Final

FILES: Final = Path(__file__).parent / "corpus"


def inputs(target: str) -> list[bytes]:
    """Return the recorded inputs of a target; none where nothing is recorded yet."""
    file = FILES / f"{target}.txt"
    return [bytes.fromhex(line) for line in file.read_text().splitlines()] if file.exists() else []


def unpack(target: str, folder: Path) -> None:
    """Write each input into a file of its own, as libFuzzer wants them."""
    for number, data in enumerate(inputs(target)):
        (folder / f"{number:05}").write_bytes(data)


def pack(target: str, folder: Path) -> None:
    """Record the files of a folder as the corpus of a target."""
    found = {file.read_bytes() for file in folder.iterdir() if file.is_file()}
    lines = [data.hex() for data in sorted(found, key=lambda data: (len(data), data))]
    FILES.mkdir(exist_ok=True)
    (FILES / f"{target}.txt").write_text("\n".join(lines) + "\n")

"""The repository as a whole: what its files may not contain, and what they must."""

import re
import shutil
import subprocess
from pathlib import Path

import pytest

ROOT = Path(__file__).parent.parent

#: Hosts of package indexes and their mirrors, written apart so that this file does not name them.
INDEX_HOSTS = tuple(
    ".".join(parts)
    for parts in (
        ("pypi", "org"),
        ("files", "pythonhosted", "org"),
        ("registry", "npmjs", "org"),
        ("pypi", "python", "org"),
    )
)
INDEX_WORDS = re.compile(r"(?im)^\s*(--(extra-)?index-url|--find-links|--trusted-host)\b|://[^\s/]*(artifactory|nexus)")


def files() -> list[Path]:
    """Return the text files that belong to the repository: those that git knows or would add."""
    listed = subprocess.run(
        ["git", "ls-files", "--cached", "--others", "--exclude-standard"],
        cwd=ROOT,
        capture_output=True,
        text=True,
        check=False,
    )
    if listed.returncode == 0:
        return [path for path in map(ROOT.joinpath, listed.stdout.splitlines()) if path.is_file()]
    skipped = {".venv", ".venv-core", ".git", "__pycache__", "models", ".build"}
    return [path for path in ROOT.rglob("*") if path.is_file() and not skipped & set(path.relative_to(ROOT).parts)]


def text_of(path: Path) -> str:
    """Return the text of a file; of a binary file, what of it is text."""
    return path.read_bytes().decode("utf-8", errors="ignore")


def test_no_file_names_a_package_index() -> None:
    """The lock and the documents work with any index, and tell nobody which one was used."""
    found = [
        f"{path.relative_to(ROOT)}: {host}"
        for path in files()
        for text in [text_of(path)]
        for host in (*INDEX_HOSTS, *(match[0] for match in INDEX_WORDS.finditer(text)))
        if host in text
    ]
    assert found == []


@pytest.mark.parametrize(
    "line", ["--index-" + "url https://mirror.example/simple", "https://x." + "artifactory.example/api"]
)
def test_an_index_address_would_be_noticed(line: str) -> None:
    """The search finds addresses in the forms in which tools write them."""
    assert INDEX_WORDS.search(line)


@pytest.mark.parametrize(("name", "least"), [("requirements.lock", 100), ("requirements-core.lock", 50)])
def test_every_locked_requirement_has_a_version_and_hashes(name: str, least: int) -> None:
    """Nothing is installed that is not the very file that was tested."""
    lock = (ROOT / name).read_text(encoding="utf-8")
    requirements = [part for part in re.split(r"\n(?=\S)", lock) if part.strip() and not part.startswith("#")]
    assert len(requirements) > least
    without = [part.splitlines()[0] for part in requirements if "==" not in part or "--hash=sha256:" not in part]
    assert without == []


def test_lock_has_the_declared_dependencies() -> None:
    """A dependency that was added to pyproject.toml is in the lock as well."""
    project = (ROOT / "pyproject.toml").read_text(encoding="utf-8")
    declared = project[project.index("\ndependencies") : project.index("[project.scripts]")]
    names = {name.lower().replace("_", "-") for name in re.findall(r'"([A-Za-z0-9_.-]+)[><=~]=?', declared)}
    lock = (ROOT / "requirements.lock").read_text(encoding="utf-8")
    locked = {name.lower().replace("_", "-") for name in re.findall(r"(?m)^([A-Za-z0-9_.-]+)==", lock)}
    assert len(names) > 15
    assert names - locked == set()


def test_the_core_is_locked_on_the_other_sqlalchemy() -> None:
    """The two locks differ in what they are there for: Rasa and SQLAlchemy 1.4 here, neither there."""
    lock, core = ((ROOT / name).read_text(encoding="utf-8") for name in ("requirements.lock", "requirements-core.lock"))
    assert re.search(r"(?m)^sqlalchemy==1\.4\.", lock)
    assert re.search(r"(?m)^sqlalchemy==2\.", core)
    assert re.search(r"(?m)^rasa==", lock)
    assert not re.search(r"(?m)^rasa", core)


def test_make_targets_exist() -> None:
    """The commands that the documents name are targets of the Makefile."""
    make = shutil.which("make")
    assert make is not None
    for target in ("venv", "demo", "test", "core", "fuzz", "check", "bench", "lock"):
        done = subprocess.run([make, "-n", target], cwd=ROOT, capture_output=True, text=True, check=False)
        assert done.returncode == 0, done.stderr


def test_scripts_can_be_executed() -> None:
    """The scripts that people and the CI start carry the executable bit."""
    for name in (".ci/run", "tools/find-python", "tools/get-softhsm", "tools/get-openbao"):
        assert (ROOT / name).stat().st_mode & 0o111 == 0o111


@pytest.mark.parametrize(("version", "variable"), [("3.10", "PYTHON="), ("3.13", "CORE_PYTHON=")])
def test_missing_python_is_explained(tmp_path: Path, version: str, variable: str) -> None:
    """Where no such Python runs, the message says how to get one; a shim that fails is no Python."""
    shim = tmp_path / f"python{version}"
    shim.write_text("#!/bin/sh\nexit 127\n", encoding="utf-8")
    shim.chmod(0o755)
    script = (ROOT / "tools" / "find-python").read_text(encoding="utf-8")
    alone = tmp_path / "find-python"
    alone.write_text(re.sub(r'"/(usr|opt)/[^"]+"', "/nonexistent", script), encoding="utf-8")
    environment = {"PATH": str(tmp_path), "HOME": str(tmp_path)}
    shell = shutil.which("sh")
    cat = shutil.which("cat")
    assert shell is not None
    assert cat is not None
    (tmp_path / "cat").symlink_to(cat)
    done = subprocess.run([shell, str(alone), version], env=environment, capture_output=True, text=True, check=False)
    assert done.returncode == 1
    assert f"pyenv install {version}" in done.stderr
    assert f"make {variable}/path/to/python{version}" in done.stderr
    assert done.stdout == ""


def test_first_documents_exist() -> None:
    """What a newcomer, a reporter of a weakness and a lawyer look for is there."""
    for name in ("LICENSE", "CHANGELOG.md", "SECURITY.md", "CONTRIBUTING.md", "docs/LIMITATIONS.md", "docs/adr"):
        assert (ROOT / name).exists(), name
    assert "Apache License" in (ROOT / "LICENSE").read_text(encoding="utf-8")

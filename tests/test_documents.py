"""Each code block of the documents runs: Python, one block after another; TOML, as a configuration; shell, as options."""

import re
import shlex
import tomllib
from pathlib import Path

import pytest

ROOT = Path(__file__).parent.parent
DOCUMENTS = [ROOT / "README.md", *sorted((ROOT / "docs").rglob("*.md"))]
FENCED = re.compile(r"^```(\w+)\n(.*?)^```", re.MULTILINE | re.DOTALL)


def blocks(language):
    """(document, number, text) of the fenced blocks of a language."""
    return [
        (document, number, text)
        for document in DOCUMENTS
        for number, (kind, text) in enumerate(FENCED.findall(document.read_text(encoding="utf-8")))
        if kind == language
    ]


def names(given):
    return [f"{document.stem}-{number}" for document, number, _ in given]


@pytest.mark.parametrize("document", sorted({d for d, _, _ in blocks("python")}), ids=lambda d: d.stem)
def test_python_blocks_run(document, tmp_path, monkeypatch):
    """In the order of the document, with the files that it speaks of, and what one block defines is known in the next."""
    monkeypatch.chdir(tmp_path)
    known = {}
    for number, text in [(n, t) for d, n, t in blocks("python") if d == document]:
        exec(compile(text, f"{document.name}, block {number}", "exec"), known)


@pytest.mark.parametrize("block", blocks("toml"), ids=names(blocks("toml")))
def test_toml_blocks_are_configurations(block):
    from inphase.config import checked_config
    from inphase.learn.configuration import checked_configuration

    data = tomllib.loads(block[2])
    check = checked_configuration if "problem" in data else checked_config
    check(data, block[0].name)


COMMANDS = [
    (document, line.strip())
    for document in DOCUMENTS
    for line in document.read_text(encoding="utf-8").splitlines()
    if line.startswith("    inphase ")
]


@pytest.mark.parametrize("command", sorted({line for _, line in COMMANDS}))
def test_commands_are_understood(command):
    """The options exist, and the verb takes them; nothing is run."""
    from inphase.cli import parsed

    words = shlex.split(re.sub(r"\s+#.*", "", command))
    assert parsed(words[1:]).verb == words[1]

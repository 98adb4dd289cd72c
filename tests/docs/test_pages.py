"""Links, commands and settings in the documentation exist."""

import contextlib
import importlib
import importlib.util
import io
import itertools
import re
import shlex
from pathlib import Path

import pytest

from infra.config import Config
from infra.paths import REPOSITORY
from tests.support.pages import PAGES, anchors, fences, name, prose

EACH_PAGE = pytest.mark.parametrize("page", PAGES, ids=name)
_LINK = re.compile(r"!?\[(?:[^\[\]]|\[[^\]]*\])*\]\(([^)\s]+)\)")
_SHELL = ("bash", "sh")


def links(page: Path) -> list[str]:
    return [each for each in _LINK.findall(prose(page.read_text())) if ":" not in each]


@EACH_PAGE
def test_every_link_has_a_target(page: Path) -> None:
    for link in links(page):
        path, _, anchor = link.partition("#")
        target = (page.parent / path).resolve() if path else page
        assert target.exists(), link
        assert target.is_relative_to(REPOSITORY), link
        if anchor:
            assert anchor in anchors(target), link


def commands(page: Path) -> list[list[str]]:
    text = page.read_text()
    blocks = [block for language in _SHELL for block in fences(text, language)]
    spans = [each for each in re.findall(r"`([^`\n]+)`", prose(text)) if each.split()[0] in {"make", *_PYTHON}]
    lines = [
        line
        for block in [*blocks, *spans]
        for line in re.sub(r"\\\n\s*", " ", block).splitlines()
        if not line.lstrip().startswith("#")
    ]
    return [words for line in lines for words in _calls(line)]


_PYTHON = ("python", ".venv/bin/python")


def _calls(line: str) -> list[list[str]]:
    """Return the commands in a line of shell, as lists of words."""
    lexer = shlex.shlex(line.replace("$(", " ; "), posix=True, punctuation_chars=True)
    lexer.whitespace_split = True
    lexer.commenters = "#"
    try:
        words = list(lexer)
    except ValueError:  # part of a quoted text
        return []
    calls: list[list[str]] = [[]]
    for word in words:
        if set(word) <= set("();<>|&"):
            calls.append([])
        else:
            calls[-1].append(word)
    return [_without_assignments(call) for call in calls if call]


def _without_assignments(call: list[str]) -> list[str]:
    while call and re.fullmatch(r"\w+=.*", call[0], re.DOTALL):
        call = call[1:]
    return call


@EACH_PAGE
def test_every_target_of_make_exists(page: Path) -> None:
    targets = set(re.findall(r"^([a-z-]+):", (REPOSITORY / "Makefile").read_text(), re.MULTILINE))
    for call in commands(page):
        if call[:1] == ["make"]:
            assert {word for word in call[1:] if re.fullmatch(r"[a-z][a-z-]*", word)} <= targets, call


@EACH_PAGE
def test_every_setting_on_a_command_line_exists(page: Path) -> None:
    names = set(Config.model_fields) | {"config", "packaging", "name"}
    for call in commands(page):
        if "cdk" in call[:2]:
            assert {each.partition("=")[0] for flag, each in itertools.pairwise(call) if flag == "-c"} <= names


@EACH_PAGE
def test_every_module_accepts_its_options(page: Path) -> None:
    for call in commands(page):
        if call[:1] and call[0] in _PYTHON and call[1:2] == ["-m"]:
            module, arguments = call[2], call[3:]
            assert importlib.util.find_spec(module), call
            options = {word.partition("=")[0] for word in arguments if word.startswith("--")}
            assert not options or options <= _options(module, arguments), call


def _options(module: str, arguments: list[str]) -> set[str]:
    """Return the options in the help of a command and its subcommand."""
    if module == "pytest" or module.startswith(("http.", "venv", "pip")):
        return {word for word in arguments if word.startswith("--")}
    main = importlib.import_module(f"{module}.__main__").main
    helps = [["--help"]]
    if arguments and re.fullmatch(r"[a-z][a-z-]*", arguments[0]):
        helps.append([arguments[0], "--help"])
    printed = io.StringIO()
    for each in helps:
        with contextlib.redirect_stdout(printed), pytest.raises(SystemExit) as ended:
            main(each)
        assert ended.value.code == 0
    return set(re.findall(r"--[a-z][a-z-]*", printed.getvalue()))

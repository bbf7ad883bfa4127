"""The house rules that a machine can check: layers, lengths, names, public API, what the command line loads."""

from __future__ import annotations

import ast
import os
import subprocess
import sys
import tomllib
from collections.abc import Iterator
from importlib import import_module
from pathlib import Path
from types import ModuleType

import pytest

from vcfx.__main__ import COMMANDS

ROOT = Path(__file__).resolve().parents[1]
FOLDERS = {"vcfx": ROOT / "vcfx", "vcfx_dsp": ROOT / "dsp" / "vcfx_dsp", "vcfx_models": ROOT / "models" / "vcfx_models"}
SOURCES = sorted(path for name in ("vcfx", "dsp", "models", "tests", "tools") for path in (ROOT / name).rglob("*.py"))
MAX_FILE_LINES, MAX_FUNCTION_LINES = 399, 39
UPWARDS = {"vcfx_dsp": {"vcfx", "vcfx_models"}, "vcfx_models": {"vcfx"}, "vcfx": set[str]()}
IMPORT_NAMES = {"c2pa_python": "c2pa", "python_osc": "pythonosc", "python_rtmidi": "rtmidi"}
EMPTY_NAMES = {"util", "utils", "helper", "helpers", "manager", "misc", "common", "stuff"}
FOREIGN_WORDS = {"sr": "sample_rate", "fs": "sample_rate", "chunk": "block or hop", "buf": "block"}
Function = ast.FunctionDef | ast.AsyncFunctionDef


def shown(path: Path) -> str:
    return path.relative_to(ROOT).as_posix()


def tree_of(path: Path) -> ast.Module:
    return ast.parse(path.read_text(encoding="utf-8"), filename=str(path))


def imported_packages(path: Path) -> set[str]:
    """The top-level packages that a file imports by absolute name, wherever in the file."""
    found: set[str] = set()
    for node in ast.walk(tree_of(path)):
        if isinstance(node, ast.Import):
            found |= {alias.name.split(".")[0] for alias in node.names}
        elif isinstance(node, ast.ImportFrom) and node.level == 0 and node.module:
            found.add(node.module.split(".")[0])
    return found


def declared_packages(*extras: str) -> set[str]:
    """The import names of the distributions that pyproject.toml asks for."""
    project = tomllib.loads((ROOT / "pyproject.toml").read_text(encoding="utf-8"))["project"]
    lines = [*project["dependencies"], *(line for extra in extras for line in project["optional-dependencies"][extra])]
    names = {line.split(">")[0].split("<")[0].strip().lower().replace("-", "_") for line in lines}
    return {IMPORT_NAMES.get(name, name) for name in names}


def functions(tree: ast.Module) -> Iterator[Function]:
    return (node for node in ast.walk(tree) if isinstance(node, Function))


def body_lines(function: Function) -> int:
    """Lines from `def` to the end, docstring aside."""
    first = function.body[0]
    docstring = first if ast.get_docstring(function, clean=False) is not None else None
    skipped = (docstring.end_lineno or docstring.lineno) - docstring.lineno + 1 if docstring else 0
    return (function.end_lineno or function.lineno) - function.lineno + 1 - skipped


def bound_names(tree: ast.Module) -> Iterator[tuple[str, int]]:
    for node in ast.walk(tree):
        if isinstance(node, ast.arg):
            yield node.arg, node.lineno
        elif isinstance(node, ast.Name) and isinstance(node.ctx, ast.Store):
            yield node.id, node.lineno


@pytest.mark.parametrize("package", FOLDERS)
def test_imports_point_down(package: str) -> None:
    allowed = set(sys.stdlib_module_names) | set(FOLDERS)
    allowed |= {"numpy", "numba", "llvmlite"}  # the last comes with numba
    if package != "vcfx_dsp":
        allowed |= declared_packages("c2pa", "gpu", "hotkeys", "liveness", "train", "web")
    for path in FOLDERS[package].rglob("*.py"):
        imported = imported_packages(path)
        assert not imported & UPWARDS[package], f"{shown(path)} imports upwards: {imported & UPWARDS[package]}"
        assert imported <= allowed, f"{shown(path)} imports what it may not: {imported - allowed}"


def test_only_the_models_need_torch() -> None:
    users = [
        shown(path)
        for name in ("vcfx", "vcfx_dsp")
        for path in FOLDERS[name].rglob("*.py")
        if "torch" in imported_packages(path)
    ]
    assert not users


def test_files_are_short() -> None:
    lengths = {shown(path): len(path.read_text(encoding="utf-8").splitlines()) for path in SOURCES}
    assert not {name: lines for name, lines in lengths.items() if lines > MAX_FILE_LINES}


def test_functions_are_short() -> None:
    long = [
        f"{shown(path)}:{function.lineno} {function.name}: {body_lines(function)} lines"
        for path in SOURCES
        for function in functions(tree_of(path))
        if body_lines(function) > MAX_FUNCTION_LINES
    ]
    assert not long


def test_names_say_something() -> None:
    assert not [shown(path) for path in SOURCES if set(path.stem.split("_")) & EMPTY_NAMES]


def test_words_are_ours() -> None:
    foreign = [
        f"{shown(path)}:{line} {name}: say {FOREIGN_WORDS[name]}"
        for folder in FOLDERS.values()
        for path in sorted(folder.rglob("*.py"))
        for name, line in bound_names(tree_of(path))
        if name in FOREIGN_WORDS
    ]
    assert not foreign


def test_at_most_one_node_per_file() -> None:
    for path in sorted(FOLDERS["vcfx_dsp"].glob("nodes/*.py")):
        classes = [node for node in tree_of(path).body if isinstance(node, ast.ClassDef)]
        nodes = [node.name for node in classes if not node.name.startswith("_") and node.bases]
        assert len(nodes) <= 1, f"{shown(path)} holds several nodes: {nodes}"


@pytest.mark.parametrize("package", FOLDERS)
def test_public_names_are_those_declared(package: str) -> None:
    module = import_module(package)
    public = {
        name
        for name, value in vars(module).items()
        if not (name.startswith("_") or name == "annotations" or isinstance(value, ModuleType))
    }
    declared = set(getattr(module, "__all__", ()))
    assert public == {name for name in declared if not name.startswith("__")}
    assert all(hasattr(module, name) for name in declared)


def run_python(code: str) -> subprocess.CompletedProcess[str]:
    path = os.pathsep.join(str(folder.parent) for folder in FOLDERS.values())
    return subprocess.run(
        [sys.executable, "-c", code],
        env={**os.environ, "PYTHONPATH": path},
        capture_output=True,
        text=True,
        check=False,
    )


def test_help_loads_nothing_heavy() -> None:
    code = (
        "import sys; from vcfx.__main__ import main; code = main(['--help'])\n"
        "heavy = {'numpy', 'numba', 'sounddevice', 'soundfile', 'pedalboard', 'torch', 'rich'} & set(sys.modules)\n"
        "sys.exit(f'loads {heavy}' if heavy else code)"
    )
    done = run_python(code)
    assert done.returncode == 0, done.stderr
    assert "usage: vcfx COMMAND" in done.stdout
    assert all(f"  {name} " in done.stdout for name in COMMANDS)


@pytest.mark.parametrize("command", COMMANDS)
def test_every_command_is_there(command: str) -> None:
    module = import_module(COMMANDS[command][0])
    assert callable(module.add_arguments)
    assert callable(module.run)


def test_changelog_has_unreleased_on_top() -> None:
    headings = [line for line in (ROOT / "CHANGELOG.md").read_text(encoding="utf-8").splitlines() if line[:3] == "## "]
    assert headings[0] == "## Unreleased"


@pytest.mark.parametrize(
    "script", ["tools/env", "tools/test", "tools/check", "tools/build", "tools/bench", "tools/demo"]
)
def test_scripts_can_be_run(script: str) -> None:
    path = ROOT / script
    text = path.read_text(encoding="utf-8")
    assert os.access(path, os.X_OK)
    assert text.startswith("#!/usr/bin/env bash\n# ")
    assert "\nset -euo pipefail\n" in text
    assert subprocess.run(["bash", "-n", str(path)], check=False).returncode == 0

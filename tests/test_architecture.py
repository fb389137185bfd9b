"""Imports point one way, packages are all installed, and generated modules need nothing but their array library."""

import ast
import re
import sys
import tomllib
from graphlib import TopologicalSorter
from pathlib import Path

import pytest

ROOT = Path(__file__).parents[1]

LAYERS = (
    ("bnsym.symbols", "bnsym.functions", "bnsym.several", "bnsym.stamp", "bnsym.write"),
    ("bnsym.model",),
    ("bnsym.checks", "bnsym.drawn"),
    ("bnsym.layouts",),
    ("bnsym.declaring",),
    ("bnsym.composing",),
    ("bnsym.language",),
    ("bnsym.definitions",),
    ("bnsym.calculus",),
    ("bnsym.calculus.routes",),
    ("bnsym.claims", "bnsym.lowering"),
    ("bnsym.proofs", "bnsym.backends", "bnsym.trial", "bnsym.checker"),
    ("bnsym.render",),
    ("bnsym.report",),
    ("bnsym.api",),
    ("bnsym.regenerate",),
    ("bnsym.cli_common",),
    ("bnsym.cli_check", "bnsym.cli_kernels", "bnsym.cli_proofs", "bnsym.cli_report"),
    ("bnsym.cli_bench", "bnsym.cli_train"),
    ("bnsym.cli",),
)
"""From the ground up: a module may import from its own part and from the layers above it in this list, not from a
neighbour in its layer. `bnsym` itself names what users call and has no layer: others read the version there."""


UNLAYERED = ("bnsym.bench", "bnsym.train")
"""These read generated modules, and a command reads them."""


def modules():
    for path in sorted((ROOT / "bnsym").rglob("*.py")):
        name = ".".join(path.relative_to(ROOT).with_suffix("").parts).removesuffix(".__init__")
        yield name, path


def imports(path, *, type_checking=True):
    """The modules, and the names in them, that a file imports anywhere: at its top, in functions, for annotations."""
    tree = ast.parse(path.read_text())
    skipped = {
        id(n)
        for i in ast.walk(tree)
        if isinstance(i, ast.If) and "TYPE_CHECKING" in ast.dump(i.test)
        for n in ast.walk(i)
    }
    for node in ast.walk(tree):
        if id(node) in skipped and not type_checking:
            continue
        if isinstance(node, ast.ImportFrom) and node.module:
            yield from (f"{node.module}.{a.name}" for a in node.names)
        elif isinstance(node, ast.Import):
            yield from (a.name for a in node.names)


def part(name):
    """The layer of a module, and which of the layer's parts it belongs to: the longest name that it starts with."""
    found = [(p, n) for n, group in enumerate(LAYERS) for p in group if name == p or name.startswith(f"{p}.")]
    own, n = max(found, key=lambda f: len(f[0]), default=(None, None))
    return n, own


def test_every_module_has_a_layer():
    assert [n for n, _ in modules() if part(n)[1] is None and n != "bnsym" and not n.startswith(UNLAYERED)] == []


LAYERED = [(name, path) for name, path in modules() if part(name)[1] is not None]


@pytest.mark.parametrize(("name", "path"), LAYERED, ids=lambda v: v if isinstance(v, str) else "")
def test_imports_point_one_way(name, path):
    layer, own = part(name)
    others = [(i, *part(i)) for i in imports(path)]
    assert [i for i, other, its_part in others if its_part not in (None, own) and other >= layer] == []
    for others in UNLAYERED:
        command = others.replace("bnsym.", "bnsym.cli_")
        assert own == command or not any(i.startswith(others) for i in imports(path))


def test_no_file_imports_itself_by_way_of_others():
    names = {name for name, _ in modules()}
    needs = {}
    for name, path in modules():
        known_knot = name.startswith("bnsym.backends.")  # a module and its functions know each other for annotations
        found = {i if i in names else i.rpartition(".")[0] for i in imports(path, type_checking=not known_knot)}
        needs[name] = found & names - {"bnsym"} if name != "bnsym" else set()
    assert len([*TopologicalSorter(needs).static_order()]) == len(names)  # or CycleError, which names the files


@pytest.mark.parametrize("package", UNLAYERED)
def test_the_trainer_and_the_bench_read_generated_modules_only(package):
    for path in (ROOT / package.replace(".", "/")).glob("*.py"):
        for name in imports(path):
            assert not name.startswith(("sympy", "jinja2")), path
            allowed = (package, "bnsym.generated", "bnsym.write", "bnsym.__version__")
            assert not name.startswith("bnsym.") or name.startswith(allowed), (path, name)


LIBRARIES = {"numpy": {"numpy"}, "numba": {"numpy", "numba"}, "cupy": {"numpy", "cupy", "cupyx"}}  # CuPy needs NumPy


@pytest.mark.parametrize("path", sorted((ROOT / "generated").rglob("*.py")), ids=lambda p: f"{p.parent.name}-{p.stem}")
def test_generated_modules_stand_alone(path):
    names = {i.split(".")[0] for i in imports(path)}
    assert names <= set(sys.stdlib_module_names) | LIBRARIES.get(path.parent.name, set())


def test_every_package_is_installed():
    listed = set(tomllib.loads((ROOT / "pyproject.toml").read_text())["tool"]["setuptools"]["packages"])
    found = set()
    for top in ("bnsym", "generated", "templates"):
        for init in (ROOT / top).rglob("__init__.py"):
            parts = init.parent.relative_to(ROOT).parts
            found.add(".".join(parts if top == "bnsym" else ("bnsym", *parts)))
    assert listed == found


def test_data_files_of_installed_packages_are_declared():
    declared = tomllib.loads((ROOT / "pyproject.toml").read_text())["tool"]["setuptools"]["package-data"]
    for top in ("templates", "generated"):
        for path in (ROOT / top).rglob("*"):
            if path.is_file() and path.suffix not in (".py", ".pyc", ".nbi", ".nbc"):
                package = ".".join(("bnsym", *path.parent.relative_to(ROOT).parts))
                assert any(path.match(pattern) for pattern in declared.get(package, [])), path


def test_no_gradient_is_written_in_a_definition_or_a_template():
    """A definition is a forward pass; a template lays out. Neither names a gradient's formula."""
    for path in (ROOT / "bnsym" / "definitions").glob("*.py"):
        tree = ast.parse(path.read_text())
        names = {n.id for n in ast.walk(tree) if isinstance(n, ast.Name)}
        assert not {n for n in names if n.startswith("d") and n[1:] in names}, path
    for path in (ROOT / "templates").rglob("*.j2"):
        assert not {"dgamma", "x_hat", "inv_std"} & set(re.findall(r"\w+", path.read_text())), path

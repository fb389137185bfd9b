"""A generated module imports its array library and the standard library, nothing else: it can be copied and used."""

import ast
import subprocess
import sys
import textwrap
from pathlib import Path

import numpy as np
import pytest

from bnsym.definitions import NAMES

from .backends import BACKENDS

# Anything but NumPy and the standard library is refused, found or not
ALONE = """
    import sys

    class Only:
        def find_spec(self, name, path=None, target=None):
            if name.partition(".")[0] not in {"numpy", *copies, *sys.stdlib_module_names}:
                raise ImportError(f"{name} is not for a generated module to import")

    sys.path[:0] = sys.argv[1:3]
    copies = sys.argv[3:]
    sys.meta_path.insert(0, Only())
"""

USE = """
    import numpy as np
    import batch_norm_alone as bn
    import importlib

    x = np.array([[1.0], [3.0]])
    y, saved = bn.forward(x, np.full(1, 2.0), np.full(1, 5.0), eps=0.0)
    assert y.tolist() == [[3.0], [7.0]], y
    assert saved.mean.tolist() == [2.0], saved
    dx, dgamma, dbeta = bn.backward(np.array([[1.0], [4.0]]), x, np.full(1, 2.0), saved)
    assert dgamma.tolist() == [3.0], dgamma
    assert dbeta.tolist() == [5.0], dbeta
    z = bn.inference(x, None, None, saved.mean, saved.var, eps=0.0)
    assert z.tolist() == [[-1.0], [1.0]], z
    for name in copies:
        module = importlib.import_module(name)
        assert all(hasattr(module, n) for n in module.__all__)
    print(*sorted(n for n in sys.modules if "." not in n))
"""


def run(program, *args, flags=("-I", "-S", "-W", "error")):
    command = [sys.executable, *flags, "-c", textwrap.dedent(program), *map(str, args)]
    return subprocess.run(command, capture_output=True, text=True, timeout=120, check=False)


def sources(module):
    return Path(module.__file__).read_text(encoding="utf-8")


def test_copies_work_where_only_numpy_is(tmp_path):
    for name in NAMES:
        text = sources(BACKENDS["numpy"](name))
        (tmp_path / f"{name}_alone.py").write_text(text, encoding="utf-8")
    done = run(ALONE + USE, tmp_path, Path(np.__file__).parent.parent, *(f"{n}_alone" for n in NAMES))
    assert done.returncode == 0, done.stderr
    assert not {"sympy", "jinja2", "bnsym", "scipy", "typer", "rich"} & set(done.stdout.split())


def test_the_guard_of_this_file_guards(tmp_path):
    for name in ("sympy", "jinja2", "bnsym"):
        done = run(ALONE + f"    import {name}\n", tmp_path, Path(np.__file__).parent.parent)
        assert done.returncode == 1
        assert f"{name} is not for a generated module" in done.stderr


def test_imports_as_written(subject):
    """Also those inside of functions."""
    allowed = {*subject.does.libraries, *sys.stdlib_module_names}
    for node in ast.walk(ast.parse(sources(subject.kernels.module))):
        if isinstance(node, ast.Import):
            assert {alias.name.partition(".")[0] for alias in node.names} <= allowed
        elif isinstance(node, ast.ImportFrom):
            assert node.level == 0
            assert node.module.partition(".")[0] in allowed


@pytest.mark.parametrize("backend", [name for name, backend in BACKENDS.items() if backend.importable])
def test_importing_them_leaves_sympy_out(backend):
    names = ", ".join(BACKENDS[backend](name).__name__ for name in NAMES)
    done = run(f"import sys, {names}; print(*sys.modules)", flags=["-P"])
    assert done.returncode == 0, done.stderr
    assert not {"sympy", "jinja2", "typer", "rich", "mpmath", "matplotlib"} & set(done.stdout.split())


def test_no_code_made_at_run_time(subject):
    text = sources(subject.kernels.module)
    assert not [w for w in ("eval(", "exec(", "__import__", "importlib") if w in text]

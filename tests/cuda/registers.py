"""What each kernel of a .cu takes on each architecture, and what is wrong: python -m tests.cuda.registers FILE.cu..."""

import sys
from concurrent.futures import ProcessPoolExecutor
from multiprocessing import get_context
from pathlib import Path

from rich.console import Console
from rich.table import Table

from tests.cuda.as_cupy import built
from tests.cuda.nvrtc import ARCHS, CompileError, Entry, expected_entries, problems, version


def table(name, results):
    """What each kernel of a source takes, for each architecture, as `results` has them."""
    shown = Table("kernel", title=name)
    for what in ("registers", "shared", "spills"):
        for arch in results:
            shown.add_column(f"{what}\n{arch}", justify="right")
    nothing = Entry(*[0] * 5)
    for kernel in sorted({k for r in results.values() for k in r.entries}):
        found = [r.entries.get(kernel, nothing) for r in results.values()]
        numbers = (
            [e.registers for e in found],
            [e.shared for e in found],
            [e.spill_stores + e.spill_loads for e in found],
        )
        shown.add_row(kernel, *(str(n) for row in numbers for n in row))
    return shown


def main(paths):
    """Build every file for every architecture, in full; print the tables, and what is wrong. Its exit status."""
    out = Console(width=None if sys.stdout.isatty() else 160)
    out.print(version())
    wrong = []
    with ProcessPoolExecutor(mp_context=get_context("spawn")) as pool:
        sources = {p: Path(p).read_text() for p in paths}
        jobs = {p: {a: pool.submit(built, s, Path(p).name, a) for a in ARCHS} for p, s in sources.items()}
        for path, by_arch in jobs.items():
            results = {}
            for arch, job in by_arch.items():
                try:
                    results[arch] = job.result()
                    found = problems(results[arch], expected_entries(sources[path], arch))
                    wrong += [f"{path}, {arch}: {p}" for p in found]
                except CompileError as error:
                    wrong.append(f"{path}, {arch}: {error}")
            out.print(table(path, results))
    for line in wrong:
        out.print(line, style="red", markup=False)
    return 1 if wrong else 0


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))

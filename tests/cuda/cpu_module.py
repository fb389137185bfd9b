"""CuPy's RawModule and its kernels, on the CPU."""

import ctypes
import itertools
import math
import threading

import numpy as np

from tests.cuda import compiling, guarded

SCHEDULES = ("forward", "reverse", "shuffled")
INTEGERS = 6 if compiling.os.uname().machine == "x86_64" else 8
STACK_WORDS = 512
MOST_THREADS, MOST_SHARED, UNASKED_SHARED = 1024, 227 * 1024, 48 * 1024
MOST_BLOCK = (1024, 1024, 64)
MOST_GRID = (2**31 - 1, 65535, 65535)


LAUNCHING = threading.Lock()  # one launch at a time, from whichever thread


class LaunchError(RuntimeError):
    """A launch that a GPU would refuse, or that went wrong: which kernel, block and thread, and what it did."""


class Launch(ctypes.Structure):
    """The Launch of launch.h."""

    _fields_ = (
        *(("name", ctypes.c_char_p), ("function", ctypes.c_void_p)),
        *((name, ctypes.c_uint64 * 3) for name in ("grid", "block", "cluster")),
        *((name, ctypes.c_uint64) for name in ("module_shared", "dynamic_shared", "shared_alignment")),
        *(("shared", ctypes.c_void_p), ("shared_ranges", ctypes.c_uint64)),
        *((name, ctypes.c_int64) for name in ("schedule", "seed", "cooperative", "resident")),
        *(("seconds", ctypes.c_double), ("integers", ctypes.c_uint64 * INTEGERS), ("floats", ctypes.c_uint64 * 8)),
        *(("stack", ctypes.c_void_p), ("stack_words", ctypes.c_uint64)),
    )


class ModuleShared(ctypes.Structure):
    """The ModuleShared of runtime.cpp."""

    _fields_ = (("base", ctypes.c_void_p), ("bytes", ctypes.c_uint64), ("alignment", ctypes.c_uint64))


def place(args):
    """Where the calling convention wants arguments: words of integer registers, of float registers, of the stack."""
    integers, floats, stack = [], [], []
    for value in args:
        if isinstance(value, np.ndarray):
            words = by_value(value)
            if INTEGERS == 6:
                stack += words
            else:  # elsewhere a copy, by its address; on x86-64 it stands on the stack
                integers.append(value.ctypes.data)
            continue
        scalar = np.asarray(value)
        if scalar.ndim or scalar.dtype.kind not in "biuf" or scalar.dtype.itemsize > 8:
            raise TypeError(f"{value!r} cannot be passed to a kernel")
        word = int.from_bytes(scalar.tobytes(), "little")
        in_float = scalar.dtype.kind == "f" and scalar.dtype.itemsize >= 4  # a __half is a struct of an integer
        registers, room = (floats, 8) if in_float else (integers, INTEGERS)
        (registers if len(registers) < room else stack).append(word)
    return integers, floats, stack


def by_value(array):
    """The words of a struct that is passed by value, as CuPy passes a NumPy array."""
    if array.size != 1:
        raise TypeError(f"CuPy passes an array by value that has one element, got shape {array.shape}")
    if array.nbytes % 8:
        raise TypeError(f"a struct is one of words of 8 bytes here, got {array.nbytes} bytes")
    if array.nbytes <= 16:
        raise TypeError(
            "a struct of 16 bytes or fewer goes in registers, by the types of its fields: give it more fields"
        )
    return np.frombuffer(array.tobytes(), np.uint64).tolist()


class CpuFunction:
    """A kernel: called with grid, block and arguments, as CuPy's are."""

    max_threads_per_block = MOST_THREADS

    def __init__(self, name, kernel, library, *, schedule, seed, cooperative, resident, seconds):
        self.name = name
        self.max_dynamic_shared_size_bytes = UNASKED_SHARED
        self.shared_size_bytes = sum(size for _, size in kernel.shared)
        self._library = library  # which must stay loaded
        self._cooperative = cooperative
        self._cluster = kernel.cluster
        module = ModuleShared()
        compiling.runtime().shim_module_shared(ctypes.c_void_p(kernel.address), ctypes.byref(module))
        alignment = max(16, module.alignment)
        self._ranges = (ctypes.c_uint64 * (2 * len(kernel.shared)))(*itertools.chain(*kernel.shared))
        self._launch = Launch(
            name=name.encode(),
            function=kernel.address,
            cluster=kernel.cluster,
            module_shared=-(-module.bytes // alignment) * alignment,
            shared_alignment=alignment,
            shared=ctypes.addressof(self._ranges),
            shared_ranges=len(kernel.shared),
            schedule=SCHEDULES.index(schedule),
            seed=seed,
            cooperative=bool(cooperative),
            resident=resident,
            seconds=seconds,
        )

    def __call__(self, grid, block, args, *, shared_mem=0):
        with LAUNCHING:
            self._run(grid, block, args, shared_mem)

    def _run(self, grid, block, args, shared_mem):
        launch = self._launch
        grid, block = ((*map(int, shape), 1, 1)[:3] for shape in (grid, block))
        self._check(grid, block, shared_mem)
        launch.grid, launch.block, launch.dynamic_shared = self._shrunk(grid), block, shared_mem
        integers, floats, stack = place(args)
        if len(stack) > STACK_WORDS:
            raise LaunchError(f"kernel {self.name}: its arguments take more than {8 * STACK_WORDS} bytes")
        words = (ctypes.c_uint64 * STACK_WORDS)(*stack)
        launch.integers[: len(integers)] = integers
        launch.floats[: len(floats)] = floats
        launch.stack, launch.stack_words = ctypes.addressof(words), len(stack)
        address = ctypes.c_uint64()
        if message := compiling.runtime().shim_launch(ctypes.byref(launch), ctypes.byref(address)):
            where = guarded.describe(address.value)
            raise LaunchError(message.decode() + (f", {where}" if where else ""))

    def _check(self, grid, block, shared_mem):
        threads, static = math.prod(block), self.shared_size_bytes
        blocks_wrong = [axis for axis in range(3) if not 1 <= grid[axis] <= MOST_GRID[axis]]
        wrong = (
            threads > MOST_THREADS and f"{threads} threads a block are more than {MOST_THREADS}",
            threads < 1 and "a block without threads",
            any(n > most for n, most in zip(block, MOST_BLOCK, strict=True)) and f"a block {block} beyond {MOST_BLOCK}",
            blocks_wrong and f"a grid {grid} is empty or goes beyond {MOST_GRID}",
            static > UNASKED_SHARED and f"{static} bytes of static shared memory are more than {UNASKED_SHARED}",
            shared_mem > max(self.max_dynamic_shared_size_bytes, UNASKED_SHARED - static)
            and f"{shared_mem} bytes of dynamic shared memory are more than max_dynamic_shared_size_bytes, "
            f"{self.max_dynamic_shared_size_bytes}",
            static + shared_mem > MOST_SHARED
            and f"{static + shared_mem} bytes of shared memory are more than {MOST_SHARED}",
            any(n % size for n, size in zip(grid, self._cluster, strict=True))
            and f"a grid {grid} that is not made of clusters {self._cluster}",
        )
        for sentence in filter(None, wrong):
            raise LaunchError(f"kernel {self.name}: {sentence}")

    def _shrunk(self, grid):
        """CuPy makes the 1-D grid of a cooperative launch as small as it must be for all blocks to run at once."""
        most = self._cooperative
        return (min(grid[0], most), 1, 1) if most is not True and most and grid[1:] == (1, 1) else grid


class CpuModule:
    """CuPy's RawModule.

    `schedule` and `seed` give the order of blocks, and of threads between barriers. `cooperative_blocks` is the grid
    to which CuPy would shrink a cooperative launch. `resident` is how many blocks, or clusters, the device can hold
    at once: a kernel that waits for a block beyond those waits for ever. `seconds` of processor time end a launch.
    """

    def __init__(
        self,
        code,
        options=(),
        *,
        schedule="forward",
        seed=0,
        enable_cooperative_groups=False,
        cooperative_blocks=None,
        resident=2**62,
        seconds=30.0,
        backend="nvrtc",
        name_expressions=None,
    ):
        if name_expressions:
            raise NotImplementedError('name_expressions: give the kernels names of their own with extern "C"')
        if schedule not in SCHEDULES:
            raise ValueError(f"a schedule is one of {', '.join(SCHEDULES)}, and not {schedule!r}")
        cooperative = enable_cooperative_groups and (cooperative_blocks or True)
        self._how = {"schedule": schedule, "seed": seed, "cooperative": cooperative}
        self._how |= {"resident": resident, "seconds": seconds}
        self._library = compiling.compiled(code, tuple(options))

    def compile(self, log_stream=None):
        """Nothing is left to do."""

    def get_function(self, name):
        kernel = compiling.kernel_of(self._library, name)
        if kernel is None:
            raise LaunchError(f'the module has no kernel {name!r}: no extern "C" __global__ function has that name')
        return CpuFunction(name, kernel, self._library, **self._how)

"""CUDA kernels on the CPU, so that generated .cu files are tested where there is no GPU.

    module = CpuModule(code=source, options=("-DX=1",), schedule="shuffled", seed=3)
    module.get_function("scale")((blocks,), (threads,), (struct_of_words,), shared_mem=0)

`cpu_module` has CuPy's RawModule, `fake_cupy` a module to put in CuPy's place, and `guarded` arrays between two pages
that nobody may touch. g++ compiles a .cu as it stands behind shim.h, each CUDA thread is a fiber of runtime.cpp, and
what goes wrong in a launch is one sentence of a LaunchError.

It does not show: inline PTX (CUDA_ON_CPU is defined for those who have another way), the ordering of memory between
threads, denormals flushed to zero, __launch_bounds__, registers, occupancy, speed. A loop that waits for another
thread has to call __nanosleep, __threadfence or an atomic, or else it runs into the limit of time. x86-64 Linux is
what it is tried on.
"""

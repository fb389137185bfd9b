// CUDA C++ for g++: included in front of a .cu, which is compiled as it stands. runtime.cpp runs its threads.
#pragma once
#include <math.h>  // the global overloads too, as CUDA has them: sqrt(float), isnan(double), ...
#include <stdlib.h>

#include <assert.h>  // the one in include/

#include <climits>
#include <cstdio>
#include <cstring>
#include <type_traits>

#include "runtime.h"

#define CUDA_ON_CPU 1  // for what no CPU can do: inline PTX
#ifndef __CUDA_ARCH__
#define __CUDA_ARCH__ 900
#endif

#define __global__ SHIM_API
#define __device__
#define __host__
#define __constant__
#define __grid_constant__
#define __forceinline__ inline
#define __noinline__
#define __launch_bounds__(...)
#define __align__(n) __attribute__((aligned(n)))

// In a function thread_local means static, may follow extern, and may stand in a template, as a named section may not.
// All of a library's thread-local variables lie in one piece of memory, and where that is, __tls_get_addr says:
// below, the memory of the block that runs. So blocks are swapped by setting two pointers.
#define __shared__ thread_local

namespace shim {
struct Place {
    unsigned long module, offset;
};
}  // namespace shim

extern "C" __attribute__((visibility("hidden"))) inline __attribute__((used)) void *__tls_get_addr(shim::Place *place) {
    // A dynamic array (extern __shared__) is a weak symbol that nobody defines: of no module.
    return (place->module ? shim::shared_static : shim::shared_dynamic) + place->offset;
}

// The kernels of a cluster size stand in a section whose name tells it, which assembly.py reads.
#define SHIM_TEXT(x) #x
#define SHIM_SECTION(x, y, z, ...) \
    __attribute__((section("shim_cluster_" SHIM_TEXT(x) "_" SHIM_TEXT(y) "_" SHIM_TEXT(z))))
#define __cluster_dims__(...) SHIM_SECTION(__VA_ARGS__, 1, 1, 1)

#include "functions.h"
#include "threads.h"

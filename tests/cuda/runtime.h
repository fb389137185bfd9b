// What a kernel's library and the runtime know of each other.
#pragma once
#include <cstddef>
#include <cstdint>

#include "vectors.h"

#define SHIM_API __attribute__((visibility("default")))

// Of the thread that runs; the runtime sets them before it resumes one.
extern SHIM_API uint3 threadIdx, blockIdx;
extern SHIM_API dim3 blockDim, gridDim;

namespace shim {

enum Wait : int { SYNCTHREADS, CLUSTER_SYNC, GRID_SYNC, SYNCWARP, SHUFFLE, VOTE };

// What __syncthreads_and, _or and _count tell.
struct Votes {
    int count;  // of the threads whose predicate was true
    int threads;
};

extern SHIM_API char *shared_static, *shared_dynamic;  // of the block that runs
extern SHIM_API unsigned lane;                         // of the thread that runs
extern SHIM_API unsigned block_rank;                   // in its cluster
extern SHIM_API dim3 cluster_size;

// `line` is the source line of the call: a barrier in one branch does not match a barrier in the other.
SHIM_API Votes barrier(Wait kind, bool predicate, int line);
// Gives each lane of the mask the value of its source lane; of a vote, the mask of the lanes with a value.
SHIM_API uint64_t exchange(Wait kind, unsigned mask, uint64_t value, unsigned source, int line);
// Lets other threads run, and other blocks where all threads of this one wait or spin.
SHIM_API void spin();
// What a thread calls that may be waiting for another one in a loop: spins now and then.
SHIM_API void maybe_spin();
SHIM_API void *map_shared(const void *address, unsigned rank);
// What cp.async does: a thread's copies are there when it has waited for them, and no earlier.
SHIM_API void copy_later(void *to, const void *from, size_t bytes);
SHIM_API void copies_arrive();
[[noreturn]] SHIM_API void fail(const char *format, ...) __attribute__((format(printf, 1, 2)));

}  // namespace shim

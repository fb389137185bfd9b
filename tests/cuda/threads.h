// CUDA's functions of several threads: barriers, shuffles, votes, atomics.
#pragma once

constexpr int warpSize = 32;

inline void __syncthreads(int line = __builtin_LINE()) { shim::barrier(shim::SYNCTHREADS, false, line); }
inline int __syncthreads_count(int predicate, int line = __builtin_LINE()) {
    return shim::barrier(shim::SYNCTHREADS, predicate, line).count;
}
inline int __syncthreads_or(int predicate, int line = __builtin_LINE()) {
    return shim::barrier(shim::SYNCTHREADS, predicate, line).count > 0;
}
inline int __syncthreads_and(int predicate, int line = __builtin_LINE()) {
    const shim::Votes votes = shim::barrier(shim::SYNCTHREADS, predicate, line);
    return votes.count == votes.threads;
}

// Whoever has arrived waits: no kernel here does anything in between.
inline void __cluster_barrier_arrive() {}
inline void __cluster_barrier_wait(int line = __builtin_LINE()) { shim::barrier(shim::CLUSTER_SYNC, false, line); }
inline void *__cluster_map_shared_rank(const void *address, unsigned rank) { return shim::map_shared(address, rank); }

inline void __syncwarp(unsigned mask = 0xffffffff, int line = __builtin_LINE()) {
    shim::exchange(shim::SYNCWARP, mask, 0, shim::lane, line);
}
inline unsigned __ballot_sync(unsigned mask, int predicate, int line = __builtin_LINE()) {
    return shim::exchange(shim::VOTE, mask, predicate != 0, 0, line);
}
inline int __any_sync(unsigned mask, int predicate, int line = __builtin_LINE()) {
    return shim::exchange(shim::VOTE, mask, predicate != 0, 0, line) != 0;
}
inline int __all_sync(unsigned mask, int predicate, int line = __builtin_LINE()) {
    return shim::exchange(shim::VOTE, mask, predicate == 0, 0, line) == 0;
}

namespace shim {
template <class T> T shuffle(unsigned mask, T value, unsigned source, int line) {
    static_assert(sizeof(T) <= 8);
    uint64_t raw = 0;
    memcpy(&raw, &value, sizeof value);
    raw = exchange(SHUFFLE, mask, raw, source, line);
    memcpy(&value, &raw, sizeof value);
    return value;
}
// A source outside of the segment of `width` lanes is the lane itself.
inline unsigned within(unsigned source, bool inside) { return inside ? source : lane; }
}  // namespace shim

template <class T> T __shfl_sync(unsigned mask, T value, int source, int width = 32, int line = __builtin_LINE()) {
    return shim::shuffle(mask, value, (shim::lane & -width) | (source & (width - 1)), line);
}
template <class T> T __shfl_xor_sync(unsigned mask, T value, int bits, int width = 32, int line = __builtin_LINE()) {
    const unsigned source = shim::lane ^ bits;
    return shim::shuffle(mask, value, shim::within(source, source < (shim::lane & -width) + width), line);
}
template <class T> T __shfl_down_sync(unsigned mask, T value, int by, int width = 32, int line = __builtin_LINE()) {
    const unsigned source = shim::lane + by;
    return shim::shuffle(mask, value, shim::within(source, source < (shim::lane & -width) + width), line);
}
template <class T> T __shfl_up_sync(unsigned mask, T value, int by, int width = 32, int line = __builtin_LINE()) {
    return shim::shuffle(mask, value, shim::within(shim::lane - by, unsigned(by) <= (shim::lane & (width - 1))), line);
}

// Everything runs in one thread of the machine, in the order of the program.
inline void __threadfence_block() {}
inline void __threadfence() { shim::maybe_spin(); }
inline void __threadfence_system() { shim::maybe_spin(); }
inline void __nanosleep(unsigned) { shim::spin(); }

namespace shim {
template <class T> T replace(T *p, T value) {
    const T old = *p;
    if (old == value) maybe_spin();  // this may be how a loop reads a flag
    else *p = value;
    return old;
}
}  // namespace shim

#define SHIM_ATOMICS(T)                                                                             \
    inline T atomicAdd(T *p, T v) { return shim::replace(p, (T)(*p + v)); }                           \
    inline T atomicExch(T *p, T v) { return shim::replace(p, v); }
#define SHIM_INTEGER_ATOMICS(T)                                                                     \
    SHIM_ATOMICS(T)                                                                                 \
    inline T atomicMax(T *p, T v) { return shim::replace(p, *p < v ? v : *p); }                     \
    inline T atomicMin(T *p, T v) { return shim::replace(p, v < *p ? v : *p); }                     \
    inline T atomicAnd(T *p, T v) { return shim::replace(p, (T)(*p & v)); }                           \
    inline T atomicOr(T *p, T v) { return shim::replace(p, (T)(*p | v)); }                            \
    inline T atomicCAS(T *p, T compare, T v) { return shim::replace(p, *p == compare ? v : *p); }
SHIM_INTEGER_ATOMICS(int)
SHIM_INTEGER_ATOMICS(unsigned)
SHIM_INTEGER_ATOMICS(unsigned long long)
SHIM_ATOMICS(float)
SHIM_ATOMICS(double)
inline int atomicSub(int *p, int v) { return atomicAdd(p, -v); }
inline unsigned atomicSub(unsigned *p, unsigned v) { return atomicAdd(p, -v); }
inline unsigned atomicInc(unsigned *p, unsigned last) { return shim::replace(p, *p >= last ? 0u : *p + 1); }

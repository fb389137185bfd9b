// What Python hands over for a launch: the same fields as cpu_module.Launch.
#pragma once
#include <cstdint>

namespace shim {

// The arguments as the calling convention places them, which is all that it takes to call a function that is known only
// at run time: registers of integers, registers of floating-point numbers, and the stack.
constexpr int INTEGERS =
#ifdef __x86_64__
    6;
#else
    8;
#endif

struct Range {
    uint64_t offset, bytes;
};

struct Launch {
    const char *name;
    const char *function;
    uint64_t grid[3], block[3], cluster[3];
    uint64_t module_shared, dynamic_shared, shared_alignment;  // bytes; of all __shared__ variables of all its kernels
    const Range *shared;  // the variables that this kernel reaches
    uint64_t shared_ranges;
    int64_t schedule, seed, cooperative;
    uint64_t resident;  // how many clusters, or blocks, may be in flight
    double seconds;  // of processor time
    uint64_t integers[INTEGERS];
    double floats[8];
    const uint64_t *stack;
    uint64_t stack_words;
};

template <int words> struct alignas(16) Words { uint64_t word[words]; };

template <int words> void call_with(const Launch &l) {
    using F = void (*)(uint64_t, uint64_t, uint64_t, uint64_t, uint64_t, uint64_t,
#ifndef __x86_64__
                       uint64_t, uint64_t,
#endif
                       double, double, double, double, double, double, double, double, Words<words>);
    const uint64_t *i = l.integers;
    const double *f = l.floats;
    ((F)l.function)(i[0], i[1], i[2], i[3], i[4], i[5],
#ifndef __x86_64__
                    i[6], i[7],
#endif
                    f[0], f[1], f[2], f[3], f[4], f[5], f[6], f[7], *(const Words<words> *)l.stack);
}

// Words beyond those that the kernel takes do no harm; so few sizes are enough.
constexpr uint64_t MOST_WORDS = 512;
inline void call(const Launch &l) {
    if (l.stack_words <= 4) call_with<4>(l);
    else if (l.stack_words <= 16) call_with<16>(l);
    else if (l.stack_words <= 32) call_with<32>(l);
    else if (l.stack_words <= 64) call_with<64>(l);
    else call_with<MOST_WORDS>(l);
}

}  // namespace shim

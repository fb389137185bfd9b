// The threads of one block: which of them wait for what, and the pass that runs those that do not.
#pragma once
#include <algorithm>
#include <cstring>
#include <numeric>
#include <vector>

#include "fibers.h"
#include "runtime.h"
#include "shared.h"

namespace shim {

enum State : unsigned char { READY, RUNNING, SPINNING, WAITING, DONE };

inline const char *name_of(Wait kind) {
    static const char *const names[] = {"__syncthreads", "cluster.sync", "grid.sync",
                                        "__syncwarp",    "a shuffle",    "a vote"};
    return names[kind];
}

struct Thread {
    uint3 index;
    State state;
    Wait kind;  // what it waits at, and where: the line of the source
    int line;
    unsigned mask, source;  // of what a warp does together
    uint64_t value;
    Fiber *fiber;
};

// Lanes that wait for others of their warp; lanes that returned, or that the block is too small for.
struct Warp {
    unsigned arrived, gone;
};

// A permutation of 0 .. n - 1, computed as it is asked for.
struct Order {
    uint64_t at, step, n;
    uint64_t next() {
        const uint64_t now = at;
        at += step;
        if (at >= n) at -= n;
        return now;
    }
};

struct Random {
    uint64_t state;
    uint64_t operator()() {  // splitmix64
        uint64_t z = state += 0x9e3779b97f4a7c15;
        z = (z ^ z >> 30) * 0xbf58476d1ce4e5b9;
        z = (z ^ z >> 27) * 0x94d049bb133111eb;
        return z ^ z >> 31;
    }
};

enum Schedule : int { FORWARD, REVERSE, SHUFFLED };

inline Order order(uint64_t n, int schedule, Random &random) {
    if (schedule == FORWARD || n == 1) return {0, 1, n};
    if (schedule == REVERSE) return {n - 1, n - 1, n};
    uint64_t step;
    do step = 1 + random() % (n - 1);
    while (std::gcd(step, n) != 1);
    return {random() % n, step, n};
}

struct Unit;  // the blocks of one cluster

struct Block {
    uint3 index;
    Unit *unit;
    unsigned rank;  // in its cluster
    std::vector<Thread> threads;
    std::vector<Warp> warps;
    unsigned done, arrived;  // threads that returned; threads that wait at the barrier
    Wait kind;               // of that barrier, and its line
    int line;
    int trues;               // of the barrier's predicates, so far
    Votes votes;             // of the barrier before
    bool waits;              // all of its threads, for other blocks
    Shared shared;

    unsigned count() const { return threads.size(); }
    bool finished() const { return done == count(); }

    void start(dim3 shape) {
        threads.resize(shape.x * shape.y * shape.z);
        Thread *t = threads.data();
        for (unsigned z = 0; z < shape.z; ++z)
            for (unsigned y = 0; y < shape.y; ++y)
                for (unsigned x = 0; x < shape.x; ++x, ++t) {
                    t->index = {x, y, z};
                    t->state = READY;
                    t->fiber = nullptr;
                }
        warps.assign((count() + 31) / 32, Warp{0, 0});
        if (count() % 32) warps.back().gone = ~0u << count() % 32;
        done = arrived = trues = 0;
        waits = false;
    }

    void release() {
        votes = {trues, (int)count()};
        arrived = trues = 0;
        waits = false;
        for (Thread &t : threads) t.state = READY;
    }

    // Lets the lanes go on that wait for one another in a warp, once all have come that are still there.
    void meet(unsigned linear) {
        Warp &warp = warps[linear / 32];
        const Thread &me = threads[linear];
        const unsigned present = me.mask & ~warp.gone;
        if (present & ~warp.arrived) return;
        Thread *lanes = &threads[linear & ~31u];
        uint64_t values[32];
        memset(values, 0xff, sizeof values);  // of a lane that is not there: NaN
        unsigned vote = 0;
        for (unsigned rest = present; rest; rest &= rest - 1) {
            const unsigned i = __builtin_ctz(rest);
            agree(me, lanes[i]);
            values[i] = lanes[i].value;
            vote |= (values[i] != 0) << i;
        }
        for (unsigned rest = present; rest; rest &= rest - 1) {
            Thread &t = lanes[__builtin_ctz(rest)];
            t.value = me.kind == VOTE ? vote : values[t.source & 31];
            t.state = READY;
        }
        warp.arrived &= ~present;
    }

private:
    static void agree(const Thread &me, const Thread &other) {
        if (other.kind == me.kind && other.line == me.line && other.mask == me.mask) return;
        fail("%s of line %d (mask %#x) meets %s of line %d (mask %#x) in thread (%u, %u, %u) of its warp",
             name_of(me.kind), me.line, me.mask, name_of(other.kind), other.line, other.mask, other.index.x,
             other.index.y, other.index.z);
    }
};

}  // namespace shim

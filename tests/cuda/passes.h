// Runs the threads of one block, each for as long as it does not wait.
#pragma once
#include "waits.h"

namespace shim {

static void finish(Block &b, Thread &t) {
    t.state = DONE;
    ++b.done;
    if (b.arrived)
        fail("returns, and %u threads of the block wait for it at %s (line %d)", b.arrived, name_of(b.kind), b.line);
    const unsigned linear = &t - b.threads.data();
    Warp &warp = b.warps[linear / 32];
    warp.gone |= 1u << linear % 32;
    for (unsigned i = 0; i < 32 && warp.arrived; ++i)
        if (warp.arrived >> i & 1) b.meet((linear & ~31u) + i);
    if (!b.finished()) return;
    ++b.unit->done;
    ++blocks_done;
    if (b.unit->arrived) fail("returns, and other blocks of its cluster wait for it at cluster.sync");
    if (at_grid_sync) fail("returns, and other blocks wait for it at grid.sync");
}

void work() {
    for (;;) {
        call(*launch);
        finish(*block, *self);
        leave(*self->fiber);
    }
}

static void run_thread(Thread &t, unsigned linear) {
    self = &t;
    threadIdx = t.index;
    lane = linear % 32;
    t.state = RUNNING;
    if (!t.fiber && !(t.fiber = fibers.take())) fail("too many threads are in flight for this machine's memory map");
    resume(*t.fiber);
    if (t.state == DONE) fibers.give(t.fiber);
}

// Runs the threads of one warp that can run, and those that they let go on, until all wait or spin; tells how many spin.
static unsigned run_warp(Block &b, unsigned warp, bool reverse) {
    unsigned spinning = 0;
    for (bool first = true, again = true; again; first = false) {
        again = false;
        for (unsigned i = 0; i < 32; ++i) {
            const unsigned linear = 32 * warp + (reverse ? 31 - i : i);
            if (linear >= b.count()) continue;
            Thread &t = b.threads[linear];
            if (t.state != READY && !(first && t.state == SPINNING)) continue;
            run_thread(t, linear);
            if (t.state == SPINNING) ++spinning;
            else moved = again = true;
        }
    }
    return spinning;
}

// Runs each thread that can run, once and in any order; tells how many spin.
static unsigned run_mixed(Block &b) {
    unsigned spinning = 0;
    Order o = order(b.count(), SHUFFLED, random_bits);
    for (unsigned i = 0; i < b.count(); ++i) {
        const unsigned linear = o.next();
        Thread &t = b.threads[linear];
        if (t.state != READY && t.state != SPINNING) continue;
        run_thread(t, linear);
        if (t.state == SPINNING) ++spinning;
        else moved = true;
    }
    return spinning;
}

// So at times, and at times one warp after the other in any order, which takes half as long: their stacks fit the cache.
static unsigned run_shuffled(Block &b) {
    if (random_bits() % 2) return run_mixed(b);
    unsigned spinning = 0;
    Order o = order(b.warps.size(), SHUFFLED, random_bits);
    for (size_t i = 0; i < b.warps.size(); ++i) spinning += run_warp(b, o.next(), random_bits() % 2);
    return spinning;
}

// Runs what can run of a block; tells how many threads spin. A schedule that is not shuffled lets each warp run ahead of
// the others, as far as no barrier of the block holds it; the shuffled one keeps all threads close together at times.
static unsigned pass(Block &b) {
    block = &b;
    blockIdx = b.index;
    block_rank = b.rank;
    shared_static = b.shared.begin;
    shared_dynamic = b.shared.begin + launch->module_shared;
    const unsigned warps = b.warps.size();
    const bool reverse = launch->schedule == REVERSE;
    unsigned spinning = 0;
    if (launch->schedule == SHUFFLED)
        spinning = run_shuffled(b);
    else
        for (unsigned w = 0; w < warps; ++w) spinning += run_warp(b, reverse ? warps - 1 - w : w, reverse);
    self = nullptr;
    return spinning;
}

static void deadlock(Block &b) {
    const Thread *first = nullptr, *other = nullptr;
    for (const Thread &t : b.threads)
        if (t.state == WAITING) {
            if (!first) first = &t;
            else if (t.kind != first->kind || t.line != first->line) other = &t;
        }
    if (!other) fail("deadlock: thread (%u, %u, %u) waits at %s (line %d) for lanes that never come", first->index.x,
                     first->index.y, first->index.z, name_of(first->kind), first->line);
    fail("deadlock: thread (%u, %u, %u) waits at %s (line %d), thread (%u, %u, %u) at %s (line %d)", first->index.x,
         first->index.y, first->index.z, name_of(first->kind), first->line, other->index.x, other->index.y,
         other->index.z, name_of(other->kind), other->line);
}

// Runs a block while its threads do more than spin; in the shuffled schedule other blocks run between its barriers.
// Tells whether threads spin.
static bool run(Block &b) {
    for (;;) {
        const bool moved_before = moved;
        moved = false;
        const unsigned spinning = pass(b);
        const bool now = moved;
        moved |= moved_before;
        if (b.finished() || b.waits) return false;
        if (!now && !spinning) deadlock(b);
        if (!now || launch->schedule == SHUFFLED) return spinning;
    }
}

}  // namespace shim

// Where threads wait, as runtime.h declares it to kernels: each call lets others run until what it waits for is there.
#pragma once
#include "state.h"

namespace shim {

static void pause() { leave(*self->fiber); }

static void release(std::vector<Block *> &blocks) {
    for (Block *b : blocks) b->release();
}

static void all_arrived(Block &b) {
    moved = true;
    if (b.kind == SYNCTHREADS) return b.release();
    b.waits = true;
    if (b.kind == CLUSTER_SYNC) {
        if (b.unit->done) fail("waits at cluster.sync, and another block of its cluster has returned");
        if (++b.unit->arrived < b.unit->blocks.size()) return;
        b.unit->arrived = 0;
        release(b.unit->blocks);
    } else {
        if (blocks_done) fail("waits at grid.sync, and another block has returned");
        if (++at_grid_sync < blocks_total) return;
        at_grid_sync = 0;
        for (Unit &u : in_flight) release(u.blocks);
    }
}

Votes barrier(Wait kind, bool predicate, int line) {
    Block &b = *block;
    if (b.done)
        fail("waits at %s (line %d), which %u threads of the block never reach: they have returned", name_of(kind),
             line, b.done);
    if (kind == GRID_SYNC && !launch->cooperative) fail("grid.sync in a launch that is not cooperative");
    if (b.arrived && (b.kind != kind || b.line != line))
        fail("waits at %s (line %d), and %u other threads of the block at %s (line %d)", name_of(kind), line, b.arrived,
             name_of(b.kind), b.line);
    self->state = WAITING;
    self->kind = b.kind = kind;
    self->line = b.line = line;
    b.trues += predicate;
    if (++b.arrived == b.count()) all_arrived(b);
    pause();
    return block->votes;
}

uint64_t exchange(Wait kind, unsigned mask, uint64_t value, unsigned source, int line) {
    if (!(mask >> lane & 1)) fail("%s (line %d): its mask %#x leaves out the lane itself", name_of(kind), line, mask);
    Thread &t = *self;
    t = {t.index, WAITING, kind, line, mask, source, value, t.fiber};
    const unsigned linear = &t - block->threads.data();
    block->warps[linear / 32].arrived |= 1u << lane;
    block->meet(linear);
    if (t.state == WAITING) pause();
    t.state = RUNNING;
    return t.value;
}

void spin() {
    self->state = SPINNING;
    pause();
}

void maybe_spin() {
    if (++maybe_spins % SPIN_AFTER == 0) spin();
}

void *map_shared(const void *address, unsigned rank) {
    const ptrdiff_t offset = (const char *)address - block->shared.begin;
    if (offset < 0 || offset >= (ptrdiff_t)(launch->module_shared + launch->dynamic_shared))
        fail("map_shared_rank of %p, which is not in its shared memory", address);
    const auto &blocks = block->unit->blocks;
    if (rank >= blocks.size()) fail("map_shared_rank of rank %u in a cluster of %zu blocks", rank, blocks.size());
    return blocks[rank]->shared.begin + offset;
}

void copy_later(void *to, const void *from, size_t bytes) { copies[self].push_back({to, from, bytes}); }

void copies_arrive() {
    for (const Copy &c : copies[self]) memcpy(c.to, c.from, c.bytes);
    copies[self].clear();
}

}  // namespace shim

// Runs the blocks of a launch, in the order of a schedule. A block runs until its threads have returned, or all of them
// spin or wait for other blocks: then it stays in flight, and others run. One launch at a time, in the calling thread.
#include <dlfcn.h>
#include <link.h>

#include <memory>

#include "block.h"
#include "faults.h"
#include "launch.h"

uint3 threadIdx, blockIdx;
dim3 blockDim, gridDim;

namespace shim {

char *shared_static, *shared_dynamic;
unsigned lane, block_rank;
dim3 cluster_size;

struct Unit {
    std::vector<Block *> blocks;
    unsigned done, arrived;  // blocks that are finished; blocks that wait at cluster.sync
};

constexpr unsigned PATIENCE = 10000;  // rounds in which all that happens is that threads spin
constexpr unsigned SPIN_AFTER = 32;   // calls that may be a loop that waits

static Fibers fibers;
static std::vector<std::unique_ptr<Block>> every_block;
static std::vector<Block *> free_blocks;
static std::vector<Unit> in_flight;
static const Launch *launch;
static Random random_bits;
static uint64_t blocks_total, blocks_done, at_grid_sync;
static Block *block;
static Thread *self;
static bool moved;  // a thread did more than spin
static unsigned maybe_spins;

static dim3 shape_of(const uint64_t *v) { return dim3(v[0], v[1], v[2]); }

void describe(char *text, size_t size) {
    int used = snprintf(text, size, "kernel %s", launch->name);
    if (block) used += snprintf(text + used, size - used, ", block (%u, %u, %u)", block->index.x, block->index.y, block->index.z);
    if (self) used += snprintf(text + used, size - used, ", thread (%u, %u, %u)", self->index.x, self->index.y, self->index.z);
    snprintf(text + used, size - used, ": ");
}

void fail(const char *format, ...) {
    va_list values;
    va_start(values, format);
    give_up(format, values);
}

const char *place(const char *address, char *text, size_t size) {
    if (fibers.guards(address)) return ", where its stack of 60 KB ends";
    for (const auto &b : every_block) {
        if (b->shared.has(address)) return ", in the shared memory of a block that has returned";
        if (!b->shared.guards(address)) continue;
        snprintf(text, size, ", %td bytes past the end of %s shared memory", b->shared.past_end(address),
                 b.get() == block ? "its" : "another block's");
        return text;
    }
    return "";
}

// ---- what threads call

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
    if (b.done) fail("waits at %s (line %d), which %u threads of the block never reach: they have returned", name_of(kind), line, b.done);
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
    if (!(mask >> lane & 1)) fail("%s (line %d) with a mask %#x that leaves out the lane itself", name_of(kind), line, mask);
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

// ---- threads and blocks

static void finish(Block &b, Thread &t) {
    t.state = DONE;
    ++b.done;
    if (b.arrived) fail("returns, and %u threads of the block wait for it at %s (line %d)", b.arrived, name_of(b.kind), b.line);
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

// Runs each thread that can run, once; tells how many spin.
static unsigned pass(Block &b) {
    block = &b;
    blockIdx = b.index;
    block_rank = b.rank;
    shared_static = b.shared.begin;
    shared_dynamic = b.shared.begin + launch->module_shared;
    unsigned spinning = 0;
    Order o = order(b.count(), launch->schedule, random_bits);
    for (unsigned i = 0; i < b.count(); ++i) {
        const unsigned linear = o.next();
        Thread &t = b.threads[linear];
        if (t.state != READY && t.state != SPINNING) continue;
        run_thread(t, linear);
        if (t.state == SPINNING) ++spinning;
        else moved = true;
    }
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

static Block *new_block() {
    if (!free_blocks.empty()) {
        Block *b = free_blocks.back();
        free_blocks.pop_back();
        return b;
    }
    every_block.emplace_back(new Block{});
    return every_block.back().get();
}

static void start_unit(uint64_t number) {
    const uint64_t *c = launch->cluster, *g = launch->grid;
    const uint64_t ux = g[0] / c[0], uy = g[1] / c[1];
    in_flight.push_back(Unit{});
    for (unsigned rank = 0; rank < c[0] * c[1] * c[2]; ++rank) {
        Block *b = new_block();
        b->index = {unsigned(number % ux * c[0] + rank % c[0]), unsigned(number / ux % uy * c[1] + rank / c[0] % c[1]),
                    unsigned(number / ux / uy * c[2] + rank / c[0] / c[1])};
        b->rank = rank;
        if (!b->shared.start(*launch)) fail("no memory for the shared memory of another block");
        b->start(blockDim);
        in_flight.back().blocks.push_back(b);
    }
}

static void retire(size_t i) {
    for (Block *b : in_flight[i].blocks) {
        if (in_flight[i].blocks.size() > 1) b->shared.allow();
        free_blocks.push_back(b);
    }
    if (i + 1 < in_flight.size()) std::swap(in_flight[i], in_flight.back());
    in_flight.pop_back();
}

// Runs each unit in flight; tells whether a thread spins.
static bool round() {
    bool spinning = false;
    for (size_t i = 0; i < in_flight.size();) {
        for (Block *b : in_flight[i].blocks) {
            if (b->finished() || b->waits) continue;
            b->unit = &in_flight[i];
            spinning |= run(*b);
            // Other blocks of the cluster may not touch the memory of one that has returned.
            if (b->finished() && in_flight[i].blocks.size() > 1) b->shared.forbid();
        }
        if (in_flight[i].done == in_flight[i].blocks.size()) retire(i);
        else ++i;
    }
    return spinning;
}

static void run_grid() {
    const uint64_t units = blocks_total / (launch->cluster[0] * launch->cluster[1] * launch->cluster[2]);
    Order o = order(units, launch->schedule, random_bits);
    const size_t at_once = launch->schedule == SHUFFLED ? 1 + random_bits() % 4 : 1;
    uint64_t started = 0;
    for (unsigned idle = 0; started < units || !in_flight.empty();) {
        moved = false;
        const bool spinning = round();
        if (started < units && (in_flight.size() < at_once || !moved)) {
            start_unit(o.next());
            ++started;
            idle = 0;
        } else if (moved) {
            idle = 0;
        } else if (!spinning || ++idle > PATIENCE) {
            block = nullptr;
            fail(spinning ? "deadlock: all threads that do not wait spin, and nothing else happens"
                          : "deadlock: every block waits for another one");
        }
    }
}

static void forget() {
    fibers.reset();
    in_flight.clear();
    free_blocks.clear();
    for (const auto &b : every_block) {
        b->shared.allow();
        free_blocks.push_back(b.get());
    }
}

extern "C" SHIM_API const char *shim_launch(const Launch *l, uint64_t *address) {
    launch = l;
    block = nullptr;
    self = nullptr;
    gridDim = shape_of(l->grid);
    blockDim = shape_of(l->block);
    cluster_size = shape_of(l->cluster);
    random_bits.state = l->seed;
    blocks_total = l->grid[0] * l->grid[1] * l->grid[2];
    blocks_done = at_grid_sync = maybe_spins = 0;
    Guard guard(l->seconds);
    if (sigsetjmp(back, 0)) {
        forget();
        *address = fault_address;
        return message;
    }
    run_grid();
    return nullptr;
}

struct ModuleShared {
    const void *base;
    uint64_t bytes, alignment;
};

// All __shared__ variables of the library that a function belongs to: its thread-local segment.
extern "C" SHIM_API void shim_module_shared(const void *function, ModuleShared *found) {
    Dl_info info;
    *found = {dladdr(function, &info) ? info.dli_fbase : nullptr, 0, 1};
    dl_iterate_phdr(
        [](dl_phdr_info *module, size_t, void *data) {
            auto &f = *(ModuleShared *)data;
            if ((const void *)module->dlpi_addr != f.base) return 0;
            for (int i = 0; i < module->dlpi_phnum; ++i)
                if (const auto &h = module->dlpi_phdr[i]; h.p_type == PT_TLS) f.bytes = h.p_memsz, f.alignment = h.p_align;
            return 1;
        },
        found);
}

}  // namespace shim

// Runs the blocks of a launch, in the order of a schedule. A block runs until its threads have returned, or all of them
// spin or wait for other blocks: then it stays in flight, and others run.
#include <dlfcn.h>
#include <link.h>

#include "passes.h"

namespace shim {

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
    const size_t at_once = std::min<size_t>(launch->resident, launch->schedule == SHUFFLED ? 1 + random_bits() % 4 : 1);
    uint64_t started = 0;
    for (unsigned idle = 0; started < units || !in_flight.empty();) {
        for (; started < units && in_flight.size() < at_once; ++started) start_unit(o.next());
        moved = false;
        const bool spinning = round();
        if (moved) {
            idle = 0;
        } else if (started < units && in_flight.size() < launch->resident) {  // they may be what is waited for
            start_unit(o.next());
            ++started;
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
    copies.clear();
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
            for (int i = 0; i < module->dlpi_phnum; ++i) {
                const auto &header = module->dlpi_phdr[i];
                if (header.p_type == PT_TLS) f = {f.base, header.p_memsz, header.p_align};
            }
            return 1;
        },
        found);
}

}  // namespace shim

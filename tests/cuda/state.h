// What is under way: one launch at a time, in the calling thread of the machine; and what is said where it goes wrong.
#pragma once
#include <memory>
#include <unordered_map>

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

struct Copy {
    void *to;
    const void *from;
    size_t bytes;
};
static std::unordered_map<const Thread *, std::vector<Copy>> copies;  // of each thread, under way

static dim3 shape_of(const uint64_t *v) { return dim3(v[0], v[1], v[2]); }

void describe(char *text, size_t size) {
    char *end = text + size;
    text += snprintf(text, size, "kernel %s", launch->name);
    const auto add = [&](const char *what, uint3 i) {
        text += snprintf(text, end - text, ", %s (%u, %u, %u)", what, i.x, i.y, i.z);
    };
    if (block) add("block", block->index);
    if (self) add("thread", self->index);
    snprintf(text, end - text, ": ");
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

}  // namespace shim

// The shared memory of one block: it ends where a guard page begins.
#pragma once
#include <sys/mman.h>

#include <cstring>

#include "fibers.h"
#include "launch.h"

namespace shim {

class Shared {
    char *slot = nullptr;  // between two guard pages
    size_t size = 0;

    bool grow(size_t wanted) {
        if (slot) munmap(slot - PAGE, size + 2 * PAGE);
        size = (wanted + 16 * PAGE) / PAGE * PAGE;
        void *memory = mmap(nullptr, size + 2 * PAGE, PROT_NONE, MAP_PRIVATE | MAP_ANONYMOUS | MAP_NORESERVE, -1, 0);
        slot = memory == MAP_FAILED ? nullptr : (char *)memory + PAGE;
        return slot && allow();
    }

public:
    char *begin = nullptr;  // static variables, then dynamic ones

    // As a block finds it: 0xFF throughout, which is NaN.
    bool start(const Launch &l) {
        const uint64_t bytes = l.module_shared + l.dynamic_shared, a = l.shared_alignment;
        const size_t wanted = (bytes + a - 1) / a * a;
        if (wanted > size && !grow(wanted)) return false;
        begin = slot + size - wanted;
        for (uint64_t i = 0; i < l.shared_ranges; ++i) memset(begin + l.shared[i].offset, 0xff, l.shared[i].bytes);
        memset(begin + l.module_shared, 0xff, slot + size - (begin + l.module_shared));
        return true;
    }
    // Of a block that has returned, which others of its cluster may not touch any more.
    void forbid() { mprotect(slot, size, PROT_NONE); }
    bool allow() { return mprotect(slot, size, PROT_READ | PROT_WRITE) == 0; }

    bool has(const char *p) const { return slot && p >= slot && p < slot + size; }
    bool guards(const char *p) const { return slot && !has(p) && p >= slot - PAGE && p < slot + size + PAGE; }
    ptrdiff_t past_end(const char *p) const { return p - (slot + size); }
};

}  // namespace shim

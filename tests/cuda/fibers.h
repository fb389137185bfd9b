// Fibers: a stack each, and a switch in a dozen instructions (swapcontext makes a system call).
#pragma once
#include <sys/mman.h>

#include <cstdint>
#include <cstdio>
#include <vector>

#if !defined(__x86_64__) || defined(SHIM_UCONTEXT)
#include <ucontext.h>
#endif

namespace shim {

constexpr size_t PAGE = 4096, STACK = 16 * PAGE;  // the lowest page is a guard; only pages that are used take memory
constexpr size_t PITCH = STACK + PAGE;  // an odd number of pages: at an even one few places of the TLB would hold them all
constexpr size_t STACKS_AT_ONCE = 64;
constexpr size_t GUARDED = 8192;  // a process may have 65,530 pieces of memory, and each guard page makes two

struct Fiber {
    char *base;
#if defined(__x86_64__) && !defined(SHIM_UCONTEXT)
    void *pointer;  // of the stack, while the fiber does not run
#else
    ucontext_t context;
#endif
};

[[noreturn]] void work();  // what a fiber does: runs one thread after another

#if defined(__x86_64__) && !defined(SHIM_UCONTEXT)

// Inline, and left by a jump: a return would be predicted to go where the other stack came from, and wrongly so.
// What the compiler may not be told of as clobbered is pushed. It needs -mno-red-zone.
inline __attribute__((always_inline)) void switch_to(void **save, void *load) {
    asm volatile(
        "pushq %%rbp\n\t"
        "pushq %%rbx\n\t"
        "leaq 1f(%%rip), %%rax\n\t"
        "pushq %%rax\n\t"
        "movq %%rsp, (%0)\n\t"
        "movq %1, %%rsp\n\t"
        "popq %%rax\n\t"
        "jmp *%%rax\n"
        "1:\n\t"
        "popq %%rbx\n\t"
        "popq %%rbp\n\t"
        : "+D"(save), "+S"(load)
        :
        : "rax", "rcx", "rdx", "r8", "r9", "r10", "r11", "r12", "r13", "r14", "r15", "xmm0", "xmm1", "xmm2", "xmm3",
          "xmm4", "xmm5", "xmm6", "xmm7", "xmm8", "xmm9", "xmm10", "xmm11", "xmm12", "xmm13", "xmm14", "xmm15", "cc",
          "memory");
}

inline void *scheduler;  // its stack pointer, while a fiber runs

// The stack of a fiber that is about to start: where it goes on.
inline void prepare(Fiber &f) {
    // Tops at one distance of each other would all fall on the same lines of the cache.
    const size_t color = (uintptr_t)f.base / PITCH % 64 * 208;
    void **top = (void **)(f.base + STACK - 16 - color);  // on 16 bytes, as for a call of work()
    top[0] = (void *)work;
    top[1] = nullptr;
    f.pointer = top;
}
inline __attribute__((always_inline)) void resume(Fiber &f) { switch_to(&scheduler, f.pointer); }
inline __attribute__((always_inline)) void leave(Fiber &f) { switch_to(&f.pointer, scheduler); }

#else

inline ucontext_t scheduler;

inline void prepare(Fiber &f) {
    getcontext(&f.context);
    f.context.uc_stack.ss_sp = f.base + PAGE;
    f.context.uc_stack.ss_size = STACK - PAGE;
    f.context.uc_link = nullptr;
    makecontext(&f.context, (void (*)())work, 0);
}
inline __attribute__((always_inline)) void resume(Fiber &f) { swapcontext(&scheduler, &f.context); }
inline __attribute__((always_inline)) void leave(Fiber &f) { swapcontext(&f.context, &scheduler); }

#endif

// Fibers are never given back to the system: the next launch takes them again.
class Fibers {
    std::vector<Fiber *> all, free;

    bool grow() {
        char *memory = (char *)mmap(nullptr, STACKS_AT_ONCE * PITCH, PROT_READ | PROT_WRITE,
                                    MAP_PRIVATE | MAP_ANONYMOUS | MAP_NORESERVE, -1, 0);
        if (memory == MAP_FAILED) return false;
        for (size_t i = 0; i < STACKS_AT_ONCE; ++i) {
            char *base = memory + i * PITCH;
            if (all.size() < GUARDED && mprotect(base, PAGE, PROT_NONE)) return false;
            all.push_back(new Fiber{base, {}});
            prepare(*all.back());
            free.push_back(all.back());
        }
        return true;
    }

public:
    Fiber *take() {  // null where the system gives no more
        if (free.empty() && !grow()) return nullptr;
        Fiber *f = free.back();
        free.pop_back();
        return f;
    }
    void give(Fiber *f) { free.push_back(f); }

    // After a launch that failed: whatever the fibers were doing is forgotten.
    void reset() {
        free = all;
        for (Fiber *f : all) prepare(*f);
    }
    bool guards(const char *address) const {
        for (const Fiber *f : all)
            if (address >= f->base && address < f->base + PAGE) return true;
        return false;
    }
};

}  // namespace shim

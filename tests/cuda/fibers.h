// Fibers: a stack each, and a switch that stores six registers (swapcontext makes a system call).
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
constexpr size_t STACKS_AT_ONCE = 64;

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

extern "C" __attribute__((visibility("hidden"))) void shim_switch(void **save, void *load);
asm(R"(
.text
.globl shim_switch
.hidden shim_switch
.type shim_switch, @function
shim_switch:
    pushq %rbp
    pushq %rbx
    pushq %r12
    pushq %r13
    pushq %r14
    pushq %r15
    movq %rsp, (%rdi)
    movq %rsi, %rsp
    popq %r15
    popq %r14
    popq %r13
    popq %r12
    popq %rbx
    popq %rbp
    ret
.size shim_switch, .-shim_switch
)");

inline void *scheduler;  // its stack pointer, while a fiber runs

// The stack of a fiber that was about to start: six registers, and work() to return to.
inline void prepare(Fiber &f) {
    // Tops at one distance of each other would all fall on the same lines of the cache.
    const size_t color = (uintptr_t)f.base / STACK % 8 * 320;
    void **top = (void **)(f.base + STACK - 16 - color);  // on 16 bytes, as the ABI wants the slot of work() to be
    top[0] = (void *)work;
    top[1] = nullptr;
    f.pointer = top - 6;
}
inline void resume(Fiber &f) { shim_switch(&scheduler, f.pointer); }
inline void leave(Fiber &f) { shim_switch(&f.pointer, scheduler); }

#else

inline ucontext_t scheduler;

inline void prepare(Fiber &f) {
    getcontext(&f.context);
    f.context.uc_stack.ss_sp = f.base + PAGE;
    f.context.uc_stack.ss_size = STACK - PAGE;
    f.context.uc_link = nullptr;
    makecontext(&f.context, (void (*)())work, 0);
}
inline void resume(Fiber &f) { swapcontext(&scheduler, &f.context); }
inline void leave(Fiber &f) { swapcontext(&f.context, &scheduler); }

#endif

// Fibers are never given back to the system: the next launch takes them again.
class Fibers {
    std::vector<Fiber *> all, free;

    bool grow() {
        char *memory = (char *)mmap(nullptr, STACKS_AT_ONCE * STACK, PROT_READ | PROT_WRITE,
                                    MAP_PRIVATE | MAP_ANONYMOUS | MAP_NORESERVE, -1, 0);
        if (memory == MAP_FAILED) return false;
        for (size_t i = 0; i < STACKS_AT_ONCE; ++i) {
            char *base = memory + i * STACK;
            if (mprotect(base, PAGE, PROT_NONE)) return false;
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

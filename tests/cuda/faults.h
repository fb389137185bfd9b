// How a launch ends early: a sentence is made of what went wrong, and the launcher goes on where it began.
#pragma once
#include <pthread.h>
#include <setjmp.h>
#include <signal.h>
#include <sys/syscall.h>
#include <time.h>
#include <ucontext.h>
#include <unistd.h>

#include <cstdarg>
#include <cstdint>
#include <cstdio>
#include <cstring>

namespace shim {

inline char message[1024];
inline uintptr_t fault_address;  // where a thread read or wrote and may not; 0 otherwise
inline sigjmp_buf back;
inline volatile bool in_launch;
inline pthread_t launcher;

void describe(char *text, size_t size);                      // which kernel, block and thread
const char *place(const char *address, char *text, size_t);  // what lies there, where the runtime knows

[[noreturn]] inline void give_up(const char *format, va_list values) {
    describe(message, sizeof message);
    const size_t used = strlen(message);
    vsnprintf(message + used, sizeof message - used, format, values);
    siglongjmp(back, 1);
}
[[noreturn]] inline void give_up(const char *format, ...) {
    va_list values;
    va_start(values, format);
    give_up(format, values);
}

inline void on_signal(int number, siginfo_t *info, void *context) {
    if (!in_launch || !pthread_equal(pthread_self(), launcher)) {  // not ours: the default action, at the same place
        signal(number, SIG_DFL);
        if (number == SIGVTALRM) signal(number, SIG_IGN);
        return;
    }
    if (number == SIGVTALRM) give_up("it still runs after all the time that a launch may take: does it wait for ever?");
    if (number == SIGFPE) give_up("an integer is divided by zero");
    if (number == SIGILL) give_up("an instruction that traps, such as an address that is not aligned to its type");
    if (info->si_code == SI_KERNEL) give_up("an address that is not aligned, or none at all");
    const char *did = "reads or writes";
#ifdef __x86_64__
    did = ((ucontext_t *)context)->uc_mcontext.gregs[REG_ERR] & 2 ? "writes" : "reads";
#endif
    char text[200];
    fault_address = (uintptr_t)info->si_addr;
    give_up("it %s address %p%s", did, info->si_addr, place((const char *)info->si_addr, text, sizeof text));
}

// Signal handlers, and a clock, for as long as a launch takes.
class Guard {
    static constexpr int NUMBERS[] = {SIGSEGV, SIGBUS, SIGFPE, SIGILL, SIGVTALRM};
    struct sigaction before[5];
    stack_t stack_before;
    timer_t timer;

public:
    explicit Guard(double seconds) {
        static char *stack = new char[64 * 1024];  // a fiber that overflows has none for the handler
        stack_t own = {};
        own.ss_sp = stack;
        own.ss_size = 64 * 1024;
        sigaltstack(&own, &stack_before);
        struct sigaction action = {};
        action.sa_sigaction = on_signal;
        action.sa_flags = SA_SIGINFO | SA_ONSTACK | SA_NODEFER;  // siglongjmp leaves it, so nothing may stay blocked
        for (int i = 0; i < 5; ++i) sigaction(NUMBERS[i], &action, &before[i]);
        launcher = pthread_self();
        fault_address = 0;
        in_launch = true;
        sigevent event = {};
        event.sigev_notify = SIGEV_THREAD_ID;  // to this thread, whose stack is to be left
        event.sigev_signo = SIGVTALRM;
        event._sigev_un._tid = syscall(SYS_gettid);
        timer_create(CLOCK_THREAD_CPUTIME_ID, &event, &timer);
        itimerspec when = {};
        when.it_value.tv_sec = (time_t)seconds;
        when.it_value.tv_nsec = (long)((seconds - (double)when.it_value.tv_sec) * 1e9);
        timer_settime(timer, 0, &when, nullptr);
    }
    ~Guard() {
        timer_delete(timer);
        in_launch = false;
        for (int i = 0; i < 5; ++i) sigaction(NUMBERS[i], &before[i], nullptr);
        sigaltstack(&stack_before, nullptr);
    }
};

}  // namespace shim

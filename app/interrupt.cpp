#include "app/interrupt.h"

#include <csignal>
#include <initializer_list>

namespace edgefront {

namespace {

constexpr int once = static_cast<int>(SA_RESETHAND | SA_RESTART);

volatile std::sig_atomic_t interrupted = 0;

void on_signal(int) {
    interrupted = 1;
}

void set(int signal, void (*handler)(int), int flags) {
    struct sigaction action = {};
    action.sa_handler = handler;
    sigemptyset(&action.sa_mask);
    action.sa_flags = flags;
    sigaction(signal, &action, nullptr);
}

} // namespace

InterruptGuard::InterruptGuard() {
    interrupted = 0;
    for (const int signal : {SIGINT, SIGTERM}) {
        set(signal, on_signal, once);
    }
    struct sigaction before = {};
    sigaction(SIGHUP, nullptr, &before);
    hangup_ = before.sa_handler != SIG_IGN;
    if (hangup_) {
        set(SIGHUP, on_signal, once);
    }
}

InterruptGuard::~InterruptGuard() {
    for (const int signal : {SIGINT, SIGTERM}) {
        set(signal, SIG_DFL, 0);
    }
    if (hangup_) {
        set(SIGHUP, SIG_DFL, 0);
    }
}

bool InterruptGuard::requested() {
    return interrupted != 0;
}

} // namespace edgefront

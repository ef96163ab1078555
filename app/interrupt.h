// Ctrl-C manners: the first one asks a command to drain and save, the second one ends it at once.
#pragma once

namespace edgefront {

/// While it lives, SIGINT and SIGTERM only set a flag, once; the next one has its usual effect.
class InterruptGuard {
public:
    InterruptGuard();
    ~InterruptGuard();
    InterruptGuard(const InterruptGuard &) = delete;
    InterruptGuard &operator=(const InterruptGuard &) = delete;

    static bool requested();
};

} // namespace edgefront

// Ctrl-C manners: the first one asks a command to drain and save, the second one ends it at once.
#pragma once

namespace edgefront {

/// While it lives, SIGINT, SIGTERM and SIGHUP (unless it is ignored, as under nohup) only set a
/// flag, once; the next one has its usual effect.
class InterruptGuard {
public:
    InterruptGuard();
    ~InterruptGuard();
    InterruptGuard(const InterruptGuard &) = delete;
    InterruptGuard &operator=(const InterruptGuard &) = delete;

    static bool requested();

private:
    bool hangup_ = false; ///< SIGHUP is ours
};

} // namespace edgefront

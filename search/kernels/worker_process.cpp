#include "search/kernels/worker_process.h"

#include "base/error.h"

#include <cerrno>
#include <csignal>
#include <cstring>
#include <fcntl.h>
#include <new>
#include <sys/mman.h>
#include <sys/prctl.h>
#include <sys/wait.h>
#include <unistd.h>

namespace edgefront {

namespace {

/// False when nobody listens any more.
bool send_line(int pipe, const Json &message) {
    const std::string line = message.dump(-1, ' ', false, Json::error_handler_t::replace) + "\n";
    for (std::size_t sent = 0; sent < line.size();) {
        const ssize_t n = ::write(pipe, line.data() + sent, line.size() - sent);
        if (n < 0 && errno != EINTR) {
            return false;
        }
        sent += n > 0 ? static_cast<std::size_t>(n) : 0;
    }
    return true;
}

/// Appends what can be read to `text`; false at the end.
bool receive(int pipe, std::string &text) {
    char buffer[4096];
    const ssize_t n = ::read(pipe, buffer, sizeof buffer);
    if (n < 0) {
        return errno == EINTR || errno == EAGAIN;
    }
    text.append(buffer, static_cast<std::size_t>(n));
    return n > 0;
}

std::optional<Json> first_line(std::string &text) {
    const std::size_t end = text.find('\n');
    if (end == std::string::npos) {
        return {};
    }
    Json line = Json::parse(text.substr(0, end));
    text.erase(0, end + 1);
    return line;
}

/// Never returns: neither buffers nor objects of the parent may be flushed or destroyed twice.
[[noreturn]] void child(int requests, int answers, const WorkerProcess::Serve &serve,
                        WorkerProcess::Signals signals) {
    if (signals == WorkerProcess::Signals::end_it) {
        ::signal(SIGINT, SIG_IGN); // the terminal asks the whole group; the parent decides
        ::signal(SIGTERM, SIG_DFL);
        ::signal(SIGHUP, SIG_DFL);
    }
    const auto say = [&](const Json &said) {
        if (!send_line(answers, {{"said", said}})) {
            ::_exit(1);
        }
    };
    std::string text;
    do {
        while (const std::optional<Json> request = first_line(text)) {
            try {
                if (!send_line(answers, serve(*request, say))) {
                    ::_exit(1);
                }
            } catch (const std::exception &e) {
                send_line(answers, {{"failure", e.what()}});
                ::_exit(1);
            }
        }
    } while (receive(requests, text));
    ::_exit(0);
}

std::string name_of(int status) {
    return WIFSIGNALED(status) ? ::strsignal(WTERMSIG(status)) : "it ended without an answer";
}

} // namespace

SharedNumber::SharedNumber() {
    void *memory =
        ::mmap(nullptr, sizeof *value_, PROT_READ | PROT_WRITE, MAP_SHARED | MAP_ANONYMOUS, -1, 0);
    if (memory == MAP_FAILED) {
        throw UserError(std::string("no shared memory: ") + std::strerror(errno));
    }
    value_ = new (memory) std::atomic<int>(-1);
}

SharedNumber::~SharedNumber() {
    ::munmap(value_, sizeof *value_);
}

WorkerProcess::WorkerProcess(const Serve &serve, Signals signals) {
    int in[2], out[2];
    if (::pipe2(in, O_CLOEXEC) != 0 || ::pipe2(out, O_CLOEXEC) != 0) {
        throw UserError(std::string("no pipe to another process: ") + std::strerror(errno));
    }
    const pid_t parent = ::getpid();
    pid_ = ::fork();
    if (pid_ == 0) {
        ::close(in[1]);
        ::close(out[0]);
        ::prctl(PR_SET_PDEATHSIG, SIGKILL); // whoever ends the parent for good means the child too
        if (::getppid() != parent) {
            ::_exit(1);
        }
        child(in[0], out[1], serve, signals);
    }
    const int reason = errno;
    ::close(in[0]);
    ::close(out[1]);
    requests_ = in[1];
    answers_ = out[0];
    if (pid_ < 0) {
        ::close(requests_);
        ::close(answers_);
        throw UserError(std::string("no further process: ") + std::strerror(reason));
    }
    ::fcntl(answers_, F_SETFL, O_NONBLOCK);
}

WorkerProcess::~WorkerProcess() {
    kill("ended");
    ::close(requests_);
    ::close(answers_);
}

void WorkerProcess::ask(const Json &request) {
    // Writing to a child that died meanwhile must not end this process.
    struct sigaction ignore = {}, before = {};
    ignore.sa_handler = SIG_IGN;
    ::sigaction(SIGPIPE, &ignore, &before);
    send_line(requests_, request);
    ::sigaction(SIGPIPE, &before, nullptr);
}

std::optional<Json> WorkerProcess::take() {
    const bool open = receive(answers_, text_);
    std::optional<Json> answer = first_line(text_);
    if (!answer && !open) {
        reap();
    }
    return answer;
}

void WorkerProcess::reap() {
    if (pid_ > 0) {
        int status = 0;
        while (::waitpid(pid_, &status, 0) < 0 && errno == EINTR) {
        }
        pid_ = -1;
        end_ = name_of(status);
        const int signal = WIFSIGNALED(status) ? WTERMSIG(status) : 0;
        killed_from_outside_ = signal == SIGKILL || signal == SIGTERM || signal == SIGHUP;
    }
}

void WorkerProcess::ask_to_end() {
    if (pid_ > 0) {
        ::kill(pid_, SIGTERM);
    }
}

void WorkerProcess::kill(const std::string &reason) {
    if (pid_ > 0) {
        ::kill(pid_, SIGKILL);
        reap();
        end_ = reason;
        killed_from_outside_ = false;
    }
}

} // namespace edgefront

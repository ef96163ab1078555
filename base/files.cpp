#include "base/files.h"

#include "base/error.h"

#include <cerrno>
#include <cstring>
#include <fcntl.h>
#include <fstream>
#include <sstream>
#include <sys/file.h>
#include <sys/stat.h>
#include <unistd.h>

namespace edgefront {

namespace fs = std::filesystem;

namespace {

[[noreturn]] void fail(const fs::path &path, const std::string &doing, int error) {
    throw UserError({path.string(), ""}, "cannot " + doing + ": " + std::strerror(error));
}

/// The permissions new files do not get.
mode_t mode_mask() {
    const mode_t mask = ::umask(0);
    ::umask(mask);
    return mask;
}

/// Writes and closes `fd`; returns 0 or the errno of the first failure.
int write_all(int fd, const std::string &contents, bool flush) {
    int error = 0;
    std::size_t done = 0;
    while (done < contents.size() && error == 0) {
        const ssize_t n = ::write(fd, contents.data() + done, contents.size() - done);
        if (n >= 0) {
            done += static_cast<std::size_t>(n);
        } else if (errno != EINTR) {
            error = errno;
        }
    }
    if (error == 0 && flush && ::fsync(fd) != 0) {
        error = errno;
    }
    if (::close(fd) != 0 && error == 0) {
        error = errno;
    }
    return error;
}

} // namespace

std::string read_file(const fs::path &path) {
    std::error_code ec;
    if (fs::is_directory(path, ec)) {
        fail(path, "read", EISDIR);
    }
    errno = 0;
    std::ifstream in(path, std::ios::binary);
    if (!in) {
        fail(path, "read", errno != 0 ? errno : ENOENT);
    }
    std::ostringstream out;
    out << in.rdbuf();
    if (in.bad()) {
        fail(path, "read", errno != 0 ? errno : EIO);
    }
    return out.str();
}

void write_file(const fs::path &path, const std::string &contents) {
    std::error_code ec;
    const fs::file_status status = fs::status(path, ec);
    if (fs::is_directory(status)) {
        fail(path, "write", EISDIR);
    }
    if (fs::exists(status) && !fs::is_regular_file(status)) {
        const int fd = ::open(path.c_str(), O_WRONLY | O_CLOEXEC);
        if (fd < 0) {
            fail(path, "write", errno);
        }
        if (const int error = write_all(fd, contents, false); error != 0) {
            fail(path, "write", error);
        }
        return;
    }
    // Through a symbolic link the target is replaced, not the link.
    const fs::path target = fs::exists(status) ? fs::canonical(path) : path;
    std::string temporary = target.string() + ".XXXXXX";
    const int fd = ::mkostemp(temporary.data(), O_CLOEXEC);
    if (fd < 0) {
        fail(path, "write", errno);
    }
    ::fchmod(fd, 0666 & ~mode_mask());
    int error = write_all(fd, contents, true);
    if (error == 0 && ::rename(temporary.c_str(), target.c_str()) != 0) {
        error = errno;
    }
    if (error != 0) {
        ::unlink(temporary.c_str());
        fail(path, "write", error);
    }
}

void make_directory(const fs::path &path) {
    std::error_code ec;
    fs::create_directories(path, ec);
    if (ec) {
        fail(path, "create the directory", ec.value());
    }
}

FolderLock::FolderLock(const fs::path &folder)
    : fd_(::open(folder.c_str(), O_RDONLY | O_DIRECTORY | O_CLOEXEC)) {
    if (fd_ < 0) {
        fail(folder, "open", errno);
    }
    if (::flock(fd_, LOCK_EX | LOCK_NB) != 0 && errno == EWOULDBLOCK) {
        ::close(fd_);
        throw UserError({folder.string(), ""}, "another process is at work in this folder");
    }
}

FolderLock::~FolderLock() {
    ::close(fd_);
}

TemporaryFolder::TemporaryFolder(const fs::path &beside) {
    std::string pattern = beside.string() + ".XXXXXX";
    if (::mkdtemp(pattern.data()) == nullptr) {
        fail(beside, "create a folder beside it", errno);
    }
    path_ = pattern;
    ::chmod(path_.c_str(), 0777 & ~mode_mask());
}

TemporaryFolder::~TemporaryFolder() {
    std::error_code ignored;
    fs::remove_all(path_, ignored);
}

} // namespace edgefront

// Whole files in, whole files out.
#pragma once

#include <filesystem>
#include <string>

namespace edgefront {

/// The contents of `path`. Throws UserError when it cannot be read.
std::string read_file(const std::filesystem::path &path);

/// Writes `contents` so that readers see the old file or the new one, never a part: a temporary in
/// the same folder, flushed, then renamed. A path that exists and is no regular file (/dev/stdout,
/// a pipe) is written directly. Throws UserError when any byte could not be written.
void write_file(const std::filesystem::path &path, const std::string &contents);

/// Creates `path` and its parents; throws UserError naming the path when that fails.
void make_directory(const std::filesystem::path &path);

/// Keeps a second process out of a folder for as long as this object lives. The system lets go of
/// it when a process ends in any way, so nothing is left behind.
class FolderLock {
public:
    /// Throws UserError naming the folder when another process holds it, or when it cannot be
    /// opened. A file system without locks keeps nobody out.
    explicit FolderLock(const std::filesystem::path &folder);
    ~FolderLock();
    FolderLock(const FolderLock &) = delete;
    FolderLock &operator=(const FolderLock &) = delete;

private:
    int fd_;
};

/// A new folder "<beside>.XXXXXX" that is removed with this object, unless it was renamed.
class TemporaryFolder {
public:
    /// Throws UserError when it cannot be created.
    explicit TemporaryFolder(const std::filesystem::path &beside);
    ~TemporaryFolder();
    TemporaryFolder(const TemporaryFolder &) = delete;
    TemporaryFolder &operator=(const TemporaryFolder &) = delete;

    const std::filesystem::path &path() const { return path_; }

private:
    std::filesystem::path path_;
};

} // namespace edgefront

// A folder that keeps an exploration, so that it goes on after Ctrl-C: run.json says what was
// asked, devices.json has the prices so far, of every device of the space.
#pragma once

#include "base/files.h"
#include "search/explore.h"

#include <filesystem>
#include <string>
#include <vector>

namespace edgefront {

class ExploreRun {
public:
    /// Makes the folder, or continues in it; `space_json` is the space's file. Throws UserError
    /// when another process works there, or when it belongs to another exploration (with the
    /// differences).
    ExploreRun(std::filesystem::path directory, const Json &space_json, const HardwareSpace &space,
               const std::vector<Network> &networks, const std::string &tool_version);

    /// What `explore` may take as known; empty at first.
    std::vector<PricedDevice> devices() const;
    void save(const std::vector<PricedDevice> &devices) const;
    const std::filesystem::path &directory() const { return directory_; }

private:
    std::filesystem::path directory_;
    FolderLock lock_;
    std::size_t points_;
    std::size_t networks_;
};

} // namespace edgefront

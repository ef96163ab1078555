// Networks by name. The zoo is the folder data/networks/: one family a file.
#pragma once

#include "dsl/family.h"

#include <filesystem>
#include <map>
#include <string>

namespace edgefront {

/// The project's data folder: $EDGEFRONT_DATA, else the one installed beside this program
/// (PREFIX/share/edgefront), else data/ of the source tree.
std::filesystem::path data_directory();

class Zoo {
public:
    /// Reads every *.json of `directory`.
    explicit Zoo(const std::filesystem::path &directory = data_directory() / "networks");

    // What these return lives in the zoo, so a temporary zoo cannot be asked.
    /// Families by name, sorted.
    const std::map<std::string, Family> &families() const & { return families_; }
    const std::map<std::string, Family> &families() && = delete;
    /// By name or alias, or nothing.
    const Family *find(const std::string &name) const &;
    const Family *find(const std::string &name) && = delete;
    /// Throws UserError with the nearest name.
    const Family &get(const std::string &name) const &;
    const Family &get(const std::string &name) && = delete;

    /// "name", "name@WIDTH", "name@WIDTH,RESOLUTION", where a resolution is "224" or, height first,
    /// "512x1024", or a path to a network file with the same tail ("net.json@0.5"). Anything ending
    /// in ".json" or containing a "/" is a path. What the text does not say is as in `base`.
    Network network(const std::string &text, const Variant &base = {}) const;

private:
    std::map<std::string, Family> families_;
    std::map<std::string, std::string> aliases_;
};

} // namespace edgefront

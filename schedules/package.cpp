// Compiles kernels, fills the templates of package/ and puts the folder together.
#include "schedules/package.h"

#include "base/error.h"
#include "base/files.h"
#include "base/random.h"
#include "dsl/reference.h"
#include "schedules/toolchain.h"

#include <fmt/format.h>
#include <kainjow/mustache.hpp>

#include <algorithm>
#include <map>
#include <utility>

namespace edgefront {

namespace fs = std::filesystem;
namespace mustache = kainjow::mustache;

/// The files of package/, by name (generated, see cmake/EmbedFiles.cmake).
const std::map<std::string, std::string> &package_files();

namespace {

/// A file of package/ as it goes into a package, where all headers stand in one folder.
std::string flat(const std::string &name) {
    std::string text = package_files().at(name);
    for (const std::string folder : {"dsl/", "schedules/package/"}) {
        const std::string include = "#include \"";
        for (std::size_t at = 0; (at = text.find(include + folder, at)) != std::string::npos;) {
            text.erase(at + include.size(), folder.size());
        }
    }
    return text;
}

std::string filled(const std::string &name, const mustache::data &data) {
    mustache::mustache form(flat(name + ".mustache"));
    if (!form.is_valid()) {
        throw std::logic_error("template " + name + ": " + form.error_message());
    }
    form.set_custom_escape([](const std::string &text) { return text; });
    return form.render(data);
}

std::string text(std::int64_t value) {
    return std::to_string(value);
}

std::string text(const Shape &s) {
    return fmt::format("{}, {}, {}", s.height, s.width, s.channels);
}

mustache::data member_data(const PackagePlan &plan, const PackedLayer &packed) {
    const Node &node = plan.network.nodes[static_cast<std::size_t>(packed.node)];
    const edgefront_layer plain = to_plain(node.layer);
    std::vector<std::string> others;
    for (const Shape &other : node.layer.others) {
        others.push_back("{" + text(other) + "}");
    }
    mustache::data data;
    data["name"] = node.name;
    data["op"] = text(plain.op);
    data["activation"] = text(plain.activation);
    data["input"] = text(node.layer.input);
    data["output"] = text(node.layer.output);
    data["others"] = others.empty() ? "{0}" : join(others);
    data["other_count"] = text(plain.other_count);
    data["dilation"] = text(plain.dilation);
    data["first_channel"] = text(plain.first_channel);
    data["count_padding"] = text(plain.count_padding);
    data["kernel"] = text(plain.kernel);
    data["stride"] = text(plain.stride);
    data["groups"] = text(plain.groups);
    data["pad_top"] = text(plain.pad_top);
    data["pad_left"] = text(plain.pad_left);
    data["weights_at"] = text(packed.weights_at);
    data["bias_at"] = text(packed.bias_at);
    data["weights_count"] = text(packed.weights_count);
    data["tile"] = text(packed.tile);
    return data;
}

/// Steps by the node whose output they leave.
std::map<int, int> producers(const PackagePlan &plan) {
    std::map<int, int> steps = {{-1, -1}};
    for (std::size_t i = 0; i < plan.steps.size(); i++) {
        steps[plan.steps[i].last_node()] = static_cast<int>(i);
    }
    return steps;
}

mustache::data step_data(const PackagePlan &plan, const PackageStep &step,
                         const std::map<int, int> &producer) {
    const auto node = [&](int i) { return plan.network.nodes[static_cast<std::size_t>(i)]; };
    const int last = step.last_node();
    std::vector<int> from = node(step.layers.front().node).inputs;
    if (step.plan.fused() && node(last).layer.residual) {
        from.push_back(node(last).inputs.back());
    }
    std::vector<std::string> inputs;
    for (const int input : from) {
        inputs.push_back(text(producer.at(input)));
    }
    mustache::data data;
    data["symbol"] = step.symbol;
    data["first"] = text(step.layers.front().node);
    data["count"] = text(static_cast<std::int64_t>(step.layers.size()));
    data["residual"] = text(node(last).layer.residual ? 1 : 0);
    data["input_count"] = text(static_cast<std::int64_t>(inputs.size()));
    data["inputs"] = join(inputs);
    data["output_at"] =
        text(&step == &plan.steps.back() ? 0 : plan.memory.offsets[static_cast<std::size_t>(last)]);
    return data;
}

mustache::data list_of(const std::string &field, const std::vector<std::string> &values) {
    mustache::data list(mustache::data::type::list);
    for (const std::string &value : values) {
        list << mustache::data(field, value);
    }
    return list;
}

/// Every kernel once, by symbol, with the first step that calls it.
std::map<std::string, std::size_t> kernels(const PackagePlan &plan) {
    std::map<std::string, std::size_t> result;
    for (std::size_t i = 0; i < plan.steps.size(); i++) {
        result.emplace(plan.steps[i].symbol, i);
    }
    return result;
}

mustache::data kernel_list(const PackagePlan &plan) {
    std::vector<std::string> symbols;
    for (const auto &kernel : kernels(plan)) {
        symbols.push_back(kernel.first);
    }
    return list_of("symbol", symbols);
}

void set_shape(mustache::data &data, const std::string &prefix, const Shape &s) {
    data[prefix + "_height"] = text(s.height);
    data[prefix + "_width"] = text(s.width);
    data[prefix + "_channels"] = text(s.channels);
    data[prefix + "_count"] = text(s.elements());
}

/// Text that cannot end a C comment: a network's name is the user's.
std::string for_comment(std::string text) {
    std::replace(text.begin(), text.end(), '*', '_');
    return text;
}

/// Everything the templates name.
mustache::data package_data(const PackagePlan &plan, const BuildContext &context) {
    mustache::data data;
    data["name"] = plan.name;
    data["network"] = for_comment(plan.network.name);
    data["version"] = context.tool_version;
    data["target"] = context.target_name + " (" + plan.target.text + ")";
    data["weights_magic"] = package_weights_magic;
    data["weights_version"] = text(package_weights_version);
    data["plan_hash"] = fmt::format("{:016x}", plan.hash);
    data["weights_bytes"] = text(plan.floats * static_cast<std::int64_t>(sizeof(float)));
    data["arena_bytes"] = text(plan.memory.arena.count());
    data["scratch_bytes"] = text(plan.scratch);
    data["layer_count"] = text(static_cast<std::int64_t>(plan.network.nodes.size()));
    data["kernel_calls"] = text(static_cast<std::int64_t>(plan.steps.size()));
    set_shape(data, "input", plan.network.input);
    set_shape(data, "output", plan.network.output());
    data["features"] = list_of("feature", required_cpu_features(plan.target));
    data["kernels"] = kernel_list(plan);
    mustache::data steps(mustache::data::type::list), members(mustache::data::type::list);
    std::size_t most_members = 1;
    const std::map<int, int> producer = producers(plan);
    for (const PackageStep &step : plan.steps) {
        steps << step_data(plan, step, producer);
        for (const PackedLayer &layer : step.layers) {
            members << member_data(plan, layer);
        }
        most_members = std::max(most_members, step.layers.size());
    }
    data["steps"] = std::move(steps);
    data["members"] = std::move(members);
    data["most_members"] = text(static_cast<std::int64_t>(most_members));
    return data;
}

void move_file(const fs::path &from, const fs::path &to) {
    std::error_code ec;
    fs::rename(from, to, ec);
    if (ec) {
        throw UserError({to.string(), ""}, "cannot write: " + ec.message());
    }
}

/// The object appears whole or not at all, so other processes may look at any time.
void compile_kernel(const PackagePlan &plan, const PackageStep &step, const fs::path &file) {
    const TemporaryFolder folder(file);
    const fs::path object = folder.path() / "kernel.o";
    emit_kernel(layers_of(plan, step), step.plan, plan.target, step.symbol, object);
    rename_symbols(toolchain_for(plan.target.text), object,
                   {{"halide_do_par_for", "edgefront_parallel_for_2"},
                    {"halide_malloc", "edgefront_take_2"},
                    {"halide_free", "edgefront_give_2"}});
    move_file(object, file);
}

void compile_kernels(const PackagePlan &plan, const BuildContext &context) {
    std::map<std::string, std::size_t> missing;
    for (const auto &[symbol, i] : kernels(plan)) {
        if (!fs::exists(kernel_file(context, plan.steps[i]))) {
            missing.emplace(symbol, i);
        }
    }
    make_directory(context.cache / "kernels");
    int done = 0;
    for (const auto &[symbol, i] : missing) {
        const PackageStep &step = plan.steps[i];
        if (context.progress) {
            context.progress(done, static_cast<int>(missing.size()), name_of(plan, step));
        }
        compile_kernel(plan, step, kernel_file(context, step));
        done++;
    }
    if (context.progress && done > 0) {
        context.progress(done, done, "");
    }
}

/// With -fexceptions a trace written in C++ may throw through the runtime.
const std::vector<std::string> &compile_flags() {
    static const std::vector<std::string> flags = {"-std=c11", "-O2", "-fPIC", "-pthread",
                                                   "-fexceptions"};
    return flags;
}

std::vector<std::string> with(std::vector<std::string> flags,
                              const std::vector<std::string> &more) {
    flags.insert(flags.end(), more.begin(), more.end());
    return flags;
}

void write_sources(const mustache::data &data, const fs::path &directory) {
    make_directory(directory / "src");
    write_file(directory / "src/selfcheck.c", filled("selfcheck.c", data));
    write_file(directory / "src/CMakeLists.txt", filled("CMakeLists.txt", data));
    for (const char *name : {"layer_check.c", "layer_check.h", "naive.c", "naive.h"}) {
        write_file(directory / "src" / name, flat(name));
    }
}

/// The output folder without a trailing slash.
fs::path named(const fs::path &directory) {
    const fs::path path = fs::absolute(directory).lexically_normal();
    return path.has_filename() ? path : path.parent_path();
}

bool is_package(const fs::path &directory) {
    try {
        const JsonReader manifest = JsonReader::parse_file(directory / "manifest.json");
        const auto kind = manifest.find("kind");
        return kind && kind->is_string() && kind->string() == package_kind;
    } catch (const UserError &) {
        return false;
    }
}

void check_replaceable(const fs::path &directory) {
    std::error_code ec;
    const fs::file_status status = fs::symlink_status(directory, ec);
    if (!fs::exists(status)) {
        return;
    }
    const bool folder = fs::is_directory(status);
    if (!folder || (!fs::is_empty(directory, ec) && !is_package(directory))) {
        throw UserError({directory.string(), ""},
                        folder
                            ? "is a folder with other things in it and no kernel package; name a "
                              "new folder or an existing package"
                            : "exists and is no folder");
    }
}

/// `from` becomes `to`; what stood there goes away.
void replace(const fs::path &from, const fs::path &to) {
    std::error_code ec;
    if (is_package(to)) {
        const TemporaryFolder aside(to);
        const fs::path old = aside.path() / "old";
        fs::rename(to, old, ec);
        if (!ec) {
            fs::rename(from, to, ec);
            if (ec) {
                std::error_code ignored;
                fs::rename(old, to, ignored);
            }
        }
    } else {
        fs::rename(from, to, ec);
    }
    if (ec) {
        throw UserError({to.string(), ""}, "cannot put the package there: " + ec.message());
    }
}

} // namespace

fs::path kernel_file(const BuildContext &context, const PackageStep &step) {
    return context.cache / "kernels" / (step.symbol + ".o");
}

void write_library(const PackagePlan &plan, const BuildContext &context,
                   const fs::path &directory) {
    compile_kernels(plan, context);
    const mustache::data data = package_data(plan, context);
    make_directory(directory / "include");
    make_directory(directory / "lib");
    write_file(directory / "include" / (plan.name + ".h"), filled("network.h", data));
    for (const char *name : {"edgefront_layer.h", "edgefront_trace.h"}) {
        write_file(directory / "include" / name, flat(name));
    }
    const TemporaryFolder build(directory / "build");
    write_file(build.path() / (plan.name + ".c"), filled("network.c", data));
    for (const char *name : {"runtime.c", "threads.c"}) {
        write_file(build.path() / name, flat(name));
    }
    const Toolchain toolchain = toolchain_for(plan.target.text);
    run_c_compiler(
        toolchain,
        with(compile_flags(), {"-I../include", "-c", plan.name + ".c", "-o", plan.name + ".o"}),
        build.path());
    std::vector<fs::path> objects = {build.path() / (plan.name + ".o")};
    for (const auto &kernel : kernels(plan)) {
        objects.push_back(kernel_file(context, plan.steps[kernel.second]));
    }
    make_archive(toolchain, directory / "lib" / ("lib" + plan.name + ".a"), objects);
}

void write_package(const PackagePlan &plan, const NetworkWeights &weights,
                   const PackageNotes &notes, const BuildContext &context,
                   const fs::path &directory) {
    const fs::path target = named(directory);
    check_replaceable(target);
    make_directory(target.parent_path());
    const TemporaryFolder temporary(target);
    const fs::path &folder = temporary.path();
    write_library(plan, context, folder);

    const mustache::data data = package_data(plan, context);
    const fs::path config = folder / "lib/cmake" / plan.name;
    make_directory(config);
    write_file(config / (plan.name + "Config.cmake"), filled("Config.cmake", data));
    write_file(config / (plan.name + "ConfigVersion.cmake"), filled("ConfigVersion.cmake", data));
    write_sources(data, folder);
    write_file(folder / "weights.bin", pack_weights(plan, weights));
    make_directory(folder / "bin");
    const Toolchain toolchain = toolchain_for(plan.target.text);
    std::vector<std::string> flags = compile_flags();
    if (toolchain.is_cross()) {
        flags.emplace_back("-static"); // an emulator then needs no libraries of the target
    }
    run_c_compiler(toolchain,
                   with(flags, {"-Iinclude", "src/selfcheck.c", "src/layer_check.c", "src/naive.c",
                                "lib/lib" + plan.name + ".a", "-lm", "-o", "bin/selfcheck"}),
                   folder);
    write_file(folder / "manifest.json",
               make_manifest(plan, weights, notes, context, folder).dump(2) + "\n");
    replace(folder, target);
}

fs::path shared_library(const PackagePlan &plan, const BuildContext &context) {
    const mustache::data data = package_data(plan, context);
    std::string sources =
        join(compile_flags()) + filled("network.h", data) + filled("network.c", data);
    for (const char *name : {"runtime.c", "threads.c", "edgefront_layer.h", "edgefront_trace.h"}) {
        sources += flat(name);
    }
    const fs::path folder = context.cache / "libraries";
    const fs::path library = folder / (plan.name + "-" + stable_hash_hex(sources) + ".so");
    if (fs::exists(library)) {
        return library;
    }
    make_directory(folder);
    const TemporaryFolder build(library);
    write_library(plan, context, build.path());
    write_file(build.path() / "symbols", "{ global: " + plan.name + "_*; local: *; };\n");
    run_c_compiler(toolchain_for(plan.target.text),
                   {"-shared", "-pthread", "-Wl,--version-script=symbols", "-Wl,--whole-archive",
                    "lib/lib" + plan.name + ".a", "-Wl,--no-whole-archive", "-o", "library.so"},
                   build.path());
    move_file(build.path() / "library.so", library);
    return library;
}

} // namespace edgefront

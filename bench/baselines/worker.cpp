#include "bench/baselines/worker.h"

#include "base/error.h"
#include "base/files.h"
#include "dsl/zoo.h"

#include <CLI/CLI.hpp>

#include <chrono>
#include <iostream>
#include <sstream>

namespace edgefront {

namespace {

void write_floats(const std::string &path, const std::vector<float> &values) {
    const char *bytes = reinterpret_cast<const char *>(values.data());
    write_file(path, std::string(bytes, values.size() * sizeof(float)));
}

Json answer(const std::string &line, const PreparedNetwork &prepared,
            const std::vector<float> &input) {
    std::istringstream words(line);
    std::string what, argument;
    words >> what >> std::ws;
    std::getline(words, argument);
    if (what == "input") {
        write_floats(argument, input);
        return {{"elements", input.size()}};
    }
    if (what == "output") {
        prepared.run();
        const std::vector<float> output = prepared.output();
        write_floats(argument, output);
        return {{"elements", output.size()}};
    }
    if (what == "time") {
        const Timing t = time_runs(prepared, Seconds(std::stod(argument)));
        return {{"median_ms", milliseconds(t.median)},
                {"least_ms", milliseconds(t.least)},
                {"runs", t.runs}};
    }
    throw UserError("unknown request '" + line + "'");
}

void say(const Json &json) {
    std::cout << json.dump() << std::endl;
}

} // namespace

Timing time_runs(const PreparedNetwork &prepared, Seconds duration) {
    using Clock = std::chrono::steady_clock;
    const auto since = [](Clock::time_point start) {
        return Seconds(std::chrono::duration<double>(Clock::now() - start).count());
    };
    prepared.run();
    std::vector<Seconds> times;
    const Clock::time_point start = Clock::now();
    do {
        const Clock::time_point before = Clock::now();
        prepared.run();
        times.push_back(since(before));
    } while (since(start) < duration);
    return summarise(std::move(times));
}

int run_worker(int argc, char **argv, const Prepare &prepare) {
    WorkerOptions options;
    CLI::App app("A peer of bench/baselines: answers requests on stdin");
    app.add_option("network", options.network)->required();
    app.add_option("--threads", options.threads)->check(CLI::Range(1, 256));
    app.add_option("--seed", options.seed);
    app.add_option("--db", options.db);
    CLI11_PARSE(app, argc, argv);
    try {
        const Network network = Zoo().network(options.network);
        const std::vector<float> input = random_input(network, options.seed);
        const PreparedNetwork prepared =
            prepare(network, random_weights(network, options.seed), input, options);
        say({{"ready", true}});
        for (std::string line; std::getline(std::cin, line);) {
            say(answer(line, prepared, input));
        }
    } catch (const UserError &e) {
        std::cerr << argv[0] << ": " << e.what() << '\n';
        return 2;
    }
    return 0;
}

} // namespace edgefront

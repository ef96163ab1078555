#include "search/kernels/kernel_search.h"

#include "dsl/layer_text.h"
#include "schedules/fusion.h"

#include <algorithm>
#include <cmath>
#include <limits>
#include <utility>

namespace edgefront {

namespace {

constexpr int patience = 4;                                         // batches that gain nothing
constexpr std::int64_t as_many_as_it_takes = std::int64_t{1} << 62; // as a budget
constexpr double memory = 0.65; // of the potential, from batch to batch

} // namespace

KernelSearch::KernelSearch(std::size_t work, const std::vector<Layer> &layers,
                           const SearchOptions &options, const std::optional<TuningRecord> &known)
    : work_(work), options_(options), space_(layers, options.isa, options.threads),
      random_(derive_seed(1, key(layers))) {
    if (known) {
        resume(*known);
    }
}

void KernelSearch::resume(const TuningRecord &known) {
    for (const TriedPlan &t : known.tried) {
        if (space_.contains(t.plan)) { // spaces change from version to version
            tried_[t.plan] = t;
        }
    }
    granted_ = known.budget;
    incumbent_ = best_measured();
    const auto batches = static_cast<double>(trials()) / options_.batch;
    potential_ *= std::pow(memory, batches);
    if (!incumbent_.empty()) {
        seconds_ = *tried_.at(incumbent_).measured;
    }
}

std::int64_t KernelSearch::trials() const {
    return std::count_if(tried_.begin(), tried_.end(), [](const auto &entry) {
        return entry.second.measured || !entry.second.refused.empty();
    });
}

bool KernelSearch::at_rest() const {
    if (!batch_.empty() || race_) {
        return false;
    }
    const std::int64_t most = options_.trials > 0 ? options_.trials : as_many_as_it_takes;
    return exhausted_ || stale_ >= patience || trials() >= most || granted_ >= most;
}

void KernelSearch::add(const std::string &plan) {
    const bool room =
        options_.trials == 0 || static_cast<std::int64_t>(tried_.size()) < options_.trials;
    if (room && space_.contains(plan) && tried_.count(plan) == 0) {
        TriedPlan &t = tried_[plan];
        t.plan = plan;
        t.predicted = Seconds(space_.predicted(plan).count() / options_.clock_hz);
        batch_.push_back(plan);
    }
}

void KernelSearch::propose(const std::vector<std::string> &similar) {
    add(space_.default_plan());
    for (const std::string &plan : similar) {
        add(plan);
    }
    const bool first = incumbent_.empty();
    const auto room = [&](double share) {
        return static_cast<double>(batch_.size()) < share * options_.batch;
    };
    // What is next to the best ones, in the order of their times.
    std::vector<std::string> near;
    std::vector<std::pair<Seconds, std::string>> best;
    for (const auto &[plan, t] : tried_) {
        if (t.measured) {
            best.emplace_back(*t.measured, plan);
        }
    }
    std::sort(best.begin(), best.end(),
              [](const auto &a, const auto &b) { return a.first < b.first; });
    for (std::size_t i = 0; i < std::min<std::size_t>(best.size(), 3); i++) {
        for (const std::string &plan : space_.neighbours(best[i].second)) {
            if (tried_.count(plan) == 0) {
                near.push_back(plan);
            }
        }
    }
    while (!first && room(0.5) && !near.empty()) {
        const std::size_t i = random_.below(near.size());
        add(near[i]);
        near.erase(near.begin() + static_cast<std::ptrdiff_t>(i));
    }
    // The model's best, of different tiles.
    std::set<std::string> tiles;
    const double model_share = first ? 1 : 0.85;
    for (std::size_t i = next_; i < space_.size() && room(model_share); i++) {
        if (tried_.count(space_.ranked(i)) == 0 && tiles.insert(space_.tile(i)).second) {
            add(space_.ranked(i));
        }
    }
    while (next_ < space_.size() && tried_.count(space_.ranked(next_)) > 0) {
        next_++;
    }
    // Any others, of the better half by the model.
    for (int draws = 0; draws < 4 * options_.batch && room(1); draws++) {
        add(space_.ranked(random_.below((space_.size() + 1) / 2)));
    }
    for (std::size_t i = next_; i < space_.size() && room(1); i++) {
        add(space_.ranked(i));
    }
}

void KernelSearch::begin(const std::vector<std::string> &similar) {
    race_.reset();
    prepared_.clear();
    batch_.clear();
    propose(similar);
    exhausted_ = batch_.empty();
}

std::optional<TrialRequest> KernelSearch::request() const {
    if (batch_.empty() && !race_) {
        return {};
    }
    TrialRequest request;
    request.work = work_;
    std::vector<std::string> wanted = batch_;
    if (!incumbent_.empty()) {
        wanted.push_back(incumbent_);
    }
    for (const std::string &plan : wanted) {
        if (prepared_.count(plan) == 0) {
            request.plans = {plan};
            request.plans.insert(request.plans.end(), wanted.begin(), wanted.end());
            return request;
        }
    }
    request.plans = race_->heat()->runners;
    request.slices = race_->heat()->slices;
    return request;
}

void KernelSearch::refuse(const std::string &plan, const std::string &reason) {
    TriedPlan &t = tried_[plan];
    t.refused = reason;
    t.measured.reset();
    batch_.erase(std::remove(batch_.begin(), batch_.end(), plan), batch_.end());
    if (plan == incumbent_) {
        incumbent_ = best_measured();
        seconds_ = incumbent_.empty() ? Seconds() : *tried_.at(incumbent_).measured;
        race_.reset();
        batch_.erase(std::remove(batch_.begin(), batch_.end(), incumbent_), batch_.end());
    } else if (race_) {
        race_->drop(plan);
    }
}

void KernelSearch::start_race() {
    if (incumbent_.empty() && !batch_.empty()) {
        incumbent_ = batch_.front(); // the default, where it is a kernel
        batch_.erase(batch_.begin());
    }
    if (!incumbent_.empty()) {
        race_.emplace(incumbent_, batch_);
    }
}

bool KernelSearch::answer(const TrialAnswer &answer, double jitter) {
    if (answer.lost) {
        prepared_.clear();
    }
    const bool again = answer.outside && chances_.insert(answer.plan).second;
    const bool refused = !answer.refused.empty() && !again;
    if (again) { // as if it had not been asked
    } else if (refused) {
        refuse(answer.plan, answer.refused);
    } else if (answer.seconds.empty()) {
        prepared_.insert(answer.plan);
    } else {
        race_->took(answer.seconds);
    }
    if (race_ && !race_->heat()) {
        finish_race(jitter);
        return refused;
    }
    const bool ready = std::all_of(batch_.begin(), batch_.end(), [&](const std::string &plan) {
        return prepared_.count(plan) > 0;
    });
    if (!race_ && ready && (incumbent_.empty() || prepared_.count(incumbent_) > 0)) {
        start_race();
    }
    if (!race_ && batch_.empty()) {
        settle(0); // all of it was refused
    }
    return refused;
}

void KernelSearch::finish_race(double jitter) {
    const Seconds now(race_->incumbent_seconds());
    const bool first = seconds_.count() == 0;
    if (first || now < seconds_) { // all times are told on the scale of one incumbent's best
        const double scale = first ? 1 : now / seconds_;
        for (auto &[plan, t] : tried_) {
            if (t.measured) {
                *t.measured = *t.measured * scale;
            }
        }
        seconds_ = now;
    }
    tried_[incumbent_].measured = seconds_;
    double gain = 0;
    std::string winner = incumbent_;
    for (const Race::Place &place : race_->places()) {
        tried_[place.plan].measured = seconds_ * place.ratio;
        if (1 - place.ratio > std::max(gain, jitter)) {
            gain = 1 - place.ratio;
            winner = place.plan;
        }
    }
    incumbent_ = winner;
    seconds_ = *tried_[winner].measured;
    jitter_.push_back(race_->jitter());
    settle(gain);
}

void KernelSearch::settle(double gain) {
    race_.reset();
    batch_.clear();
    stale_ = gain > 0 ? 0 : stale_ + 1;
    potential_ = memory * potential_ + (1 - memory) * gain;
}

std::string KernelSearch::best_measured() const {
    std::string best;
    for (const auto &[plan, t] : tried_) {
        if (t.measured && (best.empty() || *t.measured < *tried_.at(best).measured)) {
            best = plan;
        }
    }
    return best;
}

std::optional<Seconds> KernelSearch::default_time() const {
    const auto found = tried_.find(space_.default_plan());
    return found == tried_.end() ? std::nullopt : found->second.measured;
}

std::vector<double> KernelSearch::take_jitter() {
    return std::exchange(jitter_, {});
}

void KernelSearch::write(TuningRecord &r) const {
    r.tried.clear();
    for (const auto &[plan, t] : tried_) {
        if (t.measured || !t.refused.empty()) {
            r.tried.push_back(t);
        }
    }
    const auto time = [](const TriedPlan &t) {
        return t.measured ? t.measured->count() : std::numeric_limits<double>::infinity();
    };
    std::stable_sort(r.tried.begin(), r.tried.end(),
                     [&](const TriedPlan &a, const TriedPlan &b) { return time(a) < time(b); });
    r.trials = static_cast<std::int64_t>(r.tried.size());
    r.kind = CostKind::measured;
    r.budget = !at_rest()                         ? 0
               : exhausted_ || stale_ >= patience ? as_many_as_it_takes
                                                  : std::max(options_.trials, granted_);
    r.plan = incumbent_.empty() ? space_.default_plan() : incumbent_;
    r.predicted = Seconds(space_.predicted(r.plan).count() / options_.clock_hz);
    r.measured = incumbent_.empty() ? std::nullopt : std::optional(seconds_);
    r.refused.clear();
    if (incumbent_.empty()) {
        r.predicted.reset();
        r.refused = r.tried.empty() ? "nothing is tried yet" : r.tried.front().refused;
    }
}

namespace {

/// Of the key of a layer or group; none for what does not read as one.
std::vector<Layer> layers_of_key(const std::string &key) {
    const std::string between = " + ";
    std::vector<Layer> layers;
    try {
        for (std::size_t at = 0; at <= key.size();) {
            const std::size_t end = std::min(key.find(between, at), key.size());
            layers.push_back(parse_layer_key(key.substr(at, end - at)));
            at = end + between.size();
        }
    } catch (const UserError &) { // of another version, or edited
        layers.clear();
    }
    return layers;
}

bool same_kind(const Layer &a, const Layer &b) {
    return a.op == b.op && a.kernel == b.kernel && a.stride == b.stride &&
           (a.groups > 1) == (b.groups > 1);
}

/// Factors of two, over all extents.
double apart(const Layer &a, const Layer &b) {
    const auto factor = [](int x, int y) { return std::fabs(std::log2(double(x) / y)); };
    return factor(a.input.channels, b.input.channels) +
           factor(a.output.channels, b.output.channels) + factor(a.output.width, b.output.width) +
           factor(a.output.height, b.output.height);
}

} // namespace

std::vector<std::string> similar_plans(const std::vector<Layer> &layers,
                                       const std::vector<TuningRecord> &records, std::size_t most) {
    constexpr double near = 5; // factors of two per layer
    std::vector<std::pair<double, std::string>> found;
    for (const TuningRecord &r : records) {
        if (!r.measured) {
            continue;
        }
        const std::vector<Layer> others = layers_of_key(r.layer);
        if (others.size() != layers.size()) {
            continue;
        }
        double distance = 0;
        bool alike = true;
        for (std::size_t i = 0; i < layers.size(); i++) {
            alike = alike && same_kind(layers[i], others[i]);
            distance += apart(layers[i], others[i]);
        }
        if (alike && distance < near * static_cast<double>(layers.size())) {
            found.emplace_back(distance, r.plan);
        }
    }
    std::stable_sort(found.begin(), found.end(),
                     [](const auto &a, const auto &b) { return a.first < b.first; });
    std::vector<std::string> plans;
    for (const auto &[distance, plan] : found) {
        if (plans.size() < most && std::find(plans.begin(), plans.end(), plan) == plans.end()) {
            plans.push_back(plan);
        }
    }
    return plans;
}

} // namespace edgefront

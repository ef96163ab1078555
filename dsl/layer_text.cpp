#include "dsl/layer_text.h"

#include "base/error.h"

#include <algorithm>
#include <cctype>
#include <charconv>
#include <iterator>
#include <set>
#include <sstream>
#include <vector>

namespace edgefront {

namespace {

constexpr int most = 1 << 20;

UserError bad(const std::string &text, const std::string &what) {
    return UserError("layer \"" + text + "\": " + what);
}

std::size_t place_of(const std::string &text, const std::string &what, const std::string &word,
                     const std::vector<std::string> &names) {
    const auto found = std::find(names.begin(), names.end(), word);
    if (found == names.end()) {
        throw bad(text, "unknown " + what + " '" + word + "', expected one of " + join(names) +
                            did_you_mean(word, names));
    }
    return static_cast<std::size_t>(found - names.begin());
}

/// Reads a text from left to right.
class Scanner {
public:
    explicit Scanner(const std::string &text) : text_(text) {}

    bool done() const { return at_ == text_.size(); }
    std::string rest() const { return text_.substr(at_); }

    bool skip(const std::string &what) {
        const bool there = text_.compare(at_, what.size(), what) == 0;
        at_ += there ? what.size() : 0;
        return there;
    }
    /// `skip`, where nothing of the same word follows.
    bool skip_word(const std::string &what) {
        const std::size_t end = at_ + what.size();
        const bool whole = end >= text_.size() || text_[end] == '-';
        return whole && skip(what);
    }
    void need(const std::string &what) {
        if (!skip(what)) {
            throw error("'" + what + "'");
        }
    }
    int number(int least) {
        int value = 0;
        const char *begin = text_.data() + at_;
        const auto [end, status] = std::from_chars(begin, text_.data() + text_.size(), value);
        if (status != std::errc() || value < least || value > most) {
            throw error("a number from " + std::to_string(least) + " to " + std::to_string(most));
        }
        at_ += static_cast<std::size_t>(end - begin);
        return value;
    }
    Shape shape() {
        Shape s;
        s.height = number(1);
        need("x");
        s.width = number(1);
        need("x");
        s.channels = number(1);
        return s;
    }
    /// The one of `names` that stands here.
    std::size_t name(const std::vector<std::string> &names, const std::string &what) {
        std::size_t end = at_;
        while (end < text_.size() &&
               (std::isalnum(static_cast<unsigned char>(text_[end])) != 0 || text_[end] == '_')) {
            end++;
        }
        const std::size_t place = place_of(text_, what, text_.substr(at_, end - at_), names);
        at_ = end;
        return place;
    }
    UserError error(const std::string &expected) const {
        return bad(text_, "character " + std::to_string(at_ + 1) + ": expected " + expected +
                              (done() ? "" : ", found '" + rest() + "'"));
    }

private:
    std::string text_;
    std::size_t at_ = 0;
};

int whole_number(const std::string &text, const std::string &name, const std::string &value,
                 int least) {
    int number = 0;
    const char *end = value.data() + value.size();
    const auto [stop, status] = std::from_chars(value.data(), end, number);
    if (status != std::errc() || stop != end || number < least || number > most) {
        throw bad(text, name + " is '" + value + "', expected an integer from " +
                            std::to_string(least) + " to " + std::to_string(most));
    }
    return number;
}

Shape whole_shape(const std::string &text, const std::string &name, const std::string &value) {
    try {
        Scanner scanner(value);
        const Shape shape = scanner.shape();
        if (scanner.done()) {
            return shape;
        }
    } catch (const UserError &) { // told below, with the whole text
    }
    throw bad(text, name + " is '" + value + "', expected HEIGHTxWIDTHxCHANNELS");
}

bool yes(const std::string &text, const std::string &name, const std::string &value) {
    if (value != "yes" && value != "no") {
        throw bad(text, name + " is '" + value + "', expected yes or no");
    }
    return value == "yes";
}

const std::vector<std::string> &knob_names() {
    static const std::vector<std::string> names = {
        "kernel",        "stride",     "dilation", "groups",   "padding", "first_channel",
        "count_padding", "activation", "bias",     "residual", "with"};
    return names;
}

/// Whether the layer's operator reads the knob; how many further inputs it takes, its shapes say.
bool has_knob(const Layer &layer, const std::string &name) {
    const Op op = layer.op;
    const bool convolution = op == Op::conv2d || op == Op::depthwise_conv2d;
    if (name == "kernel") {
        return layer.has_window() || op == Op::unfold || op == Op::fold;
    }
    if (name == "stride" || name == "padding") {
        return layer.has_window();
    }
    if (name == "dilation") {
        return convolution;
    }
    if (name == "groups") {
        return op == Op::conv2d || op == Op::channel_shuffle || op == Op::softmax ||
               op == Op::layer_norm || op == Op::attention_scores || op == Op::attention_context;
    }
    if (name == "first_channel") {
        return op == Op::slice;
    }
    if (name == "count_padding") {
        return op == Op::average_pool;
    }
    return name != "bias" || layer.has_weights();
}

void require_knob(const std::string &text, const std::string &name, const Layer &layer) {
    const std::vector<std::string> &names = knob_names();
    if (std::find(names.begin(), names.end(), name) == names.end()) {
        throw bad(text, "unknown knob '" + name + "', expected one of " + join(names) +
                            did_you_mean(name, names));
    }
    if (!has_knob(layer, name)) {
        std::vector<std::string> own;
        std::copy_if(names.begin(), names.end(), std::back_inserter(own),
                     [&](const std::string &other) { return has_knob(layer, other); });
        throw bad(text, to_string(layer.op) + " has no " + name + ", expected one of " + join(own));
    }
}

/// What the words of the natural form say, before what they leave out is known.
struct Words {
    Layer layer;
    std::string output; ///< "" or what stands behind the arrow
    bool padding = false;
};

void set_knob(const std::string &text, const std::string &name, const std::string &value,
              Words &words) {
    Layer &layer = words.layer;
    require_knob(text, name, layer);
    if (name == "kernel") {
        layer.kernel = whole_number(text, name, value, 1);
    } else if (name == "stride") {
        layer.stride = whole_number(text, name, value, 1);
    } else if (name == "dilation") {
        layer.dilation = whole_number(text, name, value, 1);
    } else if (name == "groups") {
        layer.groups = whole_number(text, name, value, 1);
    } else if (name == "first_channel") {
        layer.first_channel = whole_number(text, name, value, 0);
    } else if (name == "with") {
        layer.others.push_back(whole_shape(text, name, value));
    } else if (name == "bias") {
        layer.bias = yes(text, name, value);
    } else if (name == "residual") {
        layer.residual = yes(text, name, value);
    } else if (name == "count_padding") {
        layer.count_padding = yes(text, name, value);
    } else if (name == "activation") {
        layer.activation =
            static_cast<Activation>(place_of(text, "activation", value, activation_names()));
    } else { // padding
        const std::size_t dot = value.find('.');
        if (dot == std::string::npos) {
            throw bad(text, "padding is '" + value + "', expected ROWS.COLUMNS");
        }
        layer.pad_top = whole_number(text, name, value.substr(0, dot), -most);
        layer.pad_left = whole_number(text, name, value.substr(dot + 1), -most);
        words.padding = true;
    }
}

void fill_in(const std::string &text, Words &words) {
    Layer &layer = words.layer;
    if (layer.has_window() && !words.padding) {
        layer.pad_top = layer.pad_left = (layer.reach() - 1) / 2;
    }
    if (words.output.find('x') != std::string::npos) {
        layer.output = whole_shape(text, "the output", words.output);
        return;
    }
    layer.output = layer.input;
    if (layer.op == Op::global_average_pool) {
        layer.output.height = layer.output.width = 1;
    } else if (layer.has_window()) {
        layer.output.height = (layer.input.height + layer.stride - 1) / layer.stride;
        layer.output.width = (layer.input.width + layer.stride - 1) / layer.stride;
    }
    if (!words.output.empty()) {
        layer.output.channels = whole_number(text, "the output", words.output, 1);
    }
}

Layer parse_words(const std::string &text) {
    std::istringstream stream(text);
    std::vector<std::string> list;
    for (std::string word; stream >> word;) {
        list.push_back(word);
    }
    if (list.size() < 2) {
        throw bad(text, "expected OPERATOR HEIGHTxWIDTHxCHANNELS [-> OUTPUT] [knob=value ...]");
    }
    Words words;
    words.layer.op = static_cast<Op>(place_of(text, "operator", list[0], op_names()));
    words.layer.input = whole_shape(text, "the input", list[1]);
    words.layer.bias = words.layer.has_weights();
    std::size_t next = 2;
    if (next < list.size() && list[next] == "->") {
        if (list.size() == 3) {
            throw bad(text, "expected the output's channels or shape behind '->'");
        }
        words.output = list[3];
        next = 4;
    }
    std::set<std::string> seen;
    for (; next < list.size(); next++) {
        const std::size_t equals = list[next].find('=');
        if (equals == std::string::npos) {
            throw bad(text, "'" + list[next] + "' is no knob=value");
        }
        const std::string name = list[next].substr(0, equals);
        if (!seen.insert(name).second && name != "with") { // concat takes many
            throw bad(text, name + " stands there twice");
        }
        set_knob(text, name, list[next].substr(equals + 1), words);
    }
    fill_in(text, words);
    return words.layer;
}

Layer checked(const std::string &text, const Layer &layer) {
    const std::string problem = shape_problem(layer);
    if (!problem.empty()) {
        throw bad(text, to_string(layer.op) + " from " + to_string(layer.input) + " to " +
                            to_string(layer.output) + ": " + problem);
    }
    return layer;
}

} // namespace

Layer parse_layer_key(const std::string &text) {
    Scanner s(text);
    Layer layer;
    layer.op = static_cast<Op>(s.name(op_names(), "operator"));
    s.need("-");
    layer.type = static_cast<DataType>(s.name({"fp32", "fp16", "int8"}, "type"));
    s.need("-");
    layer.input = s.shape();
    s.need("-");
    layer.output = s.shape();
    if (layer.has_window()) {
        s.need("-k");
        layer.kernel = s.number(1);
        s.need("s");
        layer.stride = s.number(1);
        s.need("p");
        layer.pad_top = s.number(-most);
        s.need(".");
        layer.pad_left = s.number(-most);
    }
    if (layer.op == Op::unfold || layer.op == Op::fold) {
        s.need("-k");
        layer.kernel = s.number(1);
    }
    if (layer.op == Op::slice) {
        s.need("-from");
        layer.first_channel = s.number(0);
    }
    layer.dilation = s.skip("-d") ? s.number(2) : 1;
    layer.count_padding = s.skip_word("-padded");
    while (s.skip("-with")) {
        layer.others.push_back(s.shape());
    }
    if (s.rest().size() > 2 && s.rest()[0] == '-' && s.rest()[1] == 'g' &&
        std::isdigit(static_cast<unsigned char>(s.rest()[2])) != 0) { // not "-gelu"
        s.need("-g");
        layer.groups = s.number(2);
    }
    layer.bias = s.skip_word("-bias");
    layer.residual = s.skip_word("-residual");
    if (s.skip("-")) {
        layer.activation = static_cast<Activation>(s.name(activation_names(), "activation"));
    }
    if (!s.done()) {
        throw s.error("the end");
    }
    return checked(text, layer);
}

Layer parse_layer(const std::string &text) {
    const bool words =
        std::any_of(text.begin(), text.end(), [](unsigned char c) { return std::isspace(c) != 0; });
    if (!words) {
        return parse_layer_key(text);
    }
    const Layer layer = checked(text, parse_words(text));
    if (parse_layer_key(key(layer)) != layer) { // a database would find another one's plans
        throw bad(text, "its key " + key(layer) + " does not say all of it");
    }
    return layer;
}

} // namespace edgefront

// Strong quantities, so that a byte count cannot be passed as a time. Arithmetic keeps the unit;
// the ratio of two equal units is a plain double; `count()` is the way out, for printing and
// formulas.
//
//   Seconds t = Seconds(2e-3) + Seconds(1e-3);    double share = t / Seconds(1.0);
#pragma once

#include <cstdint>

namespace edgefront {

template <typename Tag, typename Rep>
class Quantity {
public:
    using rep = Rep;

    constexpr Quantity() = default;
    constexpr explicit Quantity(Rep value) : value_(value) {}
    constexpr Rep count() const { return value_; }

    constexpr Quantity &operator+=(Quantity o) {
        value_ += o.value_;
        return *this;
    }
    constexpr Quantity &operator-=(Quantity o) {
        value_ -= o.value_;
        return *this;
    }
    friend constexpr Quantity operator+(Quantity a, Quantity b) { return a += b; }
    friend constexpr Quantity operator-(Quantity a, Quantity b) { return a -= b; }
    friend constexpr Quantity operator*(Quantity a, Rep k) { return Quantity(a.value_ * k); }
    friend constexpr Quantity operator*(Rep k, Quantity a) { return Quantity(a.value_ * k); }
    friend constexpr double operator/(Quantity a, Quantity b) {
        return static_cast<double>(a.value_) / static_cast<double>(b.value_);
    }
    friend constexpr bool operator==(Quantity a, Quantity b) { return a.value_ == b.value_; }
    friend constexpr bool operator!=(Quantity a, Quantity b) { return a.value_ != b.value_; }
    friend constexpr bool operator<(Quantity a, Quantity b) { return a.value_ < b.value_; }
    friend constexpr bool operator>(Quantity a, Quantity b) { return a.value_ > b.value_; }
    friend constexpr bool operator<=(Quantity a, Quantity b) { return a.value_ <= b.value_; }
    friend constexpr bool operator>=(Quantity a, Quantity b) { return a.value_ >= b.value_; }

private:
    Rep value_{};
};

/// Multiply-adds of convolutions, fully connected layers and attention products (1 MAC = 2 FLOPs).
using Macs = Quantity<struct MacsTag, std::int64_t>;
/// Floating-point operations, element-wise ones included (dsl/flops.h says how they are counted).
using Flops = Quantity<struct FlopsTag, std::int64_t>;
/// Learned parameters, counted one by one.
using Params = Quantity<struct ParamsTag, std::int64_t>;
using Bytes = Quantity<struct BytesTag, std::int64_t>;
using Cycles = Quantity<struct CyclesTag, double>;
using Seconds = Quantity<struct SecondsTag, double>;
using Picojoules = Quantity<struct PicojoulesTag, double>;

constexpr double milliseconds(Seconds t) {
    return t.count() * 1e3;
}
constexpr double millijoules(Picojoules e) {
    return e.count() * 1e-9;
}

/// How many parts of size `b` cover `a`; of counts, a from 0 and b from 1 up.
constexpr std::int64_t ceil_div(std::int64_t a, std::int64_t b) {
    return (a + b - 1) / b;
}

} // namespace edgefront

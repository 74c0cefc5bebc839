// SPDX-License-Identifier: GPL-3.0-or-later
// Elementary functions on Simd vectors and the stored number formats. Included once by each kernels_*.cpp, after its
// Simd; everything is in an unnamed namespace (see kernels.h). A lane's result depends on that lane alone.
#pragma once

namespace {

using F = Simd::F;
constexpr int kWidth = Simd::kWidth;

// e^x within 2 ulp: x = n ln2 + r, |r| <= ln2 / 2, e^r = 1 + r + r^2 p(r) with p a minimax fit of degree 4 (relative
// error 3.2e-9). Underflows to 0 through the subnormals, overflows to infinity, keeps NaN.
inline F exponential(F x) {
    x = Simd::min(Simd::set(89.0f), Simd::max(Simd::set(-104.0f), x));
    const F n = Simd::round(Simd::mul(x, Simd::set(1.44269504f)));
    F r = Simd::fnma(n, Simd::set(0x1.62e4p-1f), x);  // the high part has 15 bits: n times it is exact
    r = Simd::fnma(n, Simd::set(1.42860677e-6f), r);
    F p = Simd::set(0.00138138782f);
    p = Simd::fma(p, r, Simd::set(0.00836906396f));
    p = Simd::fma(p, r, Simd::set(0.0416684225f));
    p = Simd::fma(p, r, Simd::set(0.166665182f));
    p = Simd::fma(p, r, Simd::set(0.49999994f));
    const F e = Simd::add(Simd::set(1.0f), Simd::fma(Simd::mul(r, r), p, r));
    return Simd::scale(e, n);
}

// 2^x of x <= 0 within 1.5 ulp, and 1 at 0: x = n + r, |r| <= 1/2, 2^r = 1 + r p(r) with p a minimax fit of degree 5
// (relative error 2.6e-9). Underflows to 0 through the subnormals, keeps NaN.
inline F powerOfTwo(F x) {
    x = Simd::max(Simd::set(-160.0f), x);
    const F n = Simd::round(x);
    const F r = Simd::sub(x, n);
    F p = Simd::set(0.000155946778f);
    p = Simd::fma(p, r, Simd::set(0.00134066434f));
    p = Simd::fma(p, r, Simd::set(0.00961769279f));
    p = Simd::fma(p, r, Simd::set(0.0555031039f));
    p = Simd::fma(p, r, Simd::set(0.240226522f));
    p = Simd::fma(p, r, Simd::set(0.693147242f));
    return Simd::scale(Simd::fma(p, r, Simd::set(1.0f)), n);
}

inline F silu(F x) {
    const F one = Simd::set(1.0f);
    return Simd::div(x, Simd::add(one, exponential(Simd::sub(Simd::zero(), x))));
}

// x Phi(x), with the normal tail 1 - Phi(a) = e^(-a^2/2) t q(t), t = 1 / (1 + 0.35 a), a = |x|: q is a minimax fit of
// degree 8 (relative error 3.2e-8 up to a = 14.5), so the left side keeps its relative precision where 1 + erf would
// cancel.
inline F gelu(F x) {
    const F a = Simd::min(Simd::set(14.5f), Simd::abs(x));
    const F t = Simd::div(Simd::set(1.0f), Simd::fma(a, Simd::set(0.35f), Simd::set(1.0f)));
    F q = Simd::set(-0.029158029705286026f);
    q = Simd::fma(q, t, Simd::set(0.1440316140651703f));
    q = Simd::fma(q, t, Simd::set(-0.25584039092063904f));
    q = Simd::fma(q, t, Simd::set(0.15932124853134155f));
    q = Simd::fma(q, t, Simd::set(-0.02321339212357998f));
    q = Simd::fma(q, t, Simd::set(0.10555292665958405f));
    q = Simd::fma(q, t, Simd::set(0.11982118338346481f));
    q = Simd::fma(q, t, Simd::set(0.1398635357618332f));
    q = Simd::fma(q, t, Simd::set(0.139621302485466f));
    const F square = Simd::mul(Simd::mul(a, a), Simd::set(-0.5f));
    const F tail = Simd::mul(Simd::mul(exponential(square), t), q);
    return Simd::mul(x, Simd::ifNegative(x, tail, Simd::sub(Simd::set(1.0f), tail)));
}

// x / (1 + e^(-2u)) with u = sqrt(2/pi) (x + 0.044715 x^3): the same as x/2 (1 + tanh u) without the cancellation.
inline F geluTanh(F x) {
    const F cubic = Simd::mul(Simd::mul(x, x), x);
    const F inner = Simd::fma(cubic, Simd::set(0.044715f), x);
    const F power = exponential(Simd::mul(inner, Simd::set(-1.59576912f)));
    return Simd::div(x, Simd::add(Simd::set(1.0f), power));
}

inline F relu(F x) {
    return Simd::max(Simd::zero(), x);
}

struct StoredF32 {
    using T = float;
    static constexpr bool kPairs = false;
    static F load(const T* p) { return Simd::load(p); }
    static F load(const T* p, int n) { return Simd::load(p, n); }
    static void store(T* p, F x, int n) { Simd::store(p, x, n); }
};
struct StoredBf16 {
    using T = std::uint16_t;
    static constexpr bool kPairs = true;  // of a weight panel
    static F load(const T* p) { return Simd::loadBf16(p); }
    static F load(const T* p, int n) { return Simd::loadBf16(p, n); }
    static void store(T* p, F x, int n) { Simd::storeBf16(p, x, n); }
};
struct StoredF16 {
    using T = std::uint16_t;
    static constexpr bool kPairs = false;
    static F load(const T* p) { return Simd::loadF16(p); }
    static F load(const T* p, int n) { return Simd::loadF16(p, n); }
    static void store(T* p, F x, int n) { Simd::storeF16(p, x, n); }
};

// body(first, n) for every vector of [0, count), n = kWidth but for the last.
template <class Body>
inline void forVectors(std::int64_t count, const Body& body) {
    std::int64_t i = 0;
    for (; i + kWidth <= count; i += kWidth) body(i, kWidth);
    if (i < count) body(i, static_cast<int>(count - i));
}

inline F loadSome(const float* p, int n) {
    return n == kWidth ? Simd::load(p) : Simd::load(p, n);
}
inline void storeSome(float* p, F x, int n) {
    n == kWidth ? Simd::store(p, x) : Simd::store(p, x, n);
}

}  // namespace

// SPDX-License-Identifier: GPL-3.0-or-later
// Operations on rows: norm, rope, activation, add, and the stores into KV pages.
#pragma once

namespace {

// Sum over d of body(x vector, n lanes) in a fixed order: four running vectors, vector i of the row going to i mod 4,
// then (0 + 1) + (2 + 3), then Simd::sum. `body(acc, x, n)` adds; lanes past the row's end must add nothing.
template <class Body>
inline float sumRow(const float* x, std::int64_t dim, const Body& body) {
    F acc[4] = {Simd::zero(), Simd::zero(), Simd::zero(), Simd::zero()};
    std::int64_t d = 0;
    for (; d + 4 * kWidth <= dim; d += 4 * kWidth)
#pragma GCC unroll 4
        for (int i = 0; i < 4; ++i) acc[i] = body(acc[i], Simd::load(x + d + i * kWidth), kWidth);
    for (int i = 0; d < dim; ++i, d += kWidth) {
        const int n = dim - d < kWidth ? static_cast<int>(dim - d) : kWidth;
        acc[i] = body(acc[i], loadSome(x + d, n), n);
    }
    return Simd::sum(Simd::add(Simd::add(acc[0], acc[1]), Simd::add(acc[2], acc[3])));
}

// x with the lanes from n on set to zero.
inline F firstLanes(F x, int n) {
    if (n == kWidth) return x;
    float lanes[kWidth];
    Simd::store(lanes, x);
    return Simd::load(lanes, n);
}

void norm(const espalier::cpu::NormArgs& args, std::int64_t row0, std::int64_t row1) {
    const auto dim = static_cast<float>(args.dim);
    for (std::int64_t i = row0 * args.groups; i < row1 * args.groups; ++i) {
        const std::int64_t t = i / args.groups;
        const std::int64_t first = i % args.groups * args.dim;
        const float* x = args.x + t * args.xStride + first;
        float* y = args.y + t * args.yStride + first;
        F mean = Simd::zero();
        if (args.subtractMean)
            mean = Simd::set(sumRow(x, args.dim, [](F acc, F v, int) { return Simd::add(acc, v); }) / dim);
        const float squares = sumRow(x, args.dim, [&](F acc, F v, int n) {
            const F centred = firstLanes(Simd::sub(v, mean), n);
            return Simd::fma(centred, centred, acc);
        });
        const F scale = Simd::set(1.0f / Simd::sqrt(squares / dim + args.eps));
        forVectors(args.dim, [&](std::int64_t d, int n) {
            const F scaled = Simd::mul(Simd::sub(loadSome(x + d, n), mean), scale);
            F value = Simd::mul(scaled, loadSome(args.weight + d, n));
            if (args.bias) value = Simd::add(value, loadSome(args.bias + d, n));
            storeSome(y + d, value, n);
        });
    }
}

void rope(const espalier::cpu::RopeArgs& args, std::int64_t row0, std::int64_t row1) {
    for (std::int64_t t = row0; t < row1; ++t)
        for (int head = 0; head < args.heads; ++head) {
            float* low = args.x + t * args.xStride + std::int64_t{head} * args.headDim;
            float* high = low + args.half;
            const float* cos = args.cos + t * args.cosStride;
            const float* sin = args.sin + t * args.sinStride;
            forVectors(args.half, [&](std::int64_t i, int n) {
                const F c = loadSome(cos + i, n);
                const F s = loadSome(sin + i, n);
                const F a = loadSome(low + i, n);
                const F b = loadSome(high + i, n);
                storeSome(low + i, Simd::fnma(b, s, Simd::mul(a, c)), n);
                storeSome(high + i, Simd::fma(a, s, Simd::mul(b, c)), n);
            });
        }
}

template <F (*Function)(F)>
void activation(const espalier::cpu::ActivationArgs& args, std::int64_t row0, std::int64_t row1) {
    for (std::int64_t t = row0; t < row1; ++t) {
        const float* gate = args.gate + t * args.gateStride;
        const float* up = args.up ? args.up + t * args.upStride : nullptr;
        float* out = args.out + t * args.outStride;
        forVectors(args.cols, [&](std::int64_t f, int n) {
            F value = Function(loadSome(gate + f, n));
            if (up) value = Simd::mul(value, loadSome(up + f, n));
            storeSome(out + f, value, n);
        });
    }
}

void add(float* y, const float* x, std::int64_t count) {
    forVectors(count,
               [&](std::int64_t i, int n) { storeSome(y + i, Simd::add(loadSome(y + i, n), loadSome(x + i, n)), n); });
}

// K goes in transposed, so that a vector of the page holds one element of 16 keys.
template <class Stored>
void storeKv(const espalier::cpu::StoreArgs& args) {
    using T = typename Stored::T;
    constexpr int kTokens = espalier::cpu::kPageTokens;
    const std::int64_t headElements = std::int64_t{args.headDim} * kTokens;
    T* keys = reinterpret_cast<T*>(args.page) + args.kvHead * headElements;
    T* values = keys + args.kvHeads * headElements;
    for (int i = 0; i < args.count; ++i) {
        const int slot = args.slot0 + i;
        const float* k = args.k + i * args.kStride;
        const float* v = args.v + i * args.vStride;
        forVectors(args.headDim, [&](std::int64_t d, int n) {
            T lanes[kWidth];
            Stored::store(lanes, loadSome(k + d, n), n);
            for (int lane = 0; lane < n; ++lane) keys[(d + lane) * kTokens + slot] = lanes[lane];
            Stored::store(values + std::int64_t{slot} * args.headDim + d, loadSome(v + d, n), n);
        });
    }
}

}  // namespace

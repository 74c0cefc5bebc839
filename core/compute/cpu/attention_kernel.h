// SPDX-License-Identifier: GPL-3.0-or-later
// Attention of one kv head over its pages, for a block of rows and the query heads that share the head ("queries").
//
// A query sees keys [first, position], or all keys when not causal, in ascending pages of 16. Per page: 16 scores, each one multiply-add chain over d
// from zero, times `scale`; m' = max(m, scores); p_j = e^(s_j - m'); l = l e^(m - m') + sum p (Simd::sum order);
// acc = acc e^(m - m') + sum_j p_j v_j, j ascending; at the end acc / l (online softmax, arXiv 1805.02867). Pages are
// fixed by token positions, so a query does the same steps whatever chunk or tile it came in. Slots that hold no key of
// the query are never multiplied: they may hold anything.
#pragma once

namespace {

constexpr int kTokens = espalier::cpu::kPageTokens;
constexpr int kKeyVectors = kTokens / kWidth;

struct Slots {
    int begin, end;  // the part of a page that a query sees; empty when begin >= end
    bool all() const { return begin == 0 && end == kTokens; }
};

// The queries of one call: query i is row i / group, head i % group.
struct Queries {
    const espalier::cpu::AttentionArgs& args;
    std::int64_t padded;  // floats of one accumulator

    explicit Queries(const espalier::cpu::AttentionArgs& a) : args(a), padded((a.headDim + 15) / 16 * 16) {}
    int count() const { return args.rows * args.group; }
    const float* q(int i) const { return args.q + i / args.group * args.qStride + offset(i); }
    float* out(int i) const { return args.out + i / args.group * args.outStride + offset(i); }
    float* acc(int i) const { return args.scratch + i * padded; }
    float& largest(int i) const { return args.scratch[count() * padded + 2 * i]; }
    float& sum(int i) const { return args.scratch[count() * padded + 2 * i + 1]; }
    int lastKey(int row) const { return args.keys > 0 ? args.keys - 1 : args.position + row; }
    Slots slots(int i, int page) const {
        const int last = lastKey(i / args.group) - page * kTokens;
        const int begin = args.window > 0 ? last - args.window + 1 : 0;
        return {begin > 0 ? begin : 0, last + 1 < kTokens ? last + 1 : kTokens};
    }

private:
    std::int64_t offset(int i) const { return std::int64_t{i % args.group} * args.headDim; }
};

// scores[r][j] = scale * q[first + r] . k[j]
template <class Stored, int Rows>
inline void score(const Queries& queries, int first, const typename Stored::T* keys, float (&scores)[Rows][kTokens]) {
    const float* q[Rows];
    F acc[Rows][kKeyVectors];
#pragma GCC unroll 16
    for (int r = 0; r < Rows; ++r) {
        q[r] = queries.q(first + r);
#pragma GCC unroll 16
        for (int v = 0; v < kKeyVectors; ++v) acc[r][v] = Simd::zero();
    }
    for (std::int64_t d = 0; d < queries.args.headDim; ++d) {
        F k[kKeyVectors];
#pragma GCC unroll 16
        for (int v = 0; v < kKeyVectors; ++v) k[v] = Stored::load(keys + d * kTokens + v * kWidth);
#pragma GCC unroll 16
        for (int r = 0; r < Rows; ++r) {
            const F broadcast = Simd::set(q[r][d]);
#pragma GCC unroll 16
            for (int v = 0; v < kKeyVectors; ++v) acc[r][v] = Simd::fma(broadcast, k[v], acc[r][v]);
        }
    }
    const F scale = Simd::set(queries.args.scale);
#pragma GCC unroll 16
    for (int r = 0; r < Rows; ++r)
#pragma GCC unroll 16
        for (int v = 0; v < kKeyVectors; ++v) Simd::store(scores[r] + v * kWidth, Simd::mul(acc[r][v], scale));
}

// Scores become weights p; returns what the accumulator is to be multiplied with.
inline float weigh(const Queries& queries, int query, Slots slots, float* scores) {
    constexpr float kMinusInfinity = -__builtin_inff();
    for (int j = 0; j < slots.begin; ++j) scores[j] = kMinusInfinity;
    for (int j = slots.end; j < kTokens; ++j) scores[j] = kMinusInfinity;
    F s[kKeyVectors];
    F top = s[0] = Simd::load(scores);
#pragma GCC unroll 16
    for (int v = 1; v < kKeyVectors; ++v) top = Simd::max(top, s[v] = Simd::load(scores + v * kWidth));
    float& largest = queries.largest(query);
    const float pageTop = Simd::largest(top);
    float correction = 1.0f;
    if (pageTop > largest) {
        float lanes[kWidth];
        Simd::store(lanes, exponential(Simd::set(largest - pageTop)));
        correction = lanes[0];
        largest = pageTop;
    }
    const F m = Simd::set(largest);
    F total = Simd::zero();
#pragma GCC unroll 16
    for (int v = 0; v < kKeyVectors; ++v) {
        const F p = exponential(Simd::sub(s[v], m));
        Simd::store(scores + v * kWidth, p);
        total = Simd::add(total, p);
    }
    queries.sum(query) = queries.sum(query) * correction + Simd::sum(total);
    return correction;
}

// acc[r] = acc[r] * correction[r] + sum over slots of p[r][j] * v[j], for Vectors vectors from element d on; `lanes` of
// the last one exist.
template <class Stored, int Rows, int Vectors>
inline __attribute__((always_inline)) void mixColumns(const Queries& queries, int first, Slots slots, std::int64_t d,
                                                      int lanes, const typename Stored::T* values,
                                                      const float (*p)[kTokens], const float* correction) {
    const std::int64_t dim = queries.args.headDim;
    F acc[Rows][Vectors];
#pragma GCC unroll 16
    for (int r = 0; r < Rows; ++r)
#pragma GCC unroll 16
        for (int v = 0; v < Vectors; ++v)
            acc[r][v] = Simd::mul(Simd::load(queries.acc(first + r) + d + v * kWidth), Simd::set(correction[r]));
    for (int j = slots.begin; j < slots.end; ++j) {
        F value[Vectors];
#pragma GCC unroll 16
        for (int v = 0; v < Vectors; ++v)
            value[v] = lanes == kWidth ? Stored::load(values + j * dim + d + v * kWidth)
                                       : Stored::load(values + j * dim + d + v * kWidth, lanes);
#pragma GCC unroll 16
        for (int r = 0; r < Rows; ++r) {
            const F weight = Simd::set(p[r][j]);
#pragma GCC unroll 16
            for (int v = 0; v < Vectors; ++v) acc[r][v] = Simd::fma(weight, value[v], acc[r][v]);
        }
    }
#pragma GCC unroll 16
    for (int r = 0; r < Rows; ++r)
#pragma GCC unroll 16
        for (int v = 0; v < Vectors; ++v) Simd::store(queries.acc(first + r) + d + v * kWidth, acc[r][v]);
}

template <class Stored, int Rows>
inline void mix(const Queries& queries, int first, Slots slots, const typename Stored::T* values,
                const float (*p)[kTokens], const float* correction) {
    const std::int64_t dim = queries.args.headDim;
    std::int64_t d = 0;
    for (; d + 2 * kWidth <= dim; d += 2 * kWidth)
        mixColumns<Stored, Rows, 2>(queries, first, slots, d, kWidth, values, p, correction);
    for (; d < dim; d += kWidth) {
        const int lanes = dim - d < kWidth ? static_cast<int>(dim - d) : kWidth;
        mixColumns<Stored, Rows, 1>(queries, first, slots, d, lanes, values, p, correction);
    }
}

// One page for queries [first, first + Rows).
template <class Stored, int Rows>
void attendTile(const Queries& queries, int first, int page, const typename Stored::T* keys,
                const typename Stored::T* values) {
    Slots slots[Rows];
    bool any = false;
    bool all = true;
    for (int r = 0; r < Rows; ++r) {
        slots[r] = queries.slots(first + r, page);
        any = any || slots[r].begin < slots[r].end;
        all = all && slots[r].all();
    }
    if (!any) return;
    float p[Rows][kTokens];
    float correction[Rows];
    score<Stored, Rows>(queries, first, keys, p);
    for (int r = 0; r < Rows; ++r)
        if (slots[r].begin < slots[r].end) correction[r] = weigh(queries, first + r, slots[r], p[r]);
    if (all) return mix<Stored, Rows>(queries, first, {0, kTokens}, values, p, correction);
    for (int r = 0; r < Rows; ++r)
        if (slots[r].begin < slots[r].end) mix<Stored, 1>(queries, first + r, slots[r], values, p + r, correction + r);
}

template <class Stored, int Rows>
void attendPage(const Queries& queries, int first, int page, const typename Stored::T* keys,
                const typename Stored::T* values) {
    for (; first + Rows <= queries.count(); first += Rows) attendTile<Stored, Rows>(queries, first, page, keys, values);
    if constexpr (Rows > 1) attendPage<Stored, Rows / 2>(queries, first, page, keys, values);
}

template <class Stored>
void attention(const espalier::cpu::AttentionArgs& args) {
    const Queries queries(args);
    for (std::int64_t i = 0; i < queries.count() * queries.padded; ++i) args.scratch[i] = 0.0f;
    for (int i = 0; i < queries.count(); ++i) {
        queries.largest(i) = -__builtin_inff();
        queries.sum(i) = 0.0f;
    }
    const std::int64_t headElements = std::int64_t{args.headDim} * kTokens;
    const int firstKey = args.window > 0 && args.position - args.window + 1 > 0 ? args.position - args.window + 1 : 0;
    for (int page = firstKey / kTokens; page <= queries.lastKey(args.rows - 1) / kTokens; ++page) {
        const auto* keys = reinterpret_cast<const typename Stored::T*>(args.base + args.pages[page] * args.pageBytes) +
                           args.kvHead * headElements;
        attendPage<Stored, Simd::kAttentionRows>(queries, 0, page, keys, keys + args.kvHeads * headElements);
    }
    for (int i = 0; i < queries.count(); ++i) {
        const F sum = Simd::set(queries.sum(i));
        forVectors(args.headDim, [&](std::int64_t d, int n) {
            storeSome(queries.out(i) + d, Simd::div(loadSome(queries.acc(i) + d, n), sum), n);
        });
    }
}

}  // namespace

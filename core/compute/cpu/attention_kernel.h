// SPDX-License-Identifier: GPL-3.0-or-later
// Attention of one kv head over its pages, for a block of rows and the query heads that share the head ("queries").
//
// A query sees keys [first, position], or all keys when not causal, in ascending blocks of 64. Per block: 64 scores,
// each one multiply-add chain over d from zero, times `scale`; m' = max(m, scores); p_j = e^(s_j - m'); lane j of l is
// l_j e^(m - m') + (p_j + p_(j + lanes) + ...); acc = acc e^(m - m') + sum_j p_j v_j, j ascending (online softmax,
// arXiv 1805.02867). A span of 1024 keys begins with a state (m, l, acc) of its own, and states are merged in ascending
// order; at the end acc / Simd::sum(l). Blocks and spans are fixed by token positions, so a query does the same steps
// whatever chunk, tile or thread it came in: a factor of 1, a weight of 0 in l and a state that saw nothing may be left
// out without changing a bit. Slots that hold no key of the query are never multiplied: they may hold anything.
#pragma once

namespace {

constexpr int kTokens = espalier::cpu::kPageTokens;
constexpr int kKeyVectors = kTokens / kWidth;
constexpr int kBlockPages = 4;
constexpr int kBlockKeys = kBlockPages * kTokens;
constexpr int kSpanBlocks = espalier::cpu::kAttentionSpan / kBlockKeys;
static_assert(espalier::cpu::kAttentionSpan % kBlockKeys == 0 && kTokens % kWidth == 0);

// Sums of a tile that registers hold, beside the vectors they are made of.
constexpr int kSums = kWidth == 16 ? 16 : 8;
constexpr int atMost(int value, int limit) {
    return value < limit ? value : limit;
}
constexpr int scorePages(int rows) {
    return kSums < rows * kKeyVectors ? 1 : atMost(kSums / (rows * kKeyVectors), kBlockPages);
}
constexpr int mixVectors(int rows) {
    return atMost(kSums / rows, 4);
}

struct Slots {
    int begin, end;  // the part of a block that a query sees; empty when begin >= end
    bool any() const { return begin < end; }
};

// What a query has after some keys, in espalier::cpu::attentionState floats.
struct State {
    float* floats;
    std::int64_t padded;
    float* acc() const { return floats; }
    float* sums() const { return floats + padded; }         // l, by lane
    float& largest() const { return floats[padded + 16]; }  // m
    float& hasKeys() const { return floats[padded + 17]; }  // not 0 once there was a key
};

// The queries of one call: query i is row i / group, head i % group.
struct Queries {
    const espalier::cpu::AttentionArgs& args;
    std::int64_t stateFloats, padded;

    explicit Queries(const espalier::cpu::AttentionArgs& a)
        : args(a), stateFloats(espalier::cpu::attentionState(a.headDim)), padded(espalier::cpu::paddedDim(a.headDim)) {}
    int count() const { return args.rows * args.group; }
    const float* q(int i) const { return args.q + i / args.group * args.qStride + offset(i); }
    float* out(int i) const { return args.out + i / args.group * args.outStride + offset(i); }
    State state(float* states, int i) const { return {states + i * stateFloats, padded}; }
    int lastKey(int row) const { return args.keys > 0 ? args.keys - 1 : args.position + row; }
    int firstKey(int row) const {
        const int first = lastKey(row) - args.window + 1;
        return args.window > 0 && first > 0 ? first : 0;
    }
    Slots slots(int i, int block) const {
        const int row = i / args.group;
        const int begin = firstKey(row) - block * kBlockKeys, end = lastKey(row) + 1 - block * kBlockKeys;
        return {begin > 0 ? begin : 0, end < kBlockKeys ? end : kBlockKeys};
    }

private:
    std::int64_t offset(int i) const { return std::int64_t{i % args.group} * args.headDim; }
};

// K and V of the kv head in the pages of one block, and where the same lies in the next: every load also asks for what
// the next block will load there, so that memory works while this block is computed.
template <class T>
struct BlockPages {
    const T* keys[kBlockPages];
    const T* values[kBlockPages];
    std::int64_t ahead[kBlockPages];  // bytes from here to there; 0 where there is none
};

template <class T>
inline void askAhead(const T* from, std::int64_t ahead) {
    __builtin_prefetch(reinterpret_cast<const char*>(from) + ahead);
}

// p[r][keys of the pages] = scale * q[r] . k, for `Pages` pages from `page` on. q: [headDim][Rows].
template <class Stored, int Rows, int Pages>
inline void scoreSome(const float* q, int headDim, F scale, const BlockPages<typename Stored::T>& pages, int page,
                      float (*p)[kBlockKeys]) {
    constexpr int kVectors = Pages * kKeyVectors;
    F acc[Rows][kVectors];
#pragma GCC unroll 16
    for (int r = 0; r < Rows; ++r)
#pragma GCC unroll 16
        for (int v = 0; v < kVectors; ++v) acc[r][v] = Simd::zero();
    for (std::int64_t d = 0; d < headDim; ++d, q += Rows) {
        F k[kVectors];
#pragma GCC unroll 16
        for (int v = 0; v < kVectors; ++v) {
            const auto* from = pages.keys[page + v / kKeyVectors] + d * kTokens + v % kKeyVectors * kWidth;
            if (v % kKeyVectors == 0) askAhead(from, pages.ahead[page + v / kKeyVectors]);
            k[v] = Stored::load(from);
        }
#pragma GCC unroll 16
        for (int r = 0; r < Rows; ++r) {
            const F broadcast = Simd::set(q[r]);
#pragma GCC unroll 16
            for (int v = 0; v < kVectors; ++v) acc[r][v] = Simd::fma(broadcast, k[v], acc[r][v]);
        }
    }
#pragma GCC unroll 16
    for (int r = 0; r < Rows; ++r)
#pragma GCC unroll 16
        for (int v = 0; v < kVectors; ++v) Simd::store(p[r] + page * kTokens + v * kWidth, Simd::mul(acc[r][v], scale));
}

inline float exponentialOf(float x) {
    float lanes[kWidth];
    Simd::store(lanes, exponential(Simd::set(x)));
    return lanes[0];
}

inline void multiplyBy(float* values, std::int64_t count, float factor) {
    const F all = Simd::set(factor);
    for (std::int64_t i = 0; i < count; i += kWidth) Simd::store(values + i, Simd::mul(Simd::load(values + i), all));
}

// Scores of pages [page0, page1) become weights p; the state is brought to the new largest score.
inline void weigh(const State& state, Slots slots, int page0, int page1, float* scores) {
    constexpr float kMinusInfinity = -__builtin_inff();
    for (int j = page0 * kTokens; j < slots.begin; ++j) scores[j] = kMinusInfinity;
    for (int j = slots.end; j < page1 * kTokens; ++j) scores[j] = kMinusInfinity;
    const float* end = scores + page1 * kTokens;
    F top = Simd::set(kMinusInfinity);
    for (const float* s = scores + page0 * kTokens; s < end; s += kWidth) top = Simd::max(top, Simd::load(s));
    const float blockTop = Simd::largest(top);
    if (blockTop > state.largest()) {
        const float correction = exponentialOf(state.largest() - blockTop);
        state.largest() = blockTop;
        multiplyBy(state.floats, state.padded + kWidth, correction);  // acc and l
    }
    const F m = Simd::set(state.largest());
    F total = Simd::zero();
    for (float* s = scores + page0 * kTokens; s < end; s += kWidth) {
        const F p = exponential(Simd::sub(Simd::load(s), m));
        Simd::store(s, p);
        total = Simd::add(total, p);
    }
    Simd::store(state.sums(), Simd::add(Simd::load(state.sums()), total));
    state.hasKeys() = 1.0f;
}

// acc[r] += sum over slots of p[r][j] * v[j], for Vectors vectors from element d on; `lanes` of the last one exist.
template <class Stored, int Rows, int Vectors>
inline __attribute__((always_inline)) void mixColumns(float* const (&acc)[Rows], Slots slots, std::int64_t d, int lanes,
                                                      int headDim, const BlockPages<typename Stored::T>& pages,
                                                      const float (*p)[kBlockKeys]) {
    F sums[Rows][Vectors];
#pragma GCC unroll 16
    for (int r = 0; r < Rows; ++r)
#pragma GCC unroll 16
        for (int v = 0; v < Vectors; ++v) sums[r][v] = Simd::load(acc[r] + d + v * kWidth);
    for (int page = slots.begin / kTokens; page * kTokens < slots.end; ++page) {
        const std::int64_t ahead = pages.ahead[page];
        const int begin = page * kTokens < slots.begin ? slots.begin : page * kTokens;
        const int end = (page + 1) * kTokens < slots.end ? (page + 1) * kTokens : slots.end;
        const auto* from = pages.values[page] + std::int64_t{begin - page * kTokens} * headDim + d;
        for (int j = begin; j < end; ++j, from += headDim) {
            F value[Vectors];
#pragma GCC unroll 16
            for (int v = 0; v < Vectors; ++v) {
                askAhead(from + v * kWidth, ahead);
                value[v] = lanes == kWidth ? Stored::load(from + v * kWidth) : Stored::load(from + v * kWidth, lanes);
            }
#pragma GCC unroll 16
            for (int r = 0; r < Rows; ++r) {
                const F weight = Simd::set(p[r][j]);
#pragma GCC unroll 16
                for (int v = 0; v < Vectors; ++v) sums[r][v] = Simd::fma(weight, value[v], sums[r][v]);
            }
        }
    }
#pragma GCC unroll 16
    for (int r = 0; r < Rows; ++r)
#pragma GCC unroll 16
        for (int v = 0; v < Vectors; ++v) Simd::store(acc[r] + d + v * kWidth, sums[r][v]);
}

template <class Stored, int Rows>
inline void mix(float* const (&acc)[Rows], Slots slots, int headDim, const BlockPages<typename Stored::T>& pages,
                const float (*p)[kBlockKeys]) {
    if (!slots.any()) return;
    constexpr int kVectors = mixVectors(Rows);
    std::int64_t d = 0;
    for (; d + kVectors * kWidth <= headDim; d += kVectors * kWidth)
        mixColumns<Stored, Rows, kVectors>(acc, slots, d, kWidth, headDim, pages, p);
    for (; d < headDim; d += kWidth) {
        const int lanes = headDim - d < kWidth ? static_cast<int>(headDim - d) : kWidth;
        mixColumns<Stored, Rows, 1>(acc, slots, d, lanes, headDim, pages, p);
    }
}

// One block for queries [first, first + Rows); q as scoreSome wants it.
template <class Stored, int Rows>
void attendTile(const Queries& queries, const float* q, float* states, int first, int block,
                const BlockPages<typename Stored::T>& pages) {
    Slots slots[Rows];
    Slots common{0, kBlockKeys}, seen{kBlockKeys, 0};  // by all, by any
    for (int r = 0; r < Rows; ++r) {
        slots[r] = queries.slots(first + r, block);
        if (slots[r].begin > common.begin) common.begin = slots[r].begin;
        if (slots[r].end < common.end) common.end = slots[r].end;
        if (!slots[r].any()) continue;
        if (slots[r].begin < seen.begin) seen.begin = slots[r].begin;
        if (slots[r].end > seen.end) seen.end = slots[r].end;
    }
    if (!seen.any()) return;
    float p[Rows][kBlockKeys];
    const int headDim = queries.args.headDim;
    const F scale = Simd::set(queries.args.scale);
    const int page0 = seen.begin / kTokens, page1 = (seen.end + kTokens - 1) / kTokens;
    int page = page0;
    for (; page + scorePages(Rows) <= page1; page += scorePages(Rows))
        scoreSome<Stored, Rows, scorePages(Rows)>(q, headDim, scale, pages, page, p);
    for (; page < page1; ++page) scoreSome<Stored, Rows, 1>(q, headDim, scale, pages, page, p);
    float* acc[Rows];
    for (int r = 0; r < Rows; ++r) {
        const State state = queries.state(states, first + r);
        acc[r] = state.acc();
        if (slots[r].any()) weigh(state, slots[r], page0, page1, p[r]);
    }
    if (!common.any()) common = {kBlockKeys, kBlockKeys};  // then all of a query's keys stand before them
    for (int r = 0; r < Rows; ++r) {
        float* const own[1] = {acc[r]};
        mix<Stored, 1>(own, {slots[r].begin, atMost(slots[r].end, common.begin)}, headDim, pages, p + r);
    }
    mix<Stored, Rows>(acc, common, headDim, pages, p);
    for (int r = 0; r < Rows; ++r) {
        float* const own[1] = {acc[r]};
        mix<Stored, 1>(own, {common.end, slots[r].end}, headDim, pages, p + r);
    }
}

// body(std::integral_constant-like Rows, first): the tiles that `count` queries are cut into.
template <int Rows, class Body>
inline void forTiles(int count, int first, const Body& body) {
    for (; first + Rows <= count; first += Rows) body.template run<Rows>(first);
    if constexpr (Rows > 1) forTiles<Rows / 2>(count, first, body);
}

// q of every tile as [headDim][Rows], so that one pointer walks through it.
struct PackTile {
    const Queries& queries;
    float* packed;
    template <int Rows>
    void run(int first) const {
        const int headDim = queries.args.headDim;
        float* to = packed + std::int64_t{first} * headDim;
        for (int r = 0; r < Rows; ++r) {
            const float* q = queries.q(first + r);
            for (int d = 0; d < headDim; ++d) to[d * Rows + r] = q[d];
        }
    }
};

template <class Stored>
struct AttendTile {
    const Queries& queries;
    const float* packed;
    float* states;
    int block;
    const BlockPages<typename Stored::T>& pages;
    template <int Rows>
    void run(int first) const {
        attendTile<Stored, Rows>(queries, packed + std::int64_t{first} * queries.args.headDim, states, first, block,
                                 pages);
    }
};

inline void begin(const Queries& queries, float* states) {
    const std::int64_t floats = queries.count() * queries.stateFloats;
    for (std::int64_t i = 0; i < floats; i += kWidth) Simd::store(states + i, Simd::zero());
    for (int i = 0; i < queries.count(); ++i) queries.state(states, i).largest() = -__builtin_inff();
}

// `to`, of earlier keys, takes in what `from` has.
inline void merge(const State& to, const State& from) {
    if (from.hasKeys() == 0.0f) return;
    const std::int64_t floats = to.padded + kWidth;  // acc and l
    if (to.hasKeys() == 0.0f) {
        for (std::int64_t i = 0; i < floats; i += kWidth) Simd::store(to.floats + i, Simd::load(from.floats + i));
        to.largest() = from.largest();
        to.hasKeys() = 1.0f;
        return;
    }
    const float largest = from.largest() > to.largest() ? from.largest() : to.largest();
    multiplyBy(to.floats, floats, exponentialOf(to.largest() - largest));
    const F factor = Simd::set(exponentialOf(from.largest() - largest));
    for (std::int64_t i = 0; i < floats; i += kWidth)
        Simd::store(to.floats + i, Simd::fma(factor, Simd::load(from.floats + i), Simd::load(to.floats + i)));
    to.largest() = largest;
}

inline void finish(const Queries& queries, float* states) {
    for (int i = 0; i < queries.count(); ++i) {
        const State state = queries.state(states, i);
        const F sum = Simd::set(Simd::sum(Simd::load(state.sums())));
        forVectors(queries.args.headDim, [&](std::int64_t d, int n) {
            storeSome(queries.out(i) + d, Simd::div(Simd::load(state.acc() + d), sum), n);
        });
    }
}

template <class Stored>
void attendSpan(const Queries& queries, const float* packed, float* states, int span) {
    using T = typename Stored::T;
    const espalier::cpu::AttentionArgs& args = queries.args;
    const std::int64_t headElements = std::int64_t{args.headDim} * kTokens;
    const int lastPage = queries.lastKey(args.rows - 1) / kTokens, firstBlock = queries.firstKey(0) / kBlockKeys;
    const auto keysOf = [&](int page) {
        return reinterpret_cast<const T*>(args.base + args.pages[page] * args.pageBytes) + args.kvHead * headElements;
    };
    begin(queries, states);
    int block = span * kSpanBlocks < firstBlock ? firstBlock : span * kSpanBlocks;
    for (; block < (span + 1) * kSpanBlocks && block * kBlockPages <= lastPage; ++block) {
        BlockPages<T> pages;
        for (int i = 0; i < kBlockPages; ++i) {
            const int page = block * kBlockPages + i, next = page + kBlockPages;
            pages.keys[i] = pages.values[i] = nullptr;
            pages.ahead[i] = 0;
            if (page > lastPage || (page + 1) * kTokens <= queries.firstKey(0)) continue;  // may have been given away
            pages.keys[i] = keysOf(page);
            pages.values[i] = pages.keys[i] + args.kvHeads * headElements;
            if (next <= lastPage) pages.ahead[i] = std::int64_t{args.pages[next] - args.pages[page]} * args.pageBytes;
        }
        forTiles<Simd::kAttentionRows>(queries.count(), 0, AttendTile<Stored>{queries, packed, states, block, pages});
    }
}

template <class Stored>
void attention(const espalier::cpu::AttentionArgs& args) {
    const Queries queries(args);
    float* packed = args.scratch;
    float* second = packed + espalier::cpu::paddedDim(std::int64_t{args.headDim} * queries.count());
    forTiles<Simd::kAttentionRows>(queries.count(), 0, PackTile{queries, packed});
    attendSpan<Stored>(queries, packed, args.states, args.span0);
    for (int span = args.span0 + 1; span < args.span1; ++span) {
        attendSpan<Stored>(queries, packed, second, span);
        for (int i = 0; i < queries.count(); ++i) merge(queries.state(args.states, i), queries.state(second, i));
    }
    if (args.finish) finish(queries, args.states);
}

// args.states: those of spans [args.span0, args.span1), one after the other.
void mergeAttention(const espalier::cpu::AttentionArgs& args) {
    const Queries queries(args);
    for (int span = 1; span < args.span1 - args.span0; ++span) {
        float* from = args.states + span * queries.count() * queries.stateFloats;
        for (int i = 0; i < queries.count(); ++i) merge(queries.state(args.states, i), queries.state(from, i));
    }
    finish(queries, args.states);
}

}  // namespace

// SPDX-License-Identifier: GPL-3.0-or-later
// Attention of one tile of queries to one block of keys (attention_kernel.h): scores from K, weights and sums from V.
// A query's numbers are the same in every tile.
#pragma once

namespace {

constexpr int kTokens = espalier::cpu::kPageTokens;
constexpr int kKeyVectors = kTokens / kWidth;
constexpr int kBlockPages = espalier::cpu::kAttentionBlock / kTokens;
constexpr int kBlockKeys = espalier::cpu::kAttentionBlock;
constexpr int kSpanPages = espalier::cpu::kAttentionSpan / kTokens;
static_assert(kSpanPages % kBlockPages == 0 && kBlockKeys % kTokens == 0 && kTokens % kWidth == 0);

constexpr int kLineBytes = 64;
constexpr int kAhead = 4096;  // numbers between what is read of K or V and what is asked for

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
    bool all() const { return begin == 0 && end == kBlockKeys; }
    int page0() const { return begin / kTokens; }
    int page1() const { return (end + kTokens - 1) / kTokens; }
};

// What a query has of some keys, in espalier::cpu::attentionState floats.
struct State {
    float* floats;
    std::int64_t padded;
    float* acc() const { return floats; }
    float* sums() const { return floats + padded; }         // l, by lane; while K is read the largest score, by lane
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

// What the queries of a tile see of a block.
template <int Rows>
struct TileSlots {
    Slots each[Rows];
    Slots common{0, kBlockKeys}, seen{kBlockKeys, 0};  // by all, by any

    TileSlots(const Queries& queries, int first, int block) {
        each[0] = queries.slots(first, block);
        each[Rows - 1] = queries.slots(first + Rows - 1, block);
        if (each[0].all() && each[Rows - 1].all()) {  // and so do those between, whose keys lie between theirs
            for (Slots& one : each) one = common;
            seen = common;
            return;
        }
        for (int r = 0; r < Rows; ++r) {
            each[r] = queries.slots(first + r, block);
            if (each[r].begin > common.begin) common.begin = each[r].begin;
            if (each[r].end < common.end) common.end = each[r].end;
            if (!each[r].any()) continue;
            if (each[r].begin < seen.begin) seen.begin = each[r].begin;
            if (each[r].end > seen.end) seen.end = each[r].end;
        }
        if (!common.any()) common = {kBlockKeys, kBlockKeys};  // then all of a query's keys stand before them
    }
};

template <class T>
inline void askAhead(const T* from, std::int64_t ahead) {
    __builtin_prefetch(reinterpret_cast<const char*>(from) + ahead);
}

// K or V of the kv head in the pages of one block, and how many bytes from there lies what is read kAhead later.
template <class T>
struct BlockPages {
    const T* at[kBlockPages];
    std::int64_t ahead[kBlockPages];  // 0 where nothing follows
};

// What a call reads in a span, in order: K of its pages, V of its pages, then K of the next span.
template <class T>
class SpanPages {
public:
    SpanPages(const Queries& queries, int span) : m_args(queries.args) {
        const int last = queries.lastKey(m_args.rows - 1) / kTokens;
        m_first = queries.firstKey(0) / kTokens;  // pages before may have been given away
        if (m_first < span * kSpanPages) m_first = span * kSpanPages;
        m_count = atMost(last + 1, (span + 1) * kSpanPages) - m_first;
        m_steps = 2 * m_count;
        if (span + 1 < m_args.span1) m_steps += last + 1 - (m_first + m_count);
        m_headElements = std::int64_t{m_args.headDim} * kTokens;
        m_stepsAhead = static_cast<int>(kAhead / m_headElements);
        if (m_stepsAhead < 1) m_stepsAhead = 1;
    }
    int firstBlock() const { return m_first / kBlockPages; }
    int endBlock() const { return (m_first + m_count + kBlockPages - 1) / kBlockPages; }
    BlockPages<T> keys(int block) const { return pages(block, 0); }
    BlockPages<T> values(int block) const { return pages(block, m_count); }

private:
    const T* address(int step) const {
        const bool isValue = step >= m_count && step < 2 * m_count;
        const std::int64_t page = m_args.pages[m_first + step - (step >= m_count ? m_count : 0)];
        return reinterpret_cast<const T*>(m_args.base + page * m_args.pageBytes) +
               (isValue ? m_args.kvHeads + m_args.kvHead : m_args.kvHead) * m_headElements;
    }
    BlockPages<T> pages(int block, int firstStep) const {
        BlockPages<T> of;
        for (int i = 0; i < kBlockPages; ++i) {
            const int page = block * kBlockPages + i - m_first, step = firstStep + page;
            of.at[i] = nullptr;
            of.ahead[i] = 0;
            if (page < 0 || page >= m_count) continue;
            of.at[i] = address(step);
            if (step + m_stepsAhead < m_steps)
                of.ahead[i] = reinterpret_cast<const char*>(address(step + m_stepsAhead)) -
                              reinterpret_cast<const char*>(of.at[i]);
        }
        return of;
    }

    const espalier::cpu::AttentionArgs& m_args;
    int m_first, m_count, m_steps, m_stepsAhead;
    std::int64_t m_headElements;
};

// p[r][keys of the pages] = q[r] . k, for `Pages` pages from `page` on, and their largest by lane goes into top[r]. q:
// [headDim][Rows].
template <class Stored, int Rows, int Pages, bool Ask>
inline void scoreSome(const float* q, int headDim, const BlockPages<typename Stored::T>& pages, int page,
                      float (*p)[kBlockKeys], float* const (&top)[Rows]) {
    constexpr int kVectors = Pages * kKeyVectors;
    constexpr int kTogether = kLineBytes / (kTokens * static_cast<int>(sizeof(typename Stored::T)));  // d of a line
    F acc[Rows][kVectors];
#pragma GCC unroll 16
    for (int r = 0; r < Rows; ++r)
#pragma GCC unroll 16
        for (int v = 0; v < kVectors; ++v) acc[r][v] = Simd::zero();
    for (std::int64_t d = 0; d < headDim; ++d, q += Rows) {
        F k[kVectors];
#pragma GCC unroll 16
        for (int v = 0; v < kVectors; ++v) {
            const auto* from = pages.at[page + v / kKeyVectors] + d * kTokens + v % kKeyVectors * kWidth;
            if (Ask && v % kKeyVectors == 0 && d % kTogether == 0) askAhead(from, pages.ahead[page + v / kKeyVectors]);
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
    for (int r = 0; r < Rows; ++r) {
        F largest = Simd::load(top[r]);
#pragma GCC unroll 16
        for (int v = 0; v < kVectors; ++v) {
            Simd::store(p[r] + page * kTokens + v * kWidth, acc[r][v]);
            largest = Simd::max(largest, acc[r][v]);
        }
        Simd::store(top[r], largest);
    }
}

// What a query does not see of pages [page0, page1) gets no weight; the largest of the rest goes into top.
inline void hide(Slots seen, int page0, int page1, float* p, float* top) {
    for (int j = page0 * kTokens; j < seen.begin; ++j) p[j] = -__builtin_inff();
    for (int j = seen.end; j < page1 * kTokens; ++j) p[j] = -__builtin_inff();
    F largest = Simd::load(top);
    for (int j = page0 * kTokens; j < page1 * kTokens; j += kWidth) largest = Simd::max(largest, Simd::load(p + j));
    Simd::store(top, largest);
}

// Scores p of queries [first, first + Rows) with the keys of a block; q as scoreSome wants it.
template <class Stored, int Rows, bool Ask>
void scoreTile(const Queries& queries, const float* q, float* states, int first, int block,
               const BlockPages<typename Stored::T>& pages, float (*p)[kBlockKeys]) {
    const TileSlots<Rows> slots(queries, first, block);
    if (!slots.seen.any()) return;
    const int page0 = slots.seen.page0(), page1 = slots.seen.page1();
    const bool isWhole = slots.common.all();
    float unused[kWidth] = {};  // the largest of what a query may not see is not asked for
    float* top[Rows];
    for (int r = 0; r < Rows; ++r) top[r] = isWhole ? queries.state(states, first + r).sums() : unused;
    int page = page0;
    for (; page + scorePages(Rows) <= page1; page += scorePages(Rows))
        scoreSome<Stored, Rows, scorePages(Rows), Ask>(q, queries.args.headDim, pages, page, p, top);
    for (; page < page1; ++page) scoreSome<Stored, Rows, 1, Ask>(q, queries.args.headDim, pages, page, p, top);
    if (isWhole) return;
    for (int r = 0; r < Rows; ++r)
        if (slots.each[r].any()) hide(slots.each[r], page0, page1, p[r], queries.state(states, first + r).sums());
}

// Scores of pages [page0, page1) become weights.
inline __attribute__((always_inline)) void weigh(const State& state, int page0, int page1, float* p) {
    const F m = Simd::set(state.largest());
    F total = Simd::load(state.sums());
    for (int page = page0; page < page1; ++page)
#pragma GCC unroll 4
        for (int v = 0; v < kKeyVectors; ++v) {
            float* const at = p + page * kTokens + v * kWidth;
            const F weight = powerOfTwo(Simd::sub(Simd::load(at), m));
            Simd::store(at, weight);
            total = Simd::add(total, weight);
        }
    Simd::store(state.sums(), total);
}

// acc[r] += sum over slots of p[r][j] * v[j], for Vectors vectors from element d on; `lanes` of the last one exist.
template <class Stored, int Rows, int Vectors, bool Ask>
inline __attribute__((always_inline)) void mixColumns(float* const (&acc)[Rows], Slots slots, std::int64_t d, int lanes,
                                                      int headDim, const BlockPages<typename Stored::T>& pages,
                                                      const float (*p)[kBlockKeys]) {
    constexpr int kVectorBytes = kWidth * static_cast<int>(sizeof(typename Stored::T));
    F sums[Rows][Vectors];
#pragma GCC unroll 16
    for (int r = 0; r < Rows; ++r)
#pragma GCC unroll 16
        for (int v = 0; v < Vectors; ++v) sums[r][v] = Simd::load(acc[r] + d + v * kWidth);
    for (int page = slots.page0(); page * kTokens < slots.end; ++page) {
        const std::int64_t ahead = pages.ahead[page];
        const int begin = page * kTokens < slots.begin ? slots.begin : page * kTokens;
        const int end = (page + 1) * kTokens < slots.end ? (page + 1) * kTokens : slots.end;
        const auto* from = pages.at[page] + std::int64_t{begin - page * kTokens} * headDim + d;
        for (int j = begin; j < end; ++j, from += headDim) {
            F value[Vectors];
#pragma GCC unroll 16
            for (int v = 0; v < Vectors; ++v) {
                if (Ask && v * kVectorBytes % kLineBytes == 0) askAhead(from + v * kWidth, ahead);
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

template <class Stored, int Rows, bool Ask>
inline void mix(float* const (&acc)[Rows], Slots slots, int headDim, const BlockPages<typename Stored::T>& pages,
                const float (*p)[kBlockKeys]) {
    if (!slots.any()) return;
    constexpr int kVectors = mixVectors(Rows);
    std::int64_t d = 0;
    for (; d + kVectors * kWidth <= headDim; d += kVectors * kWidth)
        mixColumns<Stored, Rows, kVectors, Ask>(acc, slots, d, kWidth, headDim, pages, p);
    for (; d < headDim; d += kWidth) {
        const int lanes = headDim - d < kWidth ? static_cast<int>(headDim - d) : kWidth;
        mixColumns<Stored, Rows, 1, Ask>(acc, slots, d, lanes, headDim, pages, p);
    }
}

// The values of a block for queries [first, first + Rows); p: their scores.
template <class Stored, int Rows, bool Ask>
void mixTile(const Queries& queries, float* states, int first, int block, const BlockPages<typename Stored::T>& pages,
             float (*p)[kBlockKeys]) {
    const TileSlots<Rows> slots(queries, first, block);
    if (!slots.seen.any()) return;
    const int headDim = queries.args.headDim;
    float* acc[Rows];
    for (int r = 0; r < Rows; ++r) acc[r] = queries.state(states, first + r).acc();
    if (slots.common.all())
        for (int r = 0; r < Rows; ++r) weigh(queries.state(states, first + r), 0, kBlockPages, p[r]);
    else
        for (int r = 0; r < Rows; ++r)
            if (slots.each[r].any())
                weigh(queries.state(states, first + r), slots.seen.page0(), slots.seen.page1(), p[r]);
    const auto alone = [&](int r, int begin, int end) {
        float* const own[1] = {acc[r]};
        mix<Stored, 1, Ask>(own, {begin, end}, headDim, pages, p + r);
    };
    for (int r = 0; r < Rows; ++r) alone(r, slots.each[r].begin, atMost(slots.each[r].end, slots.common.begin));
    mix<Stored, Rows, Ask>(acc, slots.common, headDim, pages, p);
    for (int r = 0; r < Rows; ++r) alone(r, slots.common.end, slots.each[r].end);
}

}  // namespace

// SPDX-License-Identifier: GPL-3.0-or-later
// Attention of one kv head over its pages, for a block of rows and the query heads that share the head ("queries").
//
// A query sees keys [first, position], or all keys when not causal. Per span of 1024 keys: a score is one multiply-add
// chain over d from zero, of q times scale log2 e; m is the largest score; p_j = 2^(s_j - m); lane j of l is the sum
// p_j + p_(j + lanes) + ... and acc_d the multiply-add chain of p_j v_jd, both from zero, j ascending. The states
// (m, l, acc) of the spans are merged in ascending order (online softmax, arXiv 1805.02867); at the end
// acc / Simd::sum(l). Spans are fixed by token positions, so a query does the same steps whatever chunk, tile or thread
// it came in: a weight of 0 in l and a state that saw nothing may be left out without changing a bit. Slots that hold
// no key of the query are never multiplied: they may hold anything.
//
// A span is walked twice, over K for the scores and over V for the rest, in blocks of 64 keys that stay in the
// first-level cache while every tile of queries uses them. Blocks and tiles are speed only.
#pragma once

namespace {

// body<Rows>(first): the tiles that `count` queries are cut into.
template <int Rows = Simd::kAttentionRows, class Body>
inline void forTiles(int count, const Body& body, int first = 0) {
    for (; first + Rows <= count; first += Rows) body.template operator()<Rows>(first);
    if constexpr (Rows > 1) forTiles<Rows / 2>(count, body, first);
}

// q of every tile as [headDim][Rows], so that one pointer walks through it, in units of a power of two.
inline void pack(const Queries& queries, float* packed) {
    const int headDim = queries.args.headDim;
    const float unit = queries.args.scale * 1.44269504f;
    forTiles(queries.count(), [&]<int Rows>(int first) {
        float* to = packed + std::int64_t{first} * headDim;
        for (int r = 0; r < Rows; ++r) {
            const float* q = queries.q(first + r);
            for (int d = 0; d < headDim; ++d) to[d * Rows + r] = q[d] * unit;
        }
    });
}

inline void begin(const Queries& queries, float* states) {
    const std::int64_t floats = queries.count() * queries.stateFloats;
    for (std::int64_t i = 0; i < floats; i += kWidth) Simd::store(states + i, Simd::zero());
    for (int i = 0; i < queries.count(); ++i)
        Simd::store(queries.state(states, i).sums(), Simd::set(-__builtin_inff()));
}

// K has been read: the largest scores are known.
inline void settle(const Queries& queries, float* states, int span) {
    constexpr int kSpan = espalier::cpu::kAttentionSpan;
    for (int i = 0; i < queries.count(); ++i) {
        const State state = queries.state(states, i);
        const int row = i / queries.args.group;
        state.largest() = Simd::largest(Simd::load(state.sums()));
        state.hasKeys() = queries.firstKey(row) < (span + 1) * kSpan && queries.lastKey(row) >= span * kSpan;
        Simd::store(state.sums(), Simd::zero());
    }
}

inline float powerOfTwoOf(float x) {
    float lanes[kWidth];
    Simd::store(lanes, powerOfTwo(Simd::set(x)));
    return lanes[0];
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
    const F before = Simd::set(powerOfTwoOf(to.largest() - largest));
    const F now = Simd::set(powerOfTwoOf(from.largest() - largest));
    for (std::int64_t i = 0; i < floats; i += kWidth)
        Simd::store(to.floats + i,
                    Simd::fma(now, Simd::load(from.floats + i), Simd::mul(before, Simd::load(to.floats + i))));
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

// espalier::cpu::attentionScratch, cut up.
struct AttentionScratch {
    float *packed, *second;
    float (*weights)[kBlockKeys];  // of a block [queries][64], block after block
    explicit AttentionScratch(const Queries& queries) {
        const std::int64_t count = queries.count(), headDim = queries.args.headDim;
        packed = queries.args.scratch;
        second = packed + espalier::cpu::paddedDim(count * headDim);
        weights = reinterpret_cast<float(*)[kBlockKeys]>(second + count * queries.stateFloats);
    }
};

template <class Stored>
void attendSpan(const Queries& queries, const AttentionScratch& scratch, float* states, int span) {
    const int headDim = queries.args.headDim, count = queries.count();
    const SpanPages<typename Stored::T> pages(queries, span);
    const auto weightsOf = [&](int block) {
        return scratch.weights + std::int64_t{block - pages.firstBlock()} * count;
    };
    begin(queries, states);
    for (int block = pages.firstBlock(); block < pages.endBlock(); ++block) {
        const auto keys = pages.keys(block);
        forTiles(count, [&]<int Rows>(int first) {
            const float* q = scratch.packed + std::int64_t{first} * headDim;
            if (first == 0)
                scoreTile<Stored, Rows, true>(queries, q, states, first, block, keys, weightsOf(block));
            else
                scoreTile<Stored, Rows, false>(queries, q, states, first, block, keys, weightsOf(block) + first);
        });
    }
    settle(queries, states, span);
    for (int block = pages.firstBlock(); block < pages.endBlock(); ++block) {
        const auto values = pages.values(block);
        forTiles(count, [&]<int Rows>(int first) {
            if (first == 0)
                mixTile<Stored, Rows, true>(queries, states, first, block, values, weightsOf(block));
            else
                mixTile<Stored, Rows, false>(queries, states, first, block, values, weightsOf(block) + first);
        });
    }
}

template <class Stored>
void attention(const espalier::cpu::AttentionArgs& args) {
    const Queries queries(args);
    const AttentionScratch scratch(queries);
    pack(queries, scratch.packed);
    attendSpan<Stored>(queries, scratch, args.states, args.span0);
    for (int span = args.span0 + 1; span < args.span1; ++span) {
        attendSpan<Stored>(queries, scratch, scratch.second, span);
        for (int i = 0; i < queries.count(); ++i)
            merge(queries.state(args.states, i), queries.state(scratch.second, i));
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

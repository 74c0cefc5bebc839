// SPDX-License-Identifier: GPL-3.0-or-later
// y[t,n] = sum_k x[t,k] w[n,k]: one register tile of `Rows` rows by `Vectors` vectors of `Panels` panels. Every output
// is one chain of multiply-adds over ascending k from zero, in whichever tile it falls: the shape of the tile is speed
// only. One row (decode) reads the weights once at memory speed; a full tile runs at the rate of the FMA units.
#pragma once

namespace {

template <class Stored>
constexpr std::int64_t panelElements(std::int64_t k) {
    return (Stored::kPairs ? (k + 1) / 2 * 2 : k) * espalier::cpu::kPanelColumns;
}

// With many rows to multiply per weight, the processor's window no longer reaches far enough ahead by itself. `Lines`
// cache lines from `at` on in each of `Panels` panels are what one step of a loop reads. Always inlined, and so must be
// what wraps it: to the compiler a function that does nothing but prefetch has no effect, and it drops the calls.
constexpr int kPrefetchRows = kWidth == 16 ? 5 : 3;
constexpr int kPrefetchBytes = 8192;
template <bool On, int Panels, int Lines>
inline __attribute__((always_inline)) void prefetchAhead(const void* at, std::int64_t panelBytes) {
    if constexpr (On)
#pragma GCC unroll 16
        for (int p = 0; p < Panels; ++p)
#pragma GCC unroll 16
            for (int line = 0; line < Lines; ++line)
                __builtin_prefetch(static_cast<const char*>(at) + p * panelBytes + kPrefetchBytes + 64 * line);
}

// One k step: acc += x[:, k] * w[:, k], with `weights(p, c)` giving vector c of panel p.
template <int Rows, int Vectors, class Weights>
inline __attribute__((always_inline)) void step(F (&acc)[Rows][Vectors], const float* x, std::int64_t xStride,
                                                const Weights& weights) {
    F w[Vectors];
#pragma GCC unroll 16
    for (int v = 0; v < Vectors; ++v) w[v] = weights(v);
#pragma GCC unroll 16
    for (int r = 0; r < Rows; ++r) {
        const F broadcast = Simd::set(x[r * xStride]);
#pragma GCC unroll 16
        for (int v = 0; v < Vectors; ++v) acc[r][v] = Simd::fma(broadcast, w[v], acc[r][v]);
    }
}

template <class Stored, int Rows, int Vectors, int Panels>
inline __attribute__((always_inline)) void sumTile(F (&acc)[Rows][Vectors * Panels], const float* x,
                                                   std::int64_t xStride, const typename Stored::T* panel,
                                                   std::int64_t k) {
    constexpr int kColumns = espalier::cpu::kPanelColumns;
    const std::int64_t panelStride = panelElements<Stored>(k);
    constexpr int kLines = kColumns * sizeof(typename Stored::T) * (Stored::kPairs ? 2 : 1) / 64;
    const auto prefetch = [&](std::int64_t offset) __attribute__((always_inline)) {
        prefetchAhead<Rows >= kPrefetchRows, Panels, kLines>(panel + offset,
                                                             panelStride * std::int64_t{sizeof(typename Stored::T)});
    };
    const auto at = [&](std::int64_t offset, int v, int perVector) {
        return panel + (v / Vectors) * panelStride + offset + (v % Vectors) * perVector;
    };
#pragma GCC unroll 16
    for (int r = 0; r < Rows; ++r)
#pragma GCC unroll 16
        for (int v = 0; v < Vectors * Panels; ++v) acc[r][v] = Simd::zero();
    if constexpr (Stored::kPairs) {
        std::int64_t i = 0;
        for (; i + 2 <= k; i += 2) {
            prefetch(i * kColumns);
            step(acc, x + i, xStride, [&](int v) { return Simd::loadEven(at(i * kColumns, v, 2 * kWidth)); });
            step(acc, x + i + 1, xStride, [&](int v) { return Simd::loadOdd(at(i * kColumns, v, 2 * kWidth)); });
        }
        if (i < k) step(acc, x + i, xStride, [&](int v) { return Simd::loadEven(at(i * kColumns, v, 2 * kWidth)); });
    } else {
        for (std::int64_t i = 0; i < k; ++i) {
            prefetch(i * kColumns);
            step(acc, x + i, xStride, [&](int v) { return Stored::load(at(i * kColumns, v, kWidth)); });
        }
    }
}

inline void writeOutput(const espalier::cpu::GemmArgs& args, std::int64_t row, std::int64_t column, F value) {
    if (column >= args.n) return;
    const std::int64_t left = args.n - column;
    const int n = left < kWidth ? static_cast<int>(left) : kWidth;
    float* y = args.y + row * args.yStride + column;
    if (args.bias) value = Simd::add(value, loadSome(args.bias + column, n));
    if (args.accumulate) value = Simd::add(loadSome(y, n), value);
    storeSome(y, value, n);
}

// Columns [part, part + Vectors * kWidth) of `Panels` panels from `panel` on.
template <int Rows, int Vectors, int Panels>
inline __attribute__((always_inline)) void writeTile(const espalier::cpu::GemmArgs& args, std::int64_t row,
                                                     std::int64_t panel, int part, F (&acc)[Rows][Vectors * Panels]) {
#pragma GCC unroll 16
    for (int r = 0; r < Rows; ++r)
#pragma GCC unroll 16
        for (int v = 0; v < Vectors * Panels; ++v)
            writeOutput(args, row + r,
                        (panel + v / Vectors) * espalier::cpu::kPanelColumns + part + v % Vectors * kWidth, acc[r][v]);
}

// A Way is how products are made: `kRows` rows at most in a tile, `panels(rows)` panels of `panelBytes(k)` side by
// side, and multiply<Rows, Panels>, the tile itself.
template <class Way, int Rows>
void multiplyPanels(const espalier::cpu::GemmArgs& args, std::int64_t row, std::int64_t panel0, std::int64_t panel1) {
    constexpr int kPanels = Way::panels(Rows);
    std::int64_t panel = panel0;
    for (; panel + kPanels <= panel1; panel += kPanels) Way::template multiply<Rows, kPanels>(args, row, panel);
    for (; panel < panel1; ++panel) Way::template multiply<Rows, 1>(args, row, panel);
}

// Calls the tile of `rows` rows, 1 <= rows <= Rows.
template <class Way, int Rows>
void dispatchRows(int rows, const espalier::cpu::GemmArgs& args, std::int64_t row, std::int64_t panel0,
                  std::int64_t panel1) {
    if (rows == Rows) return multiplyPanels<Way, Rows>(args, row, panel0, panel1);
    if constexpr (Rows > 1) dispatchRows<Way, Rows - 1>(rows, args, row, panel0, panel1);
}

// Panels that all rows pass over before the next come: they stay in the second-level cache meanwhile, beside the rows
// of a tile. `tallest`: rows of the tallest tile.
constexpr std::int64_t kPanelGroupBytes = 512 << 10;
template <class Way>
inline std::int64_t panelGroup(std::int64_t k, std::int64_t tallest) {
    const std::int64_t most = kPanelGroupBytes / (Way::panelBytes(k) + 1);
    const std::int64_t least = Way::panels(static_cast<int>(tallest));
    return most < least ? least : most > 4 ? 4 : most;
}

// Panels outside, rows inside. Rows are cut into tiles of nearly equal height: 13 rows run as 7 + 6, not as 12 + 1.
template <class Way>
void multiplyAll(const espalier::cpu::GemmArgs& args, std::int64_t row0, std::int64_t row1, std::int64_t panel0,
                 std::int64_t panel1) {
    const std::int64_t tiles = (row1 - row0 + Way::kRows - 1) / Way::kRows;
    if (tiles == 0) return;
    const std::int64_t group = panelGroup<Way>(args.k, (row1 - row0 + tiles - 1) / tiles);
    for (std::int64_t panel = panel0; panel < panel1; panel += group) {
        const std::int64_t end = panel + group < panel1 ? panel + group : panel1;
        for (std::int64_t tile = 0, row = row0; tile < tiles; ++tile) {
            const auto rows = static_cast<int>((row1 - row + tiles - tile - 1) / (tiles - tile));
            dispatchRows<Way, Way::kRows>(rows, args, row, panel, end);
            row += rows;
        }
    }
}

template <class Stored>
struct PlainWay {
    static constexpr int kRows = Simd::kGemmRows;
    static constexpr int panels(int rows) { return Simd::tilePanels(rows); }
    static std::int64_t panelBytes(std::int64_t k) {
        return panelElements<Stored>(k) * std::int64_t{sizeof(typename Stored::T)};
    }
    template <int Rows, int Panels>
    static void multiply(const espalier::cpu::GemmArgs& args, std::int64_t row, std::int64_t panel) {
        constexpr int kVectors = Simd::tileVectors(Rows);
        const auto* weights =
            reinterpret_cast<const typename Stored::T*>(args.panels) + panel * panelElements<Stored>(args.k);
        for (int part = 0; part < espalier::cpu::kPanelColumns; part += kVectors * kWidth) {
            F acc[Rows][kVectors * Panels];
            sumTile<Stored, Rows, kVectors, Panels>(acc, args.x + row * args.xStride, args.xStride,
                                                    weights + part * (Stored::kPairs ? 2 : 1), args.k);
            writeTile<Rows, kVectors, Panels>(args, row, panel, part, acc);
        }
    }
};

template <class Stored>
void gemm(const espalier::cpu::GemmArgs& args, std::int64_t row0, std::int64_t row1, std::int64_t panel0,
          std::int64_t panel1) {
    multiplyAll<PlainWay<Stored>>(args, row0, row1, panel0, panel1);
}

// out[k] = w[row, k].
template <class Stored>
void gather(float* out, const std::byte* panels, std::int64_t k, std::int64_t row) {
    constexpr int kColumns = espalier::cpu::kPanelColumns;
    const auto* panel = reinterpret_cast<const typename Stored::T*>(panels) + row / kColumns * panelElements<Stored>(k);
    const std::int64_t column = row % kColumns;
    forVectors(k, [&](std::int64_t first, int n) {
        typename Stored::T lanes[kWidth] = {};
        for (int i = 0; i < n; ++i) {
            const std::int64_t at = first + i;
            lanes[i] =
                Stored::kPairs ? panel[at / 2 * 2 * kColumns + column * 2 + at % 2] : panel[at * kColumns + column];
        }
        storeSome(out + first, Stored::load(lanes, n), n);
    });
}

}  // namespace

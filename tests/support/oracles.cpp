// SPDX-License-Identifier: GPL-3.0-or-later
#include "tests/support/oracles.h"

#include <algorithm>
#include <cmath>
#include <sstream>

namespace espalier::test {
namespace {

std::size_t at(std::int64_t row, std::int64_t width, std::int64_t column) {
    return static_cast<std::size_t>(row * width + column);
}

Expected sized(std::int64_t count) {
    return {Doubles(static_cast<std::size_t>(count)), Doubles(static_cast<std::size_t>(count))};
}

double activate(ActivationKind kind, double x) {
    switch (kind) {
        case ActivationKind::Silu:
            return x / (1.0 + std::exp(-x));
        case ActivationKind::Gelu:
            return 0.5 * x * std::erfc(-x / std::sqrt(2.0));
        case ActivationKind::GeluTanh:
            return x / (1.0 + std::exp(-2.0 * std::sqrt(2.0 / M_PI) * (x + 0.044715 * x * x * x)));
        case ActivationKind::Relu:
            return x > 0.0 ? x : 0.0;
    }
    return 0.0;
}

}  // namespace

Expected oracleGemm(const Doubles& x, const Doubles& w, const Doubles& bias, const Doubles& oldY, std::int64_t rows,
                    std::int64_t k, std::int64_t n) {
    Expected y = sized(rows * n);
    for (std::int64_t t = 0; t < rows; ++t)
        for (std::int64_t o = 0; o < n; ++o) {
            double sum = 0.0, size = 0.0;
            for (std::int64_t i = 0; i < k; ++i) {
                const double term = x[at(t, k, i)] * w[at(o, k, i)];
                sum += term;
                size += std::abs(term);
            }
            const double added = (bias.empty() ? 0.0 : bias[at(0, 0, o)]);
            const double old = oldY.empty() ? 0.0 : oldY[at(t, n, o)];
            y.value[at(t, n, o)] = sum + added + old;
            y.magnitude[at(t, n, o)] = size + std::abs(added) + std::abs(old);
        }
    return y;
}

Expected oracleNorm(NormKind kind, const Doubles& x, const Doubles& w, const Doubles& bias, double eps,
                    std::int64_t rows, std::int64_t dim) {
    Expected y = sized(rows * dim);
    for (std::int64_t t = 0; t < rows; ++t) {
        double mean = 0.0, variance = 0.0, absolute = 0.0;
        for (std::int64_t d = 0; d < dim; ++d) absolute += std::abs(x[at(t, dim, d)]) / static_cast<double>(dim);
        if (kind == NormKind::LayerNorm)
            for (std::int64_t d = 0; d < dim; ++d) mean += x[at(t, dim, d)] / static_cast<double>(dim);
        for (std::int64_t d = 0; d < dim; ++d)
            variance += std::pow(x[at(t, dim, d)] - mean, 2) / static_cast<double>(dim);
        const double root = std::sqrt(variance + eps);
        for (std::int64_t d = 0; d < dim; ++d) {
            const auto i = at(t, dim, d);
            const auto c = static_cast<std::size_t>(d);
            const double added = bias.empty() ? 0.0 : bias[c];
            const double cancelled = kind == NormKind::LayerNorm ? absolute : 0.0;
            y.value[i] = (x[i] - mean) / root * w[c] + added;
            y.magnitude[i] = (std::abs(x[i]) + cancelled) / root * std::abs(w[c]) + std::abs(added);
        }
    }
    return y;
}

Expected oracleRope(const Doubles& x, const Doubles& cos, const Doubles& sin, std::int64_t rows, const RopeDesc& desc) {
    const std::int64_t width = std::int64_t{desc.heads} * desc.headDim;
    const std::int64_t half = desc.rotaryDim / 2;
    Expected y = sized(rows * width);
    for (std::size_t i = 0; i < x.size(); ++i) {
        y.value[i] = x[i];
        y.magnitude[i] = std::abs(x[i]);
    }
    for (std::int64_t t = 0; t < rows; ++t)
        for (std::int64_t head = 0; head < desc.heads; ++head)
            for (std::int64_t i = 0; i < half; ++i) {
                const auto low = at(t, width, head * desc.headDim + i);
                const auto high = low + static_cast<std::size_t>(half);
                const double c = cos[at(t, half, i)];
                const double s = sin[at(t, half, i)];
                y.value[low] = x[low] * c - x[high] * s;
                y.value[high] = x[high] * c + x[low] * s;
                y.magnitude[low] = std::abs(x[low] * c) + std::abs(x[high] * s);
                y.magnitude[high] = std::abs(x[high] * c) + std::abs(x[low] * s);
            }
    return y;
}

Expected oracleActivation(ActivationKind kind, const Doubles& gate, const Doubles& up) {
    Expected out = sized(static_cast<std::int64_t>(gate.size()));
    for (std::size_t i = 0; i < gate.size(); ++i) {
        const double factor = up.empty() ? 1.0 : up[i];
        out.value[i] = activate(kind, gate[i]) * factor;
        out.magnitude[i] = std::abs(gate[i] * factor);
    }
    return out;
}

Expected oracleAttention(const Doubles& q, const Doubles& k, const Doubles& v, int rows, int position0, int kvHeads,
                         int headDim, const AttentionDesc& desc) {
    const std::int64_t qWidth = std::int64_t{desc.heads} * headDim;
    const std::int64_t kvWidth = std::int64_t{kvHeads} * headDim;
    Expected out = sized(rows * qWidth);
    for (int t = 0; t < rows; ++t)
        for (int head = 0; head < desc.heads; ++head) {
            const int position = position0 + t;
            const int first = desc.window > 0 ? std::max(0, position - desc.window + 1) : 0;
            const std::int64_t kvColumn = std::int64_t{head / (desc.heads / kvHeads)} * headDim;
            const std::int64_t qColumn = std::int64_t{head} * headDim;
            const int last = desc.causal ? position : position0 + rows - 1;
            Doubles weight;
            for (int j = first; j <= last; ++j) {
                double score = 0.0;
                for (int d = 0; d < headDim; ++d)
                    score += q[at(t, qWidth, qColumn + d)] * k[at(j, kvWidth, kvColumn + d)];
                weight.push_back(desc.scale * score);
            }
            const double top = *std::max_element(weight.begin(), weight.end());
            double sum = 0.0;
            for (double& s : weight) sum += s = std::exp(s - top);
            for (int d = 0; d < headDim; ++d) {
                double value = 0.0, size = 0.0;
                for (int j = first; j <= last; ++j) {
                    const double term =
                        weight[static_cast<std::size_t>(j - first)] / sum * v[at(j, kvWidth, kvColumn + d)];
                    value += term;
                    size += std::abs(term);
                }
                out.value[at(t, qWidth, qColumn + d)] = value;
                out.magnitude[at(t, qWidth, qColumn + d)] = size;
            }
        }
    return out;
}

std::string difference(const Expected& expected, std::span<const float> got, double tolerance) {
    if (got.empty()) return "nothing was compared";
    if (got.size() != expected.value.size() || got.size() != expected.magnitude.size())
        return "expected " + std::to_string(expected.value.size()) + " elements, got " + std::to_string(got.size());
    double worst = 0.0;
    std::size_t where = 0;
    for (std::size_t i = 0; i < got.size(); ++i) {
        const double error = std::abs(got[i] - expected.value[i]);
        const double allowed = tolerance * expected.magnitude[i] + 0x1p-149;
        const double share = error / allowed;
        if (!(share <= worst)) {  // NaN lands here
            worst = share;
            where = i;
            if (std::isnan(share)) break;
        }
    }
    if (worst <= 1.0) return {};
    std::ostringstream text;
    text.precision(9);
    text << "element " << where << " of " << got.size() << ": expected " << expected.value[where] << ", got "
         << got[where] << ", " << worst << " times the tolerance " << tolerance << " * " << expected.magnitude[where];
    return text.str();
}

}  // namespace espalier::test

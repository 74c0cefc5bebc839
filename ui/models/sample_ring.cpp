// SPDX-License-Identifier: GPL-3.0-or-later
#include "ui/models/sample_ring.h"

#include <algorithm>
#include <cmath>

#include "core/base/check.h"

namespace espalier::ui {
namespace {

struct Range {
    int begin, end;  // samples, one beyond each edge of the frame
};

Range samplesIn(const SampleRing& ring, double from, double to) {
    return {std::max(0, ring.lowerBound(from) - 1), std::min(ring.size(), ring.lowerBound(to) + 1)};
}

int pixelOf(double x, double from, double to, int pixels) {
    return int(std::floor((x - from) / (to - from) * pixels));
}

// What is left of the samples that fall on one pixel column, in their order.
struct PixelColumn {
    PlotPoint first{}, least{}, greatest{}, last{};
    int count = 0;

    void add(PlotPoint point) {
        if (count++ == 0) first = least = greatest = point;
        if (point.y < least.y) least = point;
        if (point.y > greatest.y) greatest = point;
        last = point;
    }
    void flush(std::vector<PlotPoint>& out) {
        if (count == 0) return;
        out.push_back(first);
        PlotPoint a = least, b = greatest;
        if (b.x < a.x) std::swap(a, b);
        for (const PlotPoint& point : {a, b, last})
            if (point.x > out.back().x) out.push_back(point);
        count = 0;
    }
};

}  // namespace

SampleRing::SampleRing(int columns, int capacity) : m_columns(columns), m_capacity(capacity) {
    CHECK(columns > 0 && capacity > 0);
    m_x.resize(std::size_t(capacity));
    m_values.resize(std::size_t(capacity) * std::size_t(columns));
}

void SampleRing::append(double x, std::span<const double> values) {
    CHECK(int(values.size()) == m_columns);
    if (m_size > 0 && !(x > lastX())) return;
    if (m_size == m_capacity)
        m_first = (m_first + 1) % std::size_t(m_capacity);
    else
        ++m_size;
    const std::size_t at = slot(m_size - 1);
    m_x[at] = x;
    std::copy(values.begin(), values.end(), m_values.begin() + std::ptrdiff_t(at * std::size_t(m_columns)));
}

void SampleRing::clear() {
    m_size = 0;
    m_first = 0;
}

int SampleRing::lowerBound(double x) const {
    int low = 0, high = m_size;
    while (low < high) {
        const int middle = (low + high) / 2;
        if (this->x(middle) < x)
            low = middle + 1;
        else
            high = middle;
    }
    return low;
}

int SampleRing::nearest(double x) const {
    if (m_size == 0) return -1;
    const int after = std::min(lowerBound(x), m_size - 1);
    if (after > 0 && x - this->x(after - 1) < this->x(after) - x) return after - 1;
    return after;
}

std::vector<PlotPoint> decimateLine(const SampleRing& ring, int column, double from, double to, int pixels,
                                    double gapAfter) {
    std::vector<PlotPoint> out;
    if (ring.isEmpty() || pixels <= 0 || !(to > from)) return out;
    const Range range = samplesIn(ring, from, to);
    out.reserve(std::size_t(std::min(range.end - range.begin, pixels * 4)));
    PixelColumn pixel;
    int current = 0;
    double previous = kGap;
    for (int i = range.begin; i < range.end; ++i) {
        const PlotPoint point{ring.x(i), ring.value(i, column)};
        if (std::isnan(point.y) || point.x - previous > gapAfter) {
            pixel.flush(out);
            if (!out.empty() && !std::isnan(out.back().y)) out.push_back({point.x, kGap});
        }
        previous = point.x;
        if (std::isnan(point.y)) continue;
        const int at = pixelOf(point.x, from, to, pixels);
        if (pixel.count > 0 && at != current) pixel.flush(out);
        current = at;
        pixel.add(point);
    }
    pixel.flush(out);
    return out;
}

std::vector<std::vector<PlotPoint>> decimateStack(const SampleRing& ring, std::span<const int> columns, double from,
                                                  double to, int pixels, double gapAfter) {
    std::vector<std::vector<PlotPoint>> edges(columns.size());
    if (ring.isEmpty() || pixels <= 0 || !(to > from)) return edges;
    const Range range = samplesIn(ring, from, to);
    double previous = kGap;
    for (int i = range.begin; i < range.end; ++i) {
        const double x = ring.x(i);
        const bool gap = x - previous > gapAfter;
        previous = x;
        const bool lastOfPixel = i + 1 == range.end ||
                                 pixelOf(ring.x(i + 1), from, to, pixels) != pixelOf(x, from, to, pixels) ||
                                 ring.x(i + 1) - x > gapAfter;
        if (!lastOfPixel && !gap) continue;
        double sum = 0;
        for (std::size_t k = 0; k < columns.size(); ++k) {
            if (gap && !edges[k].empty()) edges[k].push_back({x, kGap});
            sum += ring.value(i, columns[k]);
            edges[k].push_back({x, sum});
        }
    }
    return edges;
}

}  // namespace espalier::ui

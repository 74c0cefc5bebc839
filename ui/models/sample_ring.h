// SPDX-License-Identifier: GPL-3.0-or-later
// SampleRing: the newest samples of a few quantities over one ascending x (time in seconds, or any number), and the
// reductions a plot draws from it. A NaN, or a step in x longer than the caller allows, is a gap.
//
// Thread: Qt. Appending is O(1); memory is capacity x (columns + 1) doubles.
#pragma once

#include <cstddef>
#include <limits>
#include <span>
#include <vector>

namespace espalier::ui {

inline constexpr double kGap = std::numeric_limits<double>::quiet_NaN();

struct PlotPoint {
    double x, y;
};

class SampleRing {
public:
    SampleRing(int columns, int capacity);

    // Requires: values.size() == columns. A sample at or before the newest x is dropped.
    void append(double x, std::span<const double> values);
    void clear();

    int columns() const { return m_columns; }
    int size() const { return m_size; }
    bool isEmpty() const { return m_size == 0; }
    double x(int index) const { return m_x[slot(index)]; }
    double value(int index, int column) const {
        return m_values[slot(index) * std::size_t(m_columns) + std::size_t(column)];
    }
    double lastX() const { return x(m_size - 1); }
    int lowerBound(double x) const;  // first sample not before x; size() when there is none
    int nearest(double x) const;     // -1 when empty

private:
    std::size_t slot(int index) const { return (m_first + std::size_t(index)) % std::size_t(m_capacity); }

    int m_columns, m_capacity, m_size = 0;
    std::size_t m_first = 0;
    std::vector<double> m_x, m_values;
};

// The line of one column over [from, to] in at most four points per pixel column: first, least, greatest, last. One
// sample beyond each end is kept, so that the line runs out of the frame.
std::vector<PlotPoint> decimateLine(const SampleRing& ring, int column, double from, double to, int pixels,
                                    double gapAfter);

// The upper edges of a stack of columns: edges[i] is the sum of columns[0..i], the last sample of each pixel column.
std::vector<std::vector<PlotPoint>> decimateStack(const SampleRing& ring, std::span<const int> columns, double from,
                                                  double to, int pixels, double gapAfter);

}  // namespace espalier::ui

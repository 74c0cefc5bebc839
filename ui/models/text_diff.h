// SPDX-License-Identifier: GPL-3.0-or-later
// Two texts word by word: what stayed, what went, what came (longest common subsequence).
//
// Pure. Thread: any. O(words x words) of the part between the common beginning and end, bounded: longer middles are one
// change.
#pragma once

#include <QString>
#include <vector>

namespace espalier::ui {

struct DiffPiece {
    enum Kind { Same, Removed, Added };
    Kind kind = Same;
    QString text;
    bool operator==(const DiffPiece&) const = default;
};
std::vector<DiffPiece> diffWords(const QString& before, const QString& after);

}  // namespace espalier::ui

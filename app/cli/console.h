// SPDX-License-Identifier: GPL-3.0-or-later
// Console: what espalierctl shows. Results go to stdout, as one JSON document with --json; progress and errors go to
// stderr. Thread: the main thread.
#pragma once

#include <cstdint>
#include <string>
#include <string_view>
#include <vector>

#include "core/base/json.h"
#include "core/base/result.h"

namespace espalier::cli {

class Console {
public:
    bool json = false;   // --json: one document on stdout and nothing else
    bool quiet = false;  // --quiet: no progress

    void document(const Json& value) const;  // stdout, indented for people's eyes
    void line(const Json& value) const;      // stdout, one line (--jsonl commands)
    void text(std::string_view text) const;  // stdout as it stands
    void table(
        const std::vector<std::vector<std::string>>& rows) const;  // stdout, columns aligned, first row is the head
    void note(std::string_view text) const;                        // stderr, unless quiet
    void failure(const Error& error) const;                        // stderr, and stdout with --json

    // A bar on a terminal, redrawn; nothing elsewhere. share: 0 to 1.
    void progress(std::string_view what, double share) const;
    void progressEnds() const;

private:
    mutable bool m_barShown = false;
};

std::string bytesText(double bytes);  // "1.25 GiB"
std::string countText(double count);  // "1.1 B", "135 M"
std::string fixedText(double value, int digits);

}  // namespace espalier::cli

// SPDX-License-Identifier: GPL-3.0-or-later
// TextRewriter: writes a text anew from left to right; the marks of verbatim bytes follow what they became.
// Thread: one at a time.
#pragma once

#include <utility>

#include "core/tokenizer/marked_text.h"
#include "core/tokenizer/utf8.h"

namespace espalier {

class TextRewriter {
public:
    explicit TextRewriter(const MarkedText& source) : m_source(source) { m_out.startsText = false; }

    void keep(TextRange range);                             // these bytes as they are
    void put(std::string_view bytes, TextRange insteadOf);  // verbatim when any of the bytes they stand for is
    void put(std::string_view bytes, TextRange insteadOf, std::size_t origin);  // origin: the byte they count from
    std::size_t size() const { return m_out.text.size(); }                      // bytes written so far
    MarkedText finish() { return std::move(m_out); }

private:
    const MarkedText& m_source;
    MarkedText m_out;
};

// Rewrites character by character: visit(code, range, rewriter).
template <class Visit>
MarkedText rewriteCharacters(const MarkedText& source, Visit&& visit) {
    TextRewriter rewriter(source);
    for (std::size_t at = 0; at < source.text.size();) {
        const Utf8Char c = decodeUtf8(source.text, at);
        visit(c.code, TextRange{at, at + c.bytes}, rewriter);
        at += c.bytes;
    }
    return rewriter.finish();
}

}  // namespace espalier

// SPDX-License-Identifier: GPL-3.0-or-later
#include "core/tokenizer/text_rewriter.h"

namespace espalier {

void TextRewriter::keep(TextRange range) {
    if (m_out.text.empty() && range.begin < range.end) m_out.startsText = m_source.startsText && range.begin == 0;
    m_out.append(m_source, range);
}

void TextRewriter::put(std::string_view bytes, TextRange insteadOf) {
    put(bytes, insteadOf, insteadOf.begin);
}

void TextRewriter::put(std::string_view bytes, TextRange insteadOf, std::size_t origin) {
    if (m_out.text.empty() && !bytes.empty()) m_out.startsText = m_source.startsText && origin == 0;
    m_out.append(bytes, overlapsAny(m_source.verbatim, insteadOf));
}

}  // namespace espalier

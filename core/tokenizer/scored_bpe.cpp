// SPDX-License-Identifier: GPL-3.0-or-later
#include "core/tokenizer/scored_bpe.h"

#include <algorithm>
#include <cmath>

#include "core/tokenizer/token_limits.h"
#include "core/tokenizer/utf8.h"

namespace espalier {
namespace {

// Keeps the cost of one look-up small whatever the file says; published pieces have at most 16 or 48 characters.
constexpr std::size_t kMaxJoinedBytes = 512;

}  // namespace

struct ScoredBpe::Workspace {
    std::string_view text;
    std::vector<Symbol> symbols;
    std::vector<Candidate> heap;
    std::unordered_map<std::string_view, std::pair<std::string_view, std::string_view>> halves;  // of unused pieces
    bool endsUnknown = false;  // the last id stands for unknown text
};

Result<Vocabulary> vocabularyOf(const ScoredPieces& pieces, const std::string& where) {
    if (pieces.list.size() > kMaxTokens) return tooMany(where, "pieces", pieces.list.size(), kMaxTokens);
    Vocabulary vocabulary;
    for (std::size_t i = 0; i < pieces.list.size(); ++i) {
        const ScoredPiece& piece = pieces.list[i];
        const std::string place = where + ": piece " + std::to_string(i);
        if (piece.text.size() > kMaxTokenBytes) return tooMany(place, "bytes", piece.text.size(), kMaxTokenBytes);
        if (std::isnan(piece.score)) return fail(ErrorCode::CorruptFile, place + ": the score is not a number", where);
        if (!vocabulary.insert(piece.text, static_cast<TokenId>(i)))
            return fail(ErrorCode::CorruptFile,
                        place + ": " + inQuotes(piece.text) + " is there already as piece " +
                            std::to_string(vocabulary.idOf(piece.text).value_or(-1)),
                        where);
    }
    return vocabulary;
}

Result<PieceTrie> userDefinedOf(const ScoredPieces& pieces, const std::string& where) {
    std::vector<PieceTrie::Entry> entries;
    for (std::size_t i = 0; i < pieces.list.size(); ++i)
        if (pieces.list[i].kind == PieceKind::UserDefined)
            entries.emplace_back(pieces.list[i].text, static_cast<TokenId>(i));
    return PieceTrie::build(std::move(entries), where);
}

Result<std::unique_ptr<const TokenModel>> ScoredBpe::make(ScoredPieces pieces, const std::string& where) {
    std::unique_ptr<ScoredBpe> bpe(new ScoredBpe);
    TRY_ASSIGN(bpe->m_vocabulary, vocabularyOf(pieces, where));
    if (pieces.byteFallback) bpe->m_byteTokens = byteTokensOf(bpe->m_vocabulary);
    bpe->m_unknown = pieces.unknown;
    for (const ScoredPiece& piece : pieces.list) {
        bpe->m_scores.push_back(piece.score);
        bpe->m_kinds.push_back(piece.kind);
        if (!piece.isSpelling()) continue;
        bpe->m_longest = std::max(bpe->m_longest, std::min(piece.text.size(), kMaxJoinedBytes));
    }
    TRY_ASSIGN(bpe->m_userDefined, userDefinedOf(pieces, where));
    return std::unique_ptr<const TokenModel>(std::move(bpe));
}

void ScoredBpe::split(Workspace& work) const {
    const std::string_view text = work.text;
    work.symbols.clear();
    for (std::size_t at = 0; at < text.size();) {
        const std::size_t named = m_userDefined.longestPrefix(text.substr(at)).first;
        const std::size_t size = named > 0 ? named : decodeUtf8(text, at).bytes;
        const auto index = static_cast<std::int32_t>(work.symbols.size());
        work.symbols.push_back({at, size, index - 1, index + 1, named > 0});
        at += size;
    }
    if (!work.symbols.empty()) work.symbols.back().next = -1;
}

// The pair that starts at `left`, when it spells a piece.
void ScoredBpe::offer(Workspace& work, std::int32_t left) const {
    if (left < 0) return;
    const Symbol& first = work.symbols[static_cast<std::size_t>(left)];
    if (first.next < 0 || first.isFrozen) return;
    const Symbol& second = work.symbols[static_cast<std::size_t>(first.next)];
    const std::size_t size = first.size + second.size;
    if (second.isFrozen || size > m_longest) return;
    const std::string_view joined = work.text.substr(first.begin, size);
    const auto id = m_vocabulary.idOf(joined);
    if (!id) return;
    const PieceKind kind = m_kinds[static_cast<std::size_t>(*id)];
    if (kind != PieceKind::Normal && kind != PieceKind::UserDefined && kind != PieceKind::Unused) return;
    work.heap.push_back({m_scores[static_cast<std::size_t>(*id)], left, size});
    if (kind == PieceKind::Unused)
        work.halves[joined] = {work.text.substr(first.begin, first.size), work.text.substr(second.begin, second.size)};
}

void ScoredBpe::merge(Workspace& work) const {
    auto& symbols = work.symbols;
    auto& heap = work.heap;
    heap.clear();
    const auto later = [](const Candidate& a, const Candidate& b) {
        return a.score != b.score ? a.score < b.score : a.left > b.left;
    };
    const auto offerHeaped = [&](std::int32_t left) {
        const std::size_t before = heap.size();
        offer(work, left);
        if (heap.size() > before) std::push_heap(heap.begin(), heap.end(), later);
    };
    for (std::size_t i = 0; i < symbols.size(); ++i) offer(work, static_cast<std::int32_t>(i));
    std::make_heap(heap.begin(), heap.end(), later);
    while (!heap.empty()) {
        std::pop_heap(heap.begin(), heap.end(), later);
        const Candidate best = heap.back();
        heap.pop_back();
        Symbol& left = symbols[static_cast<std::size_t>(best.left)];
        if (left.size == 0 || left.next < 0) continue;
        Symbol& right = symbols[static_cast<std::size_t>(left.next)];
        if (left.size + right.size != best.size) continue;  // one of the two has grown since
        left.size += right.size;
        right.size = 0;
        left.next = right.next;
        if (left.next >= 0) symbols[static_cast<std::size_t>(left.next)].previous = best.left;
        offerHeaped(left.previous);
        offerHeaped(best.left);
    }
}

void ScoredBpe::emitUnknown(Workspace& work, std::string_view text, std::vector<TokenId>& ids) const {
    const auto idOfByte = [this](char byte) { return m_byteTokens[static_cast<unsigned char>(byte)]; };
    if (!m_byteTokens.empty() &&
        std::all_of(text.begin(), text.end(), [&](char byte) { return idOfByte(byte) >= 0; })) {
        for (const char byte : text) ids.push_back(idOfByte(byte));
        work.endsUnknown = false;
    } else if (m_unknown) {
        if (!work.endsUnknown) ids.push_back(*m_unknown);  // a run is one token
        work.endsUnknown = true;
    }
}

void ScoredBpe::emit(Workspace& work, std::string_view text, std::vector<TokenId>& ids) const {
    std::vector<std::string_view> waiting{text};  // the next one last
    while (!waiting.empty()) {
        const std::string_view piece = waiting.back();
        waiting.pop_back();
        const auto id = m_vocabulary.idOf(piece);
        if (!id || id == m_unknown) {
            emitUnknown(work, piece, ids);
            continue;
        }
        const auto halves =
            m_kinds[static_cast<std::size_t>(*id)] == PieceKind::Unused ? work.halves.find(piece) : work.halves.end();
        if (halves != work.halves.end()) {
            waiting.push_back(halves->second.second);
            waiting.push_back(halves->second.first);
            continue;
        }
        ids.push_back(*id);
        work.endsUnknown = false;
    }
}

void ScoredBpe::tokenize(const PieceList& list, std::vector<TokenId>& ids) const {
    Workspace work;
    for (std::size_t i = 0; i < list.pieces.size(); ++i) {
        work.text = list.piece(i);
        work.halves.clear();
        work.endsUnknown = false;
        split(work);
        merge(work);
        for (const Symbol& symbol : work.symbols)
            if (symbol.size > 0) emit(work, work.text.substr(symbol.begin, symbol.size), ids);
    }
}

}  // namespace espalier

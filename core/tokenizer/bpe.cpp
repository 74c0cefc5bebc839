// SPDX-License-Identifier: GPL-3.0-or-later
#include "core/tokenizer/bpe.h"

#include <algorithm>
#include <bit>

#include "core/tokenizer/token_limits.h"
#include "core/tokenizer/utf8.h"

namespace espalier {
namespace {

constexpr char32_t kLowCharacters = 0x180;  // covers the byte alphabet (up to U+0143)

// "a b" or ["a", "b"]; nothing in it for a version line.
std::optional<MergeText> mergeOf(const Json& entry) {
    if (entry.is_array() && entry.size() == 2 && entry[0].is_string() && entry[1].is_string())
        return MergeText{entry[0].get_ref<const std::string&>(), entry[1].get_ref<const std::string&>()};
    if (!entry.is_string()) return std::nullopt;
    const std::string_view text = entry.get_ref<const std::string&>();
    return text.starts_with("#version") ? MergeText{} : splitMerge(text);
}

Result<BpeSettings> readSettings(const JsonReader& reader) {
    BpeSettings settings;
    TRY_ASSIGN(settings.unknown, reader.stringOr("unk_token", ""));
    TRY_ASSIGN(settings.continuingPrefix, reader.stringOr("continuing_subword_prefix", ""));
    TRY_ASSIGN(settings.endOfWordSuffix, reader.stringOr("end_of_word_suffix", ""));
    TRY_ASSIGN(settings.byteFallback, reader.boolOr("byte_fallback", false));
    TRY_ASSIGN(settings.fuseUnknown, reader.boolOr("fuse_unk", false));
    TRY_ASSIGN(settings.ignoreMerges, reader.boolOr("ignore_merges", false));
    return settings;  // "dropout" is for training
}

}  // namespace

std::optional<MergeText> splitMerge(std::string_view text) {
    const std::size_t space = text.find(' ');
    if (space == std::string_view::npos || text.find(' ', space + 1) != std::string_view::npos) return std::nullopt;
    return MergeText{text.substr(0, space), text.substr(space + 1)};
}

MergeTable::MergeTable(std::size_t count) : m_slots(std::bit_ceil(std::max<std::size_t>(2 * count, 16))) {}

std::size_t MergeTable::slotOf(std::uint64_t pair) const {
    const std::size_t mask = m_slots.size() - 1;
    std::uint64_t mixed = pair * 0x9E3779B97F4A7C15ull;
    std::size_t slot = static_cast<std::size_t>(mixed ^ (mixed >> 32)) & mask;
    while (m_slots[slot].pair != pair && m_slots[slot].pair != kFree) slot = (slot + 1) & mask;
    return slot;
}

void MergeTable::set(TokenId left, TokenId right, Merge merge) {
    const std::uint64_t pair = static_cast<std::uint64_t>(left) << 32 | static_cast<std::uint32_t>(right);
    m_slots[slotOf(pair)] = {pair, merge};
}

const MergeTable::Merge* MergeTable::find(TokenId left, TokenId right) const {
    const Slot& slot = m_slots[slotOf(static_cast<std::uint64_t>(left) << 32 | static_cast<std::uint32_t>(right))];
    return slot.pair == kFree ? nullptr : &slot.merge;
}

Result<std::unique_ptr<const TokenModel>> Bpe::parse(const Json& spec, const std::string& where) {
    const JsonReader reader(spec, where);
    TRY_ASSIGN(Vocabulary vocabulary, readVocabulary(reader, where));
    const Json* list = reader.find("merges");
    if (!list || !list->is_array()) return reader.wrong("merges", "an array");
    if (list->size() > kMaxMerges) return tooMany(where, "merges", list->size(), kMaxMerges);
    std::vector<MergeText> merges;
    merges.reserve(list->size());
    for (std::size_t i = 0; i < list->size(); ++i) {
        const auto merge = mergeOf((*list)[i]);
        if (!merge)
            return fail(ErrorCode::CorruptFile,
                        where + ".merges[" + std::to_string(i) + "]: expected two tokens, found " + brief((*list)[i]),
                        where);
        merges.push_back(*merge);
    }
    TRY_ASSIGN(BpeSettings settings, readSettings(reader));
    return make(std::move(vocabulary), merges, std::move(settings), where);
}

Result<std::unique_ptr<const TokenModel>> Bpe::make(Vocabulary vocabulary, std::span<const MergeText> merges,
                                                    BpeSettings settings, const std::string& where) {
    std::unique_ptr<Bpe> bpe(new Bpe);
    bpe->m_vocabulary = std::move(vocabulary);
    bpe->m_settings = std::move(settings);
    TRY(bpe->readMerges(merges, where));
    const std::string& unknown = bpe->m_settings.unknown;
    if (!unknown.empty()) {
        bpe->m_unknown = bpe->m_vocabulary.idOf(unknown);
        if (!bpe->m_unknown)
            return fail(ErrorCode::CorruptFile,
                        where + ": \"unk_token\" must be a token of the vocabulary, found " + inQuotes(unknown), where);
    }
    if (bpe->m_settings.byteFallback) bpe->m_byteTokens = byteTokensOf(bpe->m_vocabulary);
    bpe->indexCharacters();
    return std::unique_ptr<const TokenModel>(std::move(bpe));
}

Result<void> Bpe::readMerges(std::span<const MergeText> merges, const std::string& where) {
    if (merges.size() > kMaxMerges) return tooMany(where, "merges", merges.size(), kMaxMerges);
    m_merges = MergeTable(merges.size());
    const std::string& prefix = m_settings.continuingPrefix;
    std::string whole;
    std::uint32_t rank = 0;
    for (std::size_t i = 0; i < merges.size(); ++i) {
        const auto [leftText, rightText] = merges[i];
        if (leftText.empty() && rightText.empty()) continue;  // a version line
        const auto left = m_vocabulary.idOf(leftText);
        const auto right = m_vocabulary.idOf(rightText);
        // "##b" behind "a" makes "ab".
        whole.assign(leftText).append(rightText.substr(rightText.starts_with(prefix) ? prefix.size() : 0));
        const auto made = m_vocabulary.idOf(whole);
        if (!left || !right || !made) {
            const std::string absent(!left ? leftText : !right ? rightText : std::string_view(whole));
            return fail(ErrorCode::CorruptFile,
                        where + ".merges[" + std::to_string(i) + "]: the vocabulary has no token " + inQuotes(absent),
                        where);
        }
        m_merges.set(*left, *right, {rank++, *made});
    }
    return {};
}

void Bpe::indexCharacters() {
    std::string character;
    for (char32_t code = 0; code < kLowCharacters; ++code) {
        character.clear();
        appendUtf8(character, code);
        m_lowCharacters.push_back(m_vocabulary.idOf(character).value_or(-1));
    }
}

std::optional<TokenId> Bpe::idOfCharacter(std::string_view character, char32_t code) const {
    if (code >= kLowCharacters) return m_vocabulary.idOf(character);
    const TokenId id = m_lowCharacters[code];
    return id < 0 ? std::nullopt : std::optional(id);
}

bool Bpe::spellInBytes(std::string_view character, std::vector<Symbol>& symbols) const {
    if (m_byteTokens.empty()) return false;
    const auto idOfByte = [this](char byte) { return m_byteTokens[static_cast<unsigned char>(byte)]; };
    if (std::any_of(character.begin(), character.end(), [&](char byte) { return idOfByte(byte) < 0; })) return false;
    for (const char byte : character) symbols.push_back({idOfByte(byte), 0, 0});
    return true;
}

void Bpe::spell(std::string_view piece, std::vector<Symbol>& symbols) const {
    symbols.clear();
    // An unknown character waits, so that with fuse_unk a run of them becomes one token; without an unknown token it
    // is dropped. Both as `tokenizers` does.
    bool unknownWaits = false;
    const auto flush = [&] {
        if (unknownWaits) symbols.push_back({*m_unknown, 0, 0});
        unknownWaits = false;
    };
    const bool isMarked = !m_settings.continuingPrefix.empty() || !m_settings.endOfWordSuffix.empty();
    std::string marked;
    for (std::size_t at = 0; at < piece.size();) {
        const Utf8Char c = decodeUtf8(piece, at);
        std::string_view character = piece.substr(at, c.bytes);
        if (isMarked) {
            marked.assign(at > 0 ? m_settings.continuingPrefix : "").append(character);
            if (at + c.bytes == piece.size()) marked += m_settings.endOfWordSuffix;
            character = marked;
        }
        at += c.bytes;
        if (const auto id = isMarked ? m_vocabulary.idOf(character) : idOfCharacter(character, c.code)) {
            flush();
            symbols.push_back({*id, 0, 0});
        } else if (!spellInBytes(character, symbols) && m_unknown) {
            if (!m_settings.fuseUnknown) flush();
            unknownWaits = true;
        }
    }
    flush();
    const auto count = static_cast<std::int32_t>(symbols.size());
    for (std::int32_t i = 0; i < count; ++i) {
        symbols[static_cast<std::size_t>(i)].previous = i - 1;
        symbols[static_cast<std::size_t>(i)].next = i + 1 < count ? i + 1 : -1;
    }
}

void Bpe::merge(Workspace& work) const {
    auto& symbols = work.symbols;
    auto& heap = work.heap;
    heap.clear();
    const auto symbol = [&](std::int32_t at) -> Symbol& { return symbols[static_cast<std::size_t>(at)]; };
    const auto later = [](const Candidate& a, const Candidate& b) {
        return a.rank != b.rank ? a.rank > b.rank : a.at > b.at;
    };
    const auto offer = [&](std::int32_t at, bool heaped) {
        if (at < 0 || symbol(at).next < 0) return;
        const auto* merge = m_merges.find(symbol(at).id, symbol(symbol(at).next).id);
        if (!merge) return;
        heap.push_back({merge->rank, at, merge->id});
        if (heaped) std::push_heap(heap.begin(), heap.end(), later);
    };
    for (std::int32_t at = 0; at + 1 < static_cast<std::int32_t>(symbols.size()); ++at) offer(at, false);
    std::make_heap(heap.begin(), heap.end(), later);
    while (!heap.empty()) {
        std::pop_heap(heap.begin(), heap.end(), later);
        const Candidate best = heap.back();
        heap.pop_back();
        Symbol& left = symbol(best.at);
        if (left.id < 0 || left.next < 0) continue;
        Symbol& right = symbol(left.next);
        // The pair may have changed since it was offered; a changed pair was offered anew.
        const auto* merge = m_merges.find(left.id, right.id);
        if (!merge || merge->id != best.id) continue;
        left.id = best.id;
        right.id = -1;
        left.next = right.next;
        if (left.next >= 0) symbol(left.next).previous = best.at;
        offer(left.previous, true);
        offer(best.at, true);
    }
}

std::string Bpe::kind() const {
    if (!m_byteTokens.empty()) return "SentencePiece BPE";
    return m_settings.continuingPrefix.empty() && m_settings.endOfWordSuffix.empty() ? "byte-level BPE" : "BPE";
}

void Bpe::tokenize(const PieceList& list, std::vector<TokenId>& ids) const {
    Workspace work;
    for (std::size_t i = 0; i < list.pieces.size(); ++i) {
        const std::string_view piece = list.piece(i);
        if (m_settings.ignoreMerges) {
            if (const auto whole = m_vocabulary.idOf(piece)) {
                ids.push_back(*whole);
                continue;
            }
        }
        spell(piece, work.symbols);
        merge(work);
        for (const Symbol& symbol : work.symbols)
            if (symbol.id >= 0) ids.push_back(symbol.id);
    }
}

}  // namespace espalier

// SPDX-License-Identifier: GPL-3.0-or-later
#include "core/tokenizer/unigram.h"

#include <cmath>
#include <limits>

#include "core/tokenizer/scored_bpe.h"
#include "core/tokenizer/token_limits.h"
#include "core/tokenizer/utf8.h"

namespace espalier {
namespace {

constexpr double kUnknownPenalty = 10;

}  // namespace

Result<std::unique_ptr<const TokenModel>> Unigram::parse(const Json& spec, const std::string& where) {
    const JsonReader reader(spec, where);
    const Json* list = reader.find("vocab");
    if (!list || !list->is_array()) return reader.wrong("vocab", "an array of tokens and scores");
    if (list->size() > kMaxTokens) return tooMany(where, "tokens", list->size(), kMaxTokens);
    std::unique_ptr<Unigram> model(new Unigram);
    double worst = std::numeric_limits<double>::infinity();
    std::vector<PieceTrie::Entry> entries;
    for (std::size_t i = 0; i < list->size(); ++i) {
        const Json& pair = (*list)[i];
        const std::string place = where + ".vocab[" + std::to_string(i) + "]";
        if (!pair.is_array() || pair.size() != 2 || !pair[0].is_string() || !pair[1].is_number())
            return fail(ErrorCode::CorruptFile, place + ": expected a token and its score, found " + brief(pair),
                        where);
        const auto& token = pair[0].get_ref<const std::string&>();
        if (token.size() > kMaxTokenBytes) return tooMany(place, "bytes in a token", token.size(), kMaxTokenBytes);
        const auto id = static_cast<TokenId>(i);
        if (!model->m_vocabulary.insert(token, id))
            return fail(ErrorCode::CorruptFile,
                        place + ": " + inQuotes(token) + " is there already as token " +
                            std::to_string(model->m_vocabulary.idOf(token).value_or(-1)),
                        where);
        model->m_scores.push_back(pair[1].get<double>());
        worst = std::min(worst, model->m_scores.back());
        if (!token.empty()) entries.emplace_back(token, id);
    }
    TRY_ASSIGN(const std::int64_t unknown,
               reader.integerOr("unk_id", -1, 0, static_cast<std::int64_t>(list->size()) - 1));
    if (unknown >= 0) model->m_unknown = static_cast<TokenId>(unknown);
    TRY_ASSIGN(const bool byteFallback, reader.boolOr("byte_fallback", false));
    if (byteFallback) model->m_byteTokens = byteTokensOf(model->m_vocabulary);
    TRY_ASSIGN(model->m_trie, PieceTrie::build(std::move(entries), where));
    model->m_unknownScore = worst - kUnknownPenalty;
    return std::unique_ptr<const TokenModel>(std::move(model));
}

Result<std::unique_ptr<const TokenModel>> Unigram::make(const ScoredPieces& pieces, const std::string& where) {
    std::unique_ptr<Unigram> model(new Unigram);
    TRY_ASSIGN(model->m_vocabulary, vocabularyOf(pieces, where));
    if (pieces.byteFallback) model->m_byteTokens = byteTokensOf(model->m_vocabulary);
    model->m_unknown = pieces.unknown;
    model->m_isSingle = true;
    float worst = std::numeric_limits<float>::max(), best = std::numeric_limits<float>::lowest();
    std::vector<PieceTrie::Entry> entries;
    for (std::size_t i = 0; i < pieces.list.size(); ++i) {
        const ScoredPiece& piece = pieces.list[i];
        model->m_scores.push_back(piece.score);
        model->m_isUserDefined.push_back(piece.kind == PieceKind::UserDefined);
        if (piece.kind == PieceKind::Normal) {
            worst = std::min(worst, piece.score);
            best = std::max(best, piece.score);
        }
        if (piece.kind == PieceKind::Normal || piece.kind == PieceKind::UserDefined)
            entries.emplace_back(piece.text, static_cast<TokenId>(i));
    }
    TRY_ASSIGN(model->m_trie, PieceTrie::build(std::move(entries), where));
    model->m_unknownScore = worst - static_cast<float>(kUnknownPenalty);
    model->m_maxScore = best;
    return std::unique_ptr<const TokenModel>(std::move(model));
}

double Unigram::scoreOf(TokenId id, std::size_t bytes) const {
    const auto index = static_cast<std::size_t>(id);
    if (m_isSingle && m_isUserDefined[index])
        return static_cast<double>(static_cast<float>(bytes) * static_cast<float>(m_maxScore)) - 0.1;
    return m_scores[index];
}

void Unigram::search(std::string_view text, std::vector<Step>& steps) const {
    steps.assign(text.size() + 1, Step{});
    const auto offer = [&](std::size_t begin, std::size_t end, TokenId id, double score) {
        Step& step = steps[end];
        if (step.id != -1 && !(score > step.score)) return;
        step = {m_isSingle ? static_cast<float>(score) : score, static_cast<std::uint32_t>(begin), id};
    };
    for (std::size_t at = 0; at < text.size();) {
        const double here = steps[at].score;
        const std::size_t character = decodeUtf8(text, at).bytes;
        bool hasCharacter = false;
        m_trie.forEachPrefix(text.substr(at), [&](std::size_t bytes, TokenId id) {
            offer(at, at + bytes, id, scoreOf(id, bytes) + here);
            hasCharacter |= bytes == character;
        });
        if (!hasCharacter) {
            const double score = m_unknownScore + here;
            offer(at, at + character, kUnknown, m_isSingle ? static_cast<float>(score) : score);
        }
        at += character;
    }
}

// Appends what stands for text without pieces, last id first.
void Unigram::pushUnknown(std::string_view text, std::vector<TokenId>& reversed) const {
    const auto whole = m_isSingle ? std::nullopt : m_vocabulary.idOf(text);  // "<unk>", spelled out
    const auto idOfByte = [this](char byte) { return m_byteTokens[static_cast<unsigned char>(byte)]; };
    if (whole) {
        reversed.push_back(*whole);
    } else if (!m_byteTokens.empty() &&
               std::all_of(text.begin(), text.end(), [&](char byte) { return idOfByte(byte) >= 0; })) {
        for (std::size_t i = text.size(); i > 0; --i) reversed.push_back(idOfByte(text[i - 1]));
    } else if (m_unknown) {
        reversed.push_back(*m_unknown);
    }
}

void Unigram::emit(std::string_view text, Workspace& work, std::vector<TokenId>& ids) const {
    work.reversed.clear();
    for (std::size_t end = text.size(); end > 0;) {
        std::size_t begin = work.steps[end].begin;
        const TokenId id = work.steps[end].id;
        const auto isUnknown = [this](TokenId which) { return which == kUnknown || which == m_unknown; };
        if (isUnknown(id)) {
            while (begin > 0 && isUnknown(work.steps[begin].id)) begin = work.steps[begin].begin;
            pushUnknown(text.substr(begin, end - begin), work.reversed);
        } else {
            work.reversed.push_back(id);
        }
        end = begin;
    }
    ids.insert(ids.end(), work.reversed.rbegin(), work.reversed.rend());
}

void Unigram::tokenize(const PieceList& list, std::vector<TokenId>& ids) const {
    Workspace work;
    for (std::size_t i = 0; i < list.pieces.size(); ++i) {
        const std::string_view text = list.piece(i);
        if (text.empty()) continue;
        search(text, work.steps);
        emit(text, work, ids);
    }
}

}  // namespace espalier

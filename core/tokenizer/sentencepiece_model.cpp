// SPDX-License-Identifier: GPL-3.0-or-later
#include "core/tokenizer/sentencepiece_model.h"

#include <algorithm>
#include <array>
#include <bit>

#include "core/tokenizer/token_limits.h"

namespace espalier {
namespace {

enum class WireType { Varint = 0, Fixed64 = 1, Bytes = 2, Fixed32 = 5 };

struct Field {
    std::uint64_t number = 0;
    WireType type = WireType::Varint;
    std::uint64_t value = 0;  // a varint or the bits of a fixed number
    std::string_view bytes;
};

// Walks the fields of one message.
class WireReader {
public:
    WireReader(std::string_view message, std::string where) : m_message(message), m_where(std::move(where)) {}

    bool atEnd() const { return m_at == m_message.size(); }

    Result<Field> next() {
        Field field;
        TRY_ASSIGN(const std::uint64_t key, varint());
        field.number = key >> 3;
        field.type = static_cast<WireType>(key & 7);
        if (field.number == 0 || field.number > 0x1FFFFFFF)
            return broken("a field with the number " + std::to_string(field.number));
        if (field.type == WireType::Varint) {
            TRY_ASSIGN(field.value, varint());
        } else if (field.type == WireType::Bytes) {
            TRY_ASSIGN(const std::uint64_t size, varint());
            if (size > m_message.size() - m_at)
                return broken("field " + std::to_string(field.number) + " of " + std::to_string(size) +
                              " bytes where " + std::to_string(m_message.size() - m_at) + " are left");
            field.bytes = m_message.substr(m_at, size);
            m_at += size;
        } else if (field.type == WireType::Fixed32 || field.type == WireType::Fixed64) {
            const std::size_t size = field.type == WireType::Fixed32 ? 4 : 8;
            if (size > m_message.size() - m_at) return broken("field " + std::to_string(field.number) + ", cut off");
            for (std::size_t i = 0; i < size; ++i) field.value |= std::uint64_t{byteAt(m_at + i)} << (8 * i);
            m_at += size;
        } else {
            return broken("field " + std::to_string(field.number) + " of the wire type " + std::to_string(key & 7));
        }
        return field;
    }

    Error broken(const std::string& found) const {
        return fail(
            ErrorCode::CorruptFile,
            m_where + ": expected a SentencePiece model, found " + found + " (byte " + std::to_string(m_at) + ")",
            m_where);
    }

    Result<void> expect(const Field& field, WireType type) const {
        if (field.type == type) return {};
        return broken("field " + std::to_string(field.number) + " of the wire type " +
                      std::to_string(static_cast<int>(field.type)));
    }

private:
    unsigned char byteAt(std::size_t at) const { return static_cast<unsigned char>(m_message[at]); }

    Result<std::uint64_t> varint() {
        std::uint64_t value = 0;
        for (int shift = 0; shift < 64; shift += 7) {
            if (atEnd()) return broken("a number that the end cuts off");
            const unsigned char byte = byteAt(m_at++);
            value |= std::uint64_t{byte & 0x7Fu} << shift;
            if ((byte & 0x80) == 0) return value;
        }
        return broken("a number of more than ten bytes");
    }

    std::string_view m_message;
    std::string m_where;
    std::size_t m_at = 0;
};

// Calls read(field, reader) for each field of a message.
template <class Read>
Result<void> forEachField(std::string_view message, const std::string& where, Read&& read) {
    WireReader reader(message, where);
    while (!reader.atEnd()) {
        TRY_ASSIGN(const Field field, reader.next());
        TRY(read(field, reader));
    }
    return {};
}

Result<ScoredPiece> readPiece(std::string_view message, const std::string& where) {
    ScoredPiece piece;
    TRY(forEachField(message, where, [&](const Field& field, const WireReader& reader) -> Result<void> {
        if (field.number == 1) {
            TRY(reader.expect(field, WireType::Bytes));
            piece.text = field.bytes;
        } else if (field.number == 2) {
            TRY(reader.expect(field, WireType::Fixed32));
            piece.score = std::bit_cast<float>(static_cast<std::uint32_t>(field.value));
        } else if (field.number == 3) {
            TRY(reader.expect(field, WireType::Varint));
            if (field.value < 1 || field.value > 6)
                return reader.broken("a piece of the type " + std::to_string(field.value));
            piece.kind = static_cast<PieceKind>(field.value);
        }
        return {};
    }));
    if (piece.text.empty()) return fail(ErrorCode::CorruptFile, where + ": the piece is empty", where);
    return piece;
}

struct TrainerSpec {
    std::uint64_t modelType = 1;
    bool byteFallback = false;
    bool spacesAreSuffixes = false;
    std::string bos = "<s>", eos = "</s>", padding = "<pad>";
};

Result<void> readTrainerSpec(std::string_view message, const std::string& where, TrainerSpec& spec) {
    return forEachField(message, where, [&](const Field& field, const WireReader& reader) -> Result<void> {
        switch (field.number) {
            case 3:
                TRY(reader.expect(field, WireType::Varint));
                spec.modelType = field.value;
                break;
            case 24:
                TRY(reader.expect(field, WireType::Varint));
                spec.spacesAreSuffixes = field.value != 0;
                break;
            case 35:
                TRY(reader.expect(field, WireType::Varint));
                spec.byteFallback = field.value != 0;
                break;
            case 46:
            case 47:
            case 48:
                TRY(reader.expect(field, WireType::Bytes));
                (field.number == 46 ? spec.bos : field.number == 47 ? spec.eos : spec.padding) = field.bytes;
                break;
            default:
                break;
        }
        return {};
    });
}

Result<void> readNormalizerSpec(std::string_view message, const std::string& where, SentencePieceModel& model) {
    return forEachField(message, where, [&](const Field& field, const WireReader& reader) -> Result<void> {
        if (field.number == 2) {
            TRY(reader.expect(field, WireType::Bytes));
            model.charsmap = field.bytes;
        } else if (field.number >= 3 && field.number <= 5) {
            TRY(reader.expect(field, WireType::Varint));
            (field.number == 3   ? model.spaces.addsPrefix
             : field.number == 4 ? model.spaces.removesExtra
                                 : model.spaces.marksSpaces) = field.value != 0;
        }
        return {};
    });
}

Result<void> checkPieces(SentencePieceModel& model, bool byteFallback, const std::string& where) {
    const auto broken = [&](const std::string& sentence) {
        return fail(ErrorCode::CorruptFile, where + ": " + sentence, where);
    };
    std::array<bool, 256> hasByte{};
    for (std::size_t i = 0; i < model.pieces.list.size(); ++i) {
        const ScoredPiece& piece = model.pieces.list[i];
        if (piece.kind == PieceKind::Unknown) {
            if (model.pieces.unknown)
                return broken("the pieces " + std::to_string(*model.pieces.unknown) + " and " + std::to_string(i) +
                              " both stand for what is unknown");
            model.pieces.unknown = static_cast<TokenId>(i);
        }
        if (piece.kind != PieceKind::Byte) continue;
        std::size_t byte = 0;
        while (byte < 256 && byteTokenName(static_cast<unsigned char>(byte)) != piece.text) ++byte;
        if (byte == 256) return broken("piece " + std::to_string(i) + ": " + inQuotes(piece.text) + " is no byte");
        hasByte[byte] = true;
    }
    if (!model.pieces.unknown) return broken("no piece stands for what is unknown");
    model.pieces.byteFallback = byteFallback;
    if (byteFallback && std::find(hasByte.begin(), hasByte.end(), false) != hasByte.end())
        return broken("byte_fallback is set, but not every byte has a piece");
    return {};
}

std::optional<TokenId> controlPiece(const SentencePieceModel& model, std::string_view name) {
    for (std::size_t i = 0; i < model.pieces.list.size(); ++i)
        if (model.pieces.list[i].kind == PieceKind::Control && model.pieces.list[i].text == name)
            return static_cast<TokenId>(i);
    return std::nullopt;
}

}  // namespace

Result<SentencePieceModel> parseSentencePieceModel(std::string_view bytes, const std::string& where) {
    SentencePieceModel model;
    TrainerSpec trainer;
    TRY(forEachField(bytes, where, [&](const Field& field, const WireReader& reader) -> Result<void> {
        if (field.number < 1 || field.number > 3) return {};
        TRY(reader.expect(field, WireType::Bytes));
        if (field.number == 2) return readTrainerSpec(field.bytes, where + ": trainer_spec", trainer);
        if (field.number == 3) return readNormalizerSpec(field.bytes, where + ": normalizer_spec", model);
        const std::size_t count = model.pieces.list.size();
        if (count == kMaxTokens) return tooMany(where, "pieces", count + 1, kMaxTokens);
        TRY_ASSIGN(ScoredPiece piece, readPiece(field.bytes, where + ": piece " + std::to_string(count)));
        model.pieces.list.push_back(std::move(piece));
        return {};
    }));
    if (model.pieces.list.empty()) return fail(ErrorCode::CorruptFile, where + ": there are no pieces", where);
    if (trainer.modelType != 1 && trainer.modelType != 2)
        return unknownType(where, "SentencePiece model type",
                           trainer.modelType == 3   ? "WORD"
                           : trainer.modelType == 4 ? "CHAR"
                                                    : std::to_string(trainer.modelType),
                           "BPE, UNIGRAM");
    model.isUnigram = trainer.modelType == 1;
    model.spaces.isSuffix = trainer.spacesAreSuffixes;
    TRY(checkPieces(model, trainer.byteFallback, where));
    model.bos = controlPiece(model, trainer.bos);
    model.eos = controlPiece(model, trainer.eos);
    model.padding = controlPiece(model, trainer.padding);
    return model;
}

}  // namespace espalier

// SPDX-License-Identifier: GPL-3.0-or-later
#include "core/tokenizer/token_decoder.h"

#include <charconv>
#include <vector>

#include "core/tokenizer/byte_alphabet.h"
#include "core/tokenizer/utf8.h"

namespace espalier {
namespace {

using TokenDecoderPtr = std::unique_ptr<const TokenDecoder>;

class SpaceJoined final : public TokenDecoder {
public:
    std::string decode(std::string token, bool isFirst) const override { return isFirst ? token : " " + token; }
};

class ByteLevelDecoder final : public TokenDecoder {
public:
    std::string decode(std::string token, bool) const override {
        auto bytes = bytesOfToken(token);
        return bytes ? std::move(*bytes) : std::move(token);
    }
};

// "<0x0A>" is the byte 10.
class ByteFallbackDecoder final : public TokenDecoder {
public:
    std::string decode(std::string token, bool) const override {
        unsigned value = 0;
        if (token.size() != 6 || !token.starts_with("<0x") || token.back() != '>') return token;
        const auto [end, error] = std::from_chars(token.data() + 3, token.data() + 5, value, 16);
        if (error != std::errc() || end != token.data() + 5) return token;
        return std::string(1, static_cast<char>(static_cast<unsigned char>(value)));
    }
};

class ReplaceDecoder final : public TokenDecoder {
public:
    ReplaceDecoder(std::string pattern, std::string content)
        : m_pattern(std::move(pattern)), m_content(std::move(content)) {}
    std::string decode(std::string token, bool) const override {
        if (m_pattern.empty()) return token;
        std::string out;
        std::size_t at = 0;
        for (std::size_t hit; (hit = token.find(m_pattern, at)) != std::string::npos; at = hit + m_pattern.size())
            out.append(token, at, hit - at).append(m_content);
        return out.append(token, at);
    }

private:
    std::string m_pattern;
    std::string m_content;
};

// Takes up to `start` of a character off the front and `stop` off the back: of every token, or after Fuse of the text.
class StripDecoder final : public TokenDecoder {
public:
    StripDecoder(std::string character, std::size_t start, std::size_t stop, bool firstOnly)
        : m_character(std::move(character)), m_start(start), m_stop(stop), m_firstOnly(firstOnly) {}
    std::string decode(std::string token, bool isFirst) const override {
        if (m_firstOnly && !isFirst) return token;
        std::string_view rest = token;
        for (std::size_t i = 0; i < m_start && rest.starts_with(m_character); ++i)
            rest.remove_prefix(m_character.size());
        for (std::size_t i = 0; i < m_stop && rest.ends_with(m_character); ++i) rest.remove_suffix(m_character.size());
        return std::string(rest);
    }

private:
    std::string m_character;
    std::size_t m_start;
    std::size_t m_stop;
    bool m_firstOnly;
};

class TokenDecoderSequence final : public TokenDecoder {
public:
    explicit TokenDecoderSequence(std::vector<TokenDecoderPtr> stages) : m_stages(std::move(stages)) {}
    std::string decode(std::string token, bool isFirst) const override {
        for (const auto& stage : m_stages) token = stage->decode(std::move(token), isFirst);
        return token;
    }

private:
    std::vector<TokenDecoderPtr> m_stages;
};

Result<TokenDecoderPtr> parseReplace(const JsonReader& reader) {
    const Json* pattern = reader.find("pattern");
    if (!pattern || !pattern->is_object() || !pattern->contains("String") || !(*pattern)["String"].is_string())
        return reader.wrong("pattern", "{\"String\": ...}");
    TRY_ASSIGN(std::string content, reader.string("content"));
    return TokenDecoderPtr(
        std::make_unique<ReplaceDecoder>((*pattern)["String"].get<std::string>(), std::move(content)));
}

Result<TokenDecoderPtr> parseStrip(const JsonReader& reader, bool fused) {
    TRY_ASSIGN(std::string content, reader.string("content"));
    if (countUtf8(content) != 1) return reader.wrong("content", "one character");
    TRY_ASSIGN(const std::int64_t start, reader.integer("start", 0, 1 << 20));
    TRY_ASSIGN(const std::int64_t stop, reader.integer("stop", 0, fused ? 0 : 1 << 20));
    return TokenDecoderPtr(std::make_unique<StripDecoder>(std::move(content), static_cast<std::size_t>(start),
                                                          static_cast<std::size_t>(stop), fused));
}

// fused: a Fuse came before, so that what follows sees one text instead of tokens.
Result<TokenDecoderPtr> parseStage(const Json& spec, bool& fused, const std::string& where) {
    const JsonReader reader(spec, where + ": decoder");
    TRY_ASSIGN(const std::string type, reader.string("type"));
    if (type == "Fuse") {
        fused = true;
        return TokenDecoderPtr();
    }
    if (type == "ByteLevel") return TokenDecoderPtr(std::make_unique<ByteLevelDecoder>());
    if (type == "ByteFallback") return TokenDecoderPtr(std::make_unique<ByteFallbackDecoder>());
    if (type == "Replace") return parseReplace(reader);
    if (type == "Strip") return parseStrip(reader, fused);
    if (type == "Sequence") {
        const Json* list = reader.find("decoders");
        if (!list || !list->is_array()) return reader.wrong("decoders", "an array");
        std::vector<TokenDecoderPtr> stages;
        for (const Json& entry : *list) {
            TRY_ASSIGN(TokenDecoderPtr stage, parseStage(entry, fused, where));
            if (stage) stages.push_back(std::move(stage));
        }
        return TokenDecoderPtr(std::make_unique<TokenDecoderSequence>(std::move(stages)));
    }
    return fail(ErrorCode::Unsupported, where + ": the decoder \"" + type + "\" is not supported", where);
}

}  // namespace

Result<std::unique_ptr<const TokenDecoder>> parseTokenDecoder(const Json& spec, const std::string& where) {
    if (spec.is_null()) return TokenDecoderPtr(std::make_unique<SpaceJoined>());
    bool fused = false;
    TRY_ASSIGN(TokenDecoderPtr decoder, parseStage(spec, fused, where));
    if (!decoder) decoder = std::make_unique<TokenDecoderSequence>(std::vector<TokenDecoderPtr>{});
    return decoder;
}

}  // namespace espalier

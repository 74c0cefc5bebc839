// SPDX-License-Identifier: GPL-3.0-or-later
#include "core/tokenizer/token_decoder.h"

#include <algorithm>
#include <charconv>
#include <vector>

#include "core/tokenizer/byte_alphabet.h"
#include "core/tokenizer/pre_tokenizer.h"
#include "core/tokenizer/token_limits.h"
#include "core/tokenizer/utf8.h"

namespace espalier {
namespace {

constexpr std::size_t kMaxDecodedBytes = 1 << 20;  // of one token, which has 4 KiB at most

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

// Ends early when far more comes of a token than it was: a file's rules may double it at every stage.
std::string replacedAll(std::string_view text, std::string_view pattern, std::string_view content) {
    if (pattern.empty()) return std::string(text);
    std::string out;
    std::size_t at = 0;
    for (std::size_t hit; (hit = text.find(pattern, at)) != std::string_view::npos; at = hit + pattern.size()) {
        out.append(text.substr(at, hit - at));
        if (out.size() + content.size() > kMaxDecodedBytes) return out;
        out.append(content);
    }
    return out.append(text.substr(at));
}

class ReplaceDecoder final : public TokenDecoder {
public:
    ReplaceDecoder(std::string pattern, std::string content)
        : m_pattern(std::move(pattern)), m_content(std::move(content)) {}
    std::string decode(std::string token, bool) const override { return replacedAll(token, m_pattern, m_content); }

private:
    std::string m_pattern;
    std::string m_content;
};

// A continuation ("##ing") joins what comes before it, another token stands behind a space.
class WordPieceDecoder final : public TokenDecoder {
public:
    WordPieceDecoder(std::string prefix, bool cleansUp) : m_prefix(std::move(prefix)), m_cleansUp(cleansUp) {}
    std::string decode(std::string token, bool isFirst) const override {
        if (!isFirst) token = token.starts_with(m_prefix) ? token.substr(m_prefix.size()) : " " + token;
        if (!m_cleansUp) return token;
        static constexpr std::pair<std::string_view, std::string_view> kRules[] = {
            {" .", "."},   {" ?", "?"},           {" !", "!"},   {" ,", ","},     {" ' ", "'"},   {" n't", "n't"},
            {" 'm", "'m"}, {" do not", " don't"}, {" 's", "'s"}, {" 've", "'ve"}, {" 're", "'re"}};
        for (const auto& [pattern, content] : kRules) token = replacedAll(token, pattern, content);
        return token;
    }

private:
    std::string m_prefix;
    bool m_cleansUp;
};

// Marks become spaces, but those of the first token, where one was put in front, vanish.
class MetaspaceDecoder final : public TokenDecoder {
public:
    explicit MetaspaceDecoder(MetaspaceSettings settings) : m_settings(std::move(settings)) {}
    std::string decode(std::string token, bool isFirst) const override {
        const bool vanishes = isFirst && m_settings.scheme != PrependScheme::Never;
        return replacedAll(token, m_settings.mark, vanishes ? "" : " ");
    }

private:
    MetaspaceSettings m_settings;
};

// The suffix that ends a word becomes a space, but behind the last word.
class BpeDecoder final : public TokenDecoder {
public:
    explicit BpeDecoder(std::string suffix) : m_suffix(std::move(suffix)) {}
    std::string decode(std::string token, bool) const override { return replacedAll(token, m_suffix, " "); }
    bool dropsFinalSpace() const override { return true; }

private:
    std::string m_suffix;
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
    bool dropsFinalSpace() const override {
        return std::any_of(m_stages.begin(), m_stages.end(),
                           [](const auto& stage) { return stage->dropsFinalSpace(); });
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

Result<TokenDecoderPtr> parseWordPiece(const JsonReader& reader) {
    TRY_ASSIGN(std::string prefix, reader.stringOr("prefix", "##"));
    TRY_ASSIGN(const bool cleansUp, reader.boolOr("cleanup", true));
    return TokenDecoderPtr(std::make_unique<WordPieceDecoder>(std::move(prefix), cleansUp));
}

Result<TokenDecoderPtr> parseMetaspace(const JsonReader& reader) {
    TRY_ASSIGN(MetaspaceSettings settings, parseMetaspaceSettings(reader));
    return TokenDecoderPtr(std::make_unique<MetaspaceDecoder>(std::move(settings)));
}

Result<TokenDecoderPtr> parseBpe(const JsonReader& reader) {
    TRY_ASSIGN(std::string suffix, reader.stringOr("suffix", "</w>"));
    return TokenDecoderPtr(std::make_unique<BpeDecoder>(std::move(suffix)));
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
    if (type == "BPEDecoder") return parseBpe(reader);
    if (type == "Metaspace") return parseMetaspace(reader);
    if (type == "Replace") return parseReplace(reader);
    if (type == "Strip") return parseStrip(reader, fused);
    if (type == "WordPiece") return parseWordPiece(reader);
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
    return unknownType(where, "decoder", type,
                       "BPEDecoder, ByteFallback, ByteLevel, Fuse, Metaspace, Replace, Sequence, Strip, WordPiece");
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

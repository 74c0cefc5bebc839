// SPDX-License-Identifier: GPL-3.0-or-later
#include "core/api/embedding.h"

#include <unicode/locid.h>
#include <unicode/unistr.h>

#include <algorithm>
#include <array>

#include "core/formats/gguf_model.h"

namespace espalier {
namespace {

constexpr std::uint64_t kMaxConfigBytes = 1 << 20;
constexpr std::size_t kMaxTextBytes = 256u << 20;

Result<Json> readConfig(FileSystem& files, const Path& file) {
    TRY_ASSIGN(const std::string text, files.readText(file, kMaxConfigBytes));
    return parseJson(text, file.filename().string());
}

struct PoolingName {
    std::string_view flag;  // of 1_Pooling/config.json, true or false
    std::string_view name;  // newer files: "pooling_mode": name
    std::optional<Pooling> pooling;
};
constexpr std::array<PoolingName, 6> kPoolings = {{{"pooling_mode_mean_tokens", "mean", Pooling::Mean},
                                                   {"pooling_mode_cls_token", "cls", Pooling::Cls},
                                                   {"pooling_mode_max_tokens", "max", Pooling::Max},
                                                   {"pooling_mode_lasttoken", "lasttoken", Pooling::Last},
                                                   {"pooling_mode_mean_sqrt_len_tokens", "mean_sqrt_len_tokens", {}},
                                                   {"pooling_mode_weightedmean_tokens", "weightedmean", {}}}};

Result<Pooling> poolingFromJson(const Json& config, const std::string& where) {
    const JsonReader reader(config, where);
    TRY_ASSIGN(const std::string name, reader.stringOr("pooling_mode", ""));
    std::vector<const PoolingName*> asked;
    for (const PoolingName& row : kPoolings) {
        TRY_ASSIGN(const bool isOn, reader.boolOr(row.flag, false));
        if (isOn || name == row.name) asked.push_back(&row);
    }
    if (asked.size() == 1 && asked.front()->pooling) return *asked.front()->pooling;
    std::string list = asked.empty() ? name.substr(0, 80) : std::string();
    for (const PoolingName* row : asked) list += (list.empty() ? "" : " and ") + std::string(row->name);
    return fail(ErrorCode::Unsupported,
                where + " asks for the pooling \"" + list + "\"; one of mean, cls, max and lasttoken is supported",
                where);
}

std::string endOf(const std::string& dotted) {
    return dotted.substr(dotted.rfind('.') + 1);
}

Result<void> readTransformer(FileSystem& files, const Path& folder, EmbeddingMode& mode) {
    const Path file = folder / "sentence_bert_config.json";
    if (!files.exists(file)) return {};
    TRY_ASSIGN(const Json config, readConfig(files, file));
    const JsonReader reader(config, "sentence_bert_config.json");
    TRY_ASSIGN(mode.lowerCase, reader.boolOr("do_lower_case", false));
    if (!reader.has("max_seq_length")) return {};
    TRY_ASSIGN(const std::int64_t most, reader.integer("max_seq_length", 1, INT32_MAX));
    mode.maxTokens = static_cast<std::int32_t>(most);
    return {};
}

Result<std::string> lowerCase(const std::string& text) {
    if (text.size() > kMaxTextBytes)
        return fail(ErrorCode::TooLarge, "a text has " + std::to_string(text.size()) + " bytes", "input");
    icu::UnicodeString unicode = icu::UnicodeString::fromUTF8(text);
    std::string lower;
    unicode.toLower(icu::Locale::getRoot()).toUTF8String(lower);
    return lower;
}

// Keeps the first tokens of the text and all that was added around them.
Result<std::vector<TokenId>> cutPrompt(const ServedModel& model, const Prompt& prompt, std::vector<TokenId> ids,
                                       std::size_t most) {
    if (const auto* text = std::get_if<std::string>(&prompt)) {
        TRY_ASSIGN(const auto bare, model.text->tokenizer->encode(*text));
        const auto found = std::search(ids.begin(), ids.end(), bare.begin(), bare.end());
        const std::size_t added = ids.size() - bare.size();
        if (found != ids.end() && added < most) {
            const auto keep = static_cast<std::ptrdiff_t>(most - added);
            ids.erase(found + keep, found + static_cast<std::ptrdiff_t>(bare.size()));
            return ids;
        }
    }
    ids.resize(most);
    return ids;
}

}  // namespace

namespace {

// "<architecture>.pooling_type" of a GGUF file: 1 mean, 2 cls, 3 last (llama.cpp's enum). Without it, and for folders
// of another kind, the mode of a folder that says nothing.
Result<EmbeddingMode> ggufMode(FileSystem& files, const Path& path) {
    EmbeddingMode mode;
    if (!files.exists(path)) return mode;
    TRY_ASSIGN(const auto gguf, findGguf(files, path));
    if (!gguf) return mode;
    TRY_ASSIGN(const GgufFile first, openFirstGgufShard(files, *gguf));
    const GgufKeys keys(first.header, first.head, first.open.path.filename().string());
    TRY_ASSIGN(const auto architecture, keys.string("general.architecture"));
    TRY_ASSIGN(const auto type, keys.integer(architecture.value_or("") + ".pooling_type", 0, 3));
    if (type == 2) mode.pooling = Pooling::Cls;
    if (type == 3) mode.pooling = Pooling::Last;
    return mode;
}

}  // namespace

Result<EmbeddingMode> embeddingMode(FileSystem& files, const Path& folder) {
    EmbeddingMode mode;
    const Path modules = folder / "modules.json";
    if (!files.exists(modules)) return ggufMode(files, folder);
    TRY_ASSIGN(const Json list, readConfig(files, modules));
    if (!list.is_array()) return fail(ErrorCode::CorruptFile, "modules.json must be an array", "modules.json");
    for (const Json& module : list) {
        const JsonReader reader(module, "modules.json");
        TRY_ASSIGN(const std::string type, reader.string("type"));
        const std::string kind = endOf(type);
        if (kind == "Normalize") {
            mode.normalize = true;
        } else if (kind == "Transformer") {
            TRY(readTransformer(files, folder, mode));
        } else if (kind == "Pooling") {
            TRY_ASSIGN(const std::string path, reader.string("path"));
            const Path file = Path(path).filename() / "config.json";
            TRY_ASSIGN(const Json config, readConfig(files, folder / file));
            TRY_ASSIGN(mode.pooling, poolingFromJson(config, file.string()));
        } else {
            return fail(ErrorCode::Unsupported,
                        "modules.json names the module \"" + kind.substr(0, 80) +
                            "\"; Transformer, Pooling and Normalize are supported",
                        "modules.json");
        }
    }
    return mode;
}

Result<BoundEmbeddings> bindEmbeddings(FileSystem& files, const ServedModel& model, const std::vector<Prompt>& prompts,
                                       std::string_view tenant, LongText longText) {
    BoundEmbeddings bound;
    TRY_ASSIGN(bound.mode, embeddingMode(files, model.record.folder));
    // As sentence-transformers: what its own file says, else what the tokenizer's does.
    const auto wanted = bound.mode.maxTokens ? bound.mode.maxTokens : model.text->maxTokens;
    const auto most = static_cast<std::size_t>(std::min(model.record.context, wanted.value_or(model.record.context)));
    for (const Prompt& given : prompts) {
        Prompt prompt = given;
        if (auto* text = std::get_if<std::string>(&prompt); text && bound.mode.lowerCase) {
            TRY_ASSIGN(*text, lowerCase(*text));
        }
        Request request;
        request.kind = RequestKind::Embed;
        request.tenant = tenant;
        request.pooling = bound.mode.pooling;
        request.normalize = bound.mode.normalize;
        TRY_ASSIGN(request.prompt, encodePrompt(model, prompt));
        TRY(checkPromptIds(model, request.prompt));
        const bool tooLong = request.prompt.size() > most;
        if (tooLong && longText == LongText::Refuse)
            return fail(ErrorCode::ContextOverflow,
                        "the input has " + std::to_string(request.prompt.size()) + " tokens; model " +
                            model.record.name + " takes at most " + std::to_string(most),
                        "input");
        if (tooLong) {
            TRY_ASSIGN(request.prompt, cutPrompt(model, prompt, std::move(request.prompt), most));
        }
        bound.truncated.push_back(tooLong);
        bound.requests.push_back(std::move(request));
    }
    return bound;
}

std::string base64Text(std::string_view bytes) {
    constexpr std::string_view kDigits = "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789+/";
    std::string text;
    text.reserve((bytes.size() + 2) / 3 * 4);
    for (std::size_t i = 0; i < bytes.size(); i += 3) {
        std::uint32_t group = 0;
        const std::size_t count = std::min<std::size_t>(3, bytes.size() - i);
        for (std::size_t j = 0; j < 3; ++j)
            group = group << 8 | (j < count ? static_cast<unsigned char>(bytes[i + j]) : 0u);
        for (std::size_t j = 0; j < 4; ++j) text += j <= count ? kDigits[group >> (18 - 6 * j) & 63] : '=';
    }
    return text;
}

}  // namespace espalier

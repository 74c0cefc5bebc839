// SPDX-License-Identifier: GPL-3.0-or-later
#include "core/api/embedding.h"

namespace espalier {
namespace {

constexpr std::uint64_t kMaxConfigBytes = 1 << 20;

Result<Json> readConfig(FileSystem& files, const Path& file) {
    TRY_ASSIGN(const std::string text, files.readText(file, kMaxConfigBytes));
    return parseJson(text, file.filename().string());
}

Result<Pooling> poolingFromJson(const Json& config, const std::string& where) {
    const auto isOn = [&](const char* key) { return config.is_object() && config.value(key, Json()) == true; };
    if (isOn("pooling_mode_mean_tokens")) return Pooling::Mean;
    if (isOn("pooling_mode_cls_token")) return Pooling::Cls;
    if (isOn("pooling_mode_lasttoken")) return Pooling::Last;
    return fail(ErrorCode::Unsupported, where + " asks for a pooling other than mean, cls and last token", where);
}

std::string endOf(const std::string& dotted) {
    return dotted.substr(dotted.rfind('.') + 1);
}

}  // namespace

Result<EmbeddingMode> embeddingMode(FileSystem& files, const Path& folder) {
    EmbeddingMode mode;
    const Path modules = folder / "modules.json";
    if (!files.exists(modules)) return mode;
    TRY_ASSIGN(const Json list, readConfig(files, modules));
    if (!list.is_array()) return fail(ErrorCode::CorruptFile, "modules.json must be an array", "modules.json");
    for (const Json& module : list) {
        const JsonReader reader(module, "modules.json");
        TRY_ASSIGN(const std::string type, reader.string("type"));
        if (endOf(type) == "Normalize") mode.normalize = true;
        if (endOf(type) != "Pooling") continue;
        TRY_ASSIGN(const std::string path, reader.string("path"));
        const Path file = folder / Path(path).filename() / "config.json";
        TRY_ASSIGN(const Json config, readConfig(files, file));
        TRY_ASSIGN(mode.pooling, poolingFromJson(config, file.string()));
    }
    return mode;
}

Result<BoundEmbeddings> bindEmbeddings(FileSystem& files, const ServedModel& model, const std::vector<Prompt>& prompts,
                                       std::string_view tenant, LongText longText) {
    BoundEmbeddings bound;
    TRY_ASSIGN(bound.mode, embeddingMode(files, model.record.folder));
    const auto most = static_cast<std::size_t>(model.record.context);
    for (const Prompt& prompt : prompts) {
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
        if (tooLong) request.prompt.resize(most);
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

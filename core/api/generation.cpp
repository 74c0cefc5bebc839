// SPDX-License-Identifier: GPL-3.0-or-later
// GenerationCall + model -> requests.
#include "core/api/generation.h"

#include <algorithm>
#include <random>

#include "core/base/clock.h"

namespace espalier {
namespace {

Result<GenerationDefaults> generationDefaults(FileSystem& files, const Path& folder) {
    const Path file = folder / "generation_config.json";
    if (!files.exists(file)) return GenerationDefaults{};
    TRY_ASSIGN(const std::string text, files.readText(file, kMaxModelConfigBytes));
    TRY_ASSIGN(const Json json, parseJson(text, "generation_config.json"));
    return generationDefaultsFromJson(json, "generation_config.json");
}

Error noTokenizer(const ServedModel& model) {
    return fail(ErrorCode::Unsupported,
                "model " + model.record.name + " has no tokenizer: give token ids instead of text", "prompt");
}

std::uint64_t drawnSeed() {
    std::random_device source;
    return (static_cast<std::uint64_t>(source()) << 32) | source();
}

std::vector<TokenId> stopIdsOf(const ServedModel& model) {
    std::vector<TokenId> ids = model.record.spec.eosIds;
    for (const TokenId id : model.defaults.eosIds)
        if (std::find(ids.begin(), ids.end(), id) == ids.end()) ids.push_back(id);
    return ids;
}

}  // namespace

Result<void> checkPromptIds(const ServedModel& model, const std::vector<TokenId>& ids) {
    if (ids.empty()) return fail(ErrorCode::InvalidArgument, "the prompt has no tokens", "prompt");
    for (const TokenId id : ids)
        if (id < 0 || id >= model.record.spec.vocabulary)
            return fail(ErrorCode::InvalidArgument,
                        "token id " + std::to_string(id) + " is outside the model's " +
                            std::to_string(model.record.spec.vocabulary) + " entries",
                        "prompt");
    return {};
}

Result<ModelAccess::Named> ModelAccess::resolve(std::string_view reference, std::string_view tenant) const {
    auto model = m_engine.findModel(reference);
    if (model) return Named{std::move(model).value(), ""};
    const auto adapter = m_engine.findAdapter(reference, tenant);
    if (!adapter)
        return reference.find(':') == std::string_view::npos && adapter.error().code == ErrorCode::NotFound
                   ? std::move(model).error()
                   : adapter.error();
    TRY_ASSIGN(ModelRecord base, m_engine.findModel(adapter->baseId));
    return Named{std::move(base), adapter->name};
}

Result<std::string> ModelAccess::nameOf(std::string_view reference, std::string_view tenant) const {
    TRY_ASSIGN(const Named named, resolve(reference, tenant));
    return named.adapter.empty() ? named.record.name : named.record.name + ":" + named.adapter;
}

Result<ServedModel> ModelAccess::find(std::string_view reference) const {
    TRY_ASSIGN(Named named, resolve(reference, {}));
    ModelRecord& record = named.record;
    TRY_ASSIGN(auto text, m_engine.text(record.name));
    TRY_ASSIGN(auto defaults, generationDefaults(m_files, record.folder));
    auto chatTemplate = text->chatTemplate ? text->chatTemplate : m_fallback;
    std::string served = named.adapter.empty() ? record.name : record.name + ":" + named.adapter;
    return ServedModel{std::move(record), std::move(named.adapter), std::move(served),
                       std::move(text),   std::move(chatTemplate),  std::move(defaults)};
}

Result<RenderedChat> renderChat(const ServedModel& model, const ChatPrompt& chat) {
    if (!model.chatTemplate)
        return fail(ErrorCode::Unsupported,
                    "model " + model.record.name +
                        " has no chat template; serve it with "
                        "--chat-template FILE or chatml, or use /v1/completions",
                    "messages");
    ChatInput input{chat.messages, chat.tools, chat.addGenerationPrompt, chat.variables};
    input.unixSeconds = SystemClock().unixMilliseconds() / 1000;
    const auto name = [&](const char* key, const std::string& token) {
        if (!token.empty()) input.specialTokens[key] = token;
    };
    name("bos_token", model.text->bosToken);
    name("eos_token", model.text->eosToken);
    name("unk_token", model.text->unkToken);
    name("pad_token", model.text->padToken);
    return model.chatTemplate->render(input);
}

Result<std::vector<TokenId>> encodePrompt(const ServedModel& model, const Prompt& prompt) {
    if (const auto* ids = std::get_if<std::vector<TokenId>>(&prompt)) return *ids;
    if (!model.text->tokenizer) return noTokenizer(model);
    if (const auto* text = std::get_if<std::string>(&prompt))
        return model.text->tokenizer->encode(*text, EncodeOptions{true, {}});
    TRY_ASSIGN(const RenderedChat rendered, renderChat(model, std::get<ChatPrompt>(prompt)));
    return encodeChat(*model.text->tokenizer, rendered);
}

namespace {

// Tools that the template does not show would be lost without a word.
Result<void> checkTools(const ServedModel& model, const Prompt& prompt) {
    const auto* chat = std::get_if<ChatPrompt>(&prompt);
    if (!chat || chat->tools.empty() || !model.chatTemplate || model.chatTemplate->usesTools()) return {};
    return fail(ErrorCode::Unsupported,
                "the chat template of model " + model.record.name +
                    " has no place for tools: leave \"tools\" out, or describe them in a message",
                "tools");
}

}  // namespace

Result<std::vector<Request>> bindCall(const ServedModel& model, const GenerationCall& call,
                                      const GenerationPolicy& policy, std::string_view tenant) {
    TRY(checkKind(RequestKind::Generate, model.record.spec.lmHead));
    Request request;
    request.tenant = tenant;
    request.sampling = call.sampling;
    request.sampling.temperature = call.temperature.value_or(model.defaults.temperature.value_or(policy.temperature));
    request.sampling.topP = call.topP.value_or(model.defaults.topP.value_or(1.0));
    request.sampling.topK = call.topK.value_or(model.defaults.topK.value_or(0));
    request.sampling.seed = call.seed ? *call.seed : drawnSeed();
    TRY(request.sampling.validate());
    request.stop = call.stop;
    if (!call.stop.empty() && !model.text->tokenizer)
        return fail(ErrorCode::Unsupported, "\"stop\" needs a tokenizer, which model " + model.record.name + " lacks",
                    "stop");
    if (!call.ignoreEos) request.stopIds = stopIdsOf(model);
    request.logprobs = call.logprobs;

    std::vector<Request> requests;
    for (const Prompt& prompt : call.prompts) {
        TRY(checkTools(model, prompt));
        TRY_ASSIGN(request.prompt, encodePrompt(model, prompt));
        TRY(checkPromptIds(model, request.prompt));
        const std::int64_t room = model.record.context - static_cast<std::int64_t>(request.prompt.size());
        if (room < 1)
            return fail(ErrorCode::ContextOverflow,
                        "the prompt has " + std::to_string(request.prompt.size()) + " tokens; model " +
                            model.record.name + " takes at most " + std::to_string(model.record.context) +
                            " with the answer",
                        "prompt");
        const auto wanted = call.maxTokens ? call.maxTokens : policy.maxTokens;
        request.maxTokens = static_cast<std::int32_t>(std::min<std::int64_t>(room, wanted.value_or(INT32_MAX)));
        for (std::int32_t choice = 0; choice < call.choices; ++choice) {
            request.sampling.choice = static_cast<std::uint32_t>(choice);
            requests.push_back(request);
        }
    }
    return requests;
}

}  // namespace espalier

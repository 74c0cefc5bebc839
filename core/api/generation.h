// SPDX-License-Identifier: GPL-3.0-or-later
// From the words of a caller to requests for the engine: what the OpenAI routes and `generate` have in common. Parsing
// a JSON body needs no model and is pure; binding it to one turns text and messages into ids.
//
// Errors name the field in Error::where, so that an HTTP answer can put it under "param".
#pragma once

#include <cstdint>
#include <memory>
#include <optional>
#include <string>
#include <string_view>
#include <variant>
#include <vector>

#include "core/base/json.h"
#include "core/engine/engine.h"
#include "core/formats/generation_config.h"
#include "core/serving/request.h"
#include "core/serving/request_check.h"

namespace espalier {

constexpr std::int32_t kMaxChoices = 16;
constexpr std::int32_t kMaxTopLogprobs = 20;  // of the published APIs; `generate` has the engine's kMaxLogprobs
constexpr std::size_t kMaxPrompts = 256;

struct ChatPrompt {
    OrderedJson messages;
    OrderedJson tools;  // null when absent
    bool addGenerationPrompt = true;
    OrderedJson variables = OrderedJson::object();  // further arguments of the template
};
using Prompt = std::variant<std::string, std::vector<TokenId>, ChatPrompt>;

// One call, not yet bound to a model. Values that a model may have defaults for are optional.
struct GenerationCall {
    std::string model;
    std::vector<Prompt> prompts;
    std::int32_t choices = 1;  // answers per prompt
    std::optional<double> temperature, topP;
    std::optional<std::int32_t> topK, maxTokens;
    std::optional<std::uint64_t> seed;
    SamplingParams sampling;  // the rest of it
    std::vector<std::string> stop;
    std::int32_t logprobs = -1;
    bool ignoreEos = false;
    bool stream = false, includeUsage = false;
};

Result<GenerationCall> chatCallFromJson(const Json& body, std::string_view text = {});  // POST /v1/chat/completions
Result<GenerationCall> completionCallFromJson(const Json& body);                        // POST /v1/completions
Result<GenerationCall> generateCallFromJson(const Json& body);                          // control operation `generate`

// A prompt given as text, an array of ids, or an array of at most `most` of these: `field` of /v1/completions and
// /v1/embeddings.
Result<std::vector<Prompt>> promptsFromJson(const Json& body, std::string_view field, std::size_t most = kMaxPrompts);
// Messages as chat templates take them: role and content of each checked, parts that are not text refused.
// "conversation" in place of "messages" is the text of a JSON document: an array of messages, or an object with
// messages, tools and further arguments of the template. As text its keys keep their order, which templates print; so
// do those of messages, tools and chat_template_kwargs when `text`, which body was parsed from, is given.
Result<ChatPrompt> chatPromptFromJson(const Json& body, std::string_view text = {});

// What a caller's name stands for: the catalog row, its text side, the maker's suggestions.
struct ServedModel {
    ModelRecord record;
    std::string adapter;  // name; empty: the base itself
    std::string served;   // what Engine::submit takes: the model's name, or "base:adapter"
    std::shared_ptr<const TextModel> text;
    std::shared_ptr<const ChatTemplate> chatTemplate;  // the model's own, else the server's; may be null
    GenerationDefaults defaults;
};

// Looks models up. `fallback` renders chats of models without a template; null: such a chat is refused.
class ModelAccess {
public:
    ModelAccess(Engine& engine, FileSystem& files, std::shared_ptr<const ChatTemplate> fallback = nullptr)
        : m_engine(engine), m_files(files), m_fallback(std::move(fallback)) {}
    // A model's name or id, "base:adapter", or the name of an adapter that no model and no other base has.
    Result<ServedModel> find(std::string_view reference) const;
    // The full name, as find() without reading any file; adapters of other tenants are not there. Error not_found.
    Result<std::string> nameOf(std::string_view reference, std::string_view tenant) const;
    Engine& engine() const { return m_engine; }
    FileSystem& files() const { return m_files; }

private:
    struct Named {
        ModelRecord record;
        std::string adapter;
    };
    Result<Named> resolve(std::string_view reference, std::string_view tenant) const;

    Engine& m_engine;
    FileSystem& m_files;
    const std::shared_ptr<const ChatTemplate> m_fallback;
};

// The ids of a prompt. Text gets what the post-processor adds; ids are used as given.
Result<std::vector<TokenId>> encodePrompt(const ServedModel& model, const Prompt& prompt);
Result<void> checkPromptIds(const ServedModel& model, const std::vector<TokenId>& ids);  // not empty, in the vocabulary
Result<RenderedChat> renderChat(const ServedModel& model, const ChatPrompt& chat);

// What a caller gets who says nothing and whose model suggests nothing.
struct GenerationPolicy {
    double temperature = 1.0;
    std::optional<std::int32_t> maxTokens;  // none: up to the end of the context
};

// One request per prompt and choice, prompt-major, without sinks. Errors: context_overflow, invalid_argument.
Result<std::vector<Request>> bindCall(const ServedModel& model, const GenerationCall& call,
                                      const GenerationPolicy& policy, std::string_view tenant);

}  // namespace espalier

// SPDX-License-Identifier: GPL-3.0-or-later
// IsolationCheck: proves on a model and adapters of its own that nobody's answer depends on who else is served. Every
// request is answered alone first; then the same requests are served in scenes (a crowd, each subject in the first and
// in the last place, the base between adapters, after every page was given away and used again, with the prefix cache
// over tenants and adapters), and token ids and log probabilities are compared bit for bit. The scenes run in serving
// loops of their own, over the weights, the device and the code that serve everybody.
//
// step() is one forward at most, so that who serves others goes on between two of them.
//
// Thread: engine.
#pragma once

#include <cstdint>
#include <map>
#include <memory>
#include <optional>
#include <string>
#include <utility>
#include <vector>

#include "core/adapters/lora_image.h"
#include "core/serving/serving_loop.h"

namespace espalier {

struct IsolationSubject {
    std::string name;
    std::shared_ptr<const LoraImage> adapter;  // null: the base
};

struct IsolationScene {
    std::string name;  // "crowd", "ends", "base_beside", "eviction", "prefix_cache"
    bool passed = true;
    std::int64_t compared = 0;  // answers
    std::string detail;         // the first thing that is wrong
};

class IsolationCheck {
public:
    // Requires: the first subject is the base, the names differ.
    IsolationCheck(std::vector<IsolationSubject> subjects, DType kvType);
    ~IsolationCheck();
    IsolationCheck(const IsolationCheck&) = delete;

    // false: it is over. Errors: pool_exhausted (no memory for its pages), those of a request, busy (the model was
    // loaded anew meanwhile). Requires: the same transformer until it is over or failed; after that none is needed.
    Result<bool> step(Backend& backend, Transformer& transformer, const Clock& clock);
    void stop();  // gives its pages back

    double progress() const;
    const std::vector<IsolationScene>& scenes() const { return m_scenes; }  // complete when it is over
    bool passed() const;

private:
    enum class Cached : std::uint8_t { Any, Nothing, Something };
    struct Ask {
        int subject = 0, prompt = 0;
        std::int32_t maxTokens = 0;
        std::string tenant = {};
        Cached cached = Cached::Any;
    };
    struct Wave {
        int scene = -1;  // -1: alone, its answers are what the others are compared with
        std::vector<Ask> asks;
        std::int32_t pages = 0;  // of a new loop; 0: the loop of the wave before
        bool prefixCache = false;
        bool ends = false;  // the last of its loop: were pages given away, are they in order?
    };
    struct Answer;

    void plan(const ArchSpec& spec);
    void planAlone();
    void planCrowds();
    void planEviction();
    void planPrefixCache();
    int addScene(const char* name);
    int addPrompt(std::int32_t length, bool isShared);
    std::int32_t pagesOf(const std::vector<Ask>& asks) const;
    Result<void> begin(const Wave& wave, Backend& backend, Transformer& transformer, const Clock& clock);
    Result<void> settle(const Wave& wave);
    void compare(const Wave& wave, std::size_t i);
    void settleLoop(IsolationScene& scene);
    void wrong(IsolationScene& scene, std::string what);

    const std::vector<IsolationSubject> m_subjects;
    const DType m_kvType;
    std::int32_t m_vocabulary = 0, m_context = 0;
    RequestKind m_kind = RequestKind::Generate;
    bool m_isCausal = true;
    std::vector<std::vector<TokenId>> m_prompts;
    std::vector<Wave> m_waves;
    std::size_t m_at = 0;
    bool m_isServing = false;
    std::vector<IsolationScene> m_scenes;
    std::map<std::pair<int, int>, Answer> m_alone;   // by subject and prompt
    std::vector<std::unique_ptr<Answer>> m_answers;  // of the wave being served
    const Transformer* m_transformer = nullptr;
    std::unique_ptr<ServingLoop> m_loop;  // after what its sinks write to: goes first
};

}  // namespace espalier

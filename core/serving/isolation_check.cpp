// SPDX-License-Identifier: GPL-3.0-or-later
#include "core/serving/isolation_check.h"

#include <algorithm>
#include <bit>

#include "core/base/check.h"

namespace espalier {
namespace {

constexpr std::int32_t kTokens = 8, kTop = 4;    // of an answer; log probabilities of each token
constexpr std::int32_t kShared = 24, kOwn = 17;  // prompt tokens
constexpr std::int32_t kCachedBlocks = 3;        // whole blocks of the prompt that the prefix cache is asked for
constexpr std::int32_t kSparePages = 4;
constexpr int kSharedPrompt = 0;

// The same ids in every run. Low ids are often special, and special tokens are as good as any.
TokenId promptToken(std::uint64_t prompt, std::uint64_t position, std::int32_t vocabulary) {
    std::uint64_t state = (prompt + 1) * 0x9E3779B97F4A7C15ull + position * 0xBF58476D1CE4E5B9ull;
    state = (state ^ (state >> 29)) * 0x94D049BB133111EBull;
    return static_cast<TokenId>((state >> 33) % static_cast<std::uint64_t>(vocabulary));
}

std::string bitsText(std::uint32_t bits) {
    constexpr char kDigits[] = "0123456789abcdef";
    std::string text = "0x";
    for (int shift = 28; shift >= 0; shift -= 4) text += kDigits[(bits >> shift) & 15];
    return text;
}

}  // namespace

// What a request gave, as bits.
struct IsolationCheck::Answer {
    std::vector<TokenId> ids;
    std::vector<std::uint32_t> bits;  // kTop + 1 pairs for each token: ids and log probabilities; or the embedding
    std::int32_t cached = 0;
    std::optional<FinishReason> finish;
    std::optional<Error> error;

    void take(const Chunk& chunk) {
        ids.insert(ids.end(), chunk.ids.begin(), chunk.ids.end());
        const auto add = [this](TokenId id, float logprob) {
            bits.push_back(static_cast<std::uint32_t>(id));
            bits.push_back(std::bit_cast<std::uint32_t>(logprob));
        };
        for (const TokenLogprob& token : chunk.logprobs) {
            add(token.id, token.logprob);
            for (const auto& [id, logprob] : token.top) add(id, logprob);
        }
        for (const float value : chunk.embedding) bits.push_back(std::bit_cast<std::uint32_t>(value));
        if (!chunk.finish) return;
        finish = chunk.finish;
        error = chunk.error;
        cached = chunk.usage.cachedTokens;
    }
};

IsolationCheck::IsolationCheck(std::vector<IsolationSubject> subjects, DType kvType)
    : m_subjects(std::move(subjects)), m_kvType(kvType) {
    CHECK(!m_subjects.empty() && !m_subjects.front().adapter);
}

IsolationCheck::~IsolationCheck() = default;

void IsolationCheck::stop() {
    m_loop.reset();
}

bool IsolationCheck::passed() const {
    return std::ranges::all_of(m_scenes, &IsolationScene::passed);
}

double IsolationCheck::progress() const {
    return m_waves.empty() ? 0.0 : static_cast<double>(m_at) / static_cast<double>(m_waves.size());
}

int IsolationCheck::addScene(const char* name) {
    m_scenes.push_back({name, true, 0, {}});
    return static_cast<int>(m_scenes.size()) - 1;
}

int IsolationCheck::addPrompt(std::int32_t length, bool isShared) {
    const std::int32_t most = m_context - kTokens - 1;
    std::vector<TokenId>& prompt = m_prompts.emplace_back();
    for (std::int32_t i = 0; i < std::clamp(length, 1, std::max(1, most)); ++i)
        prompt.push_back(promptToken(isShared ? 0 : m_prompts.size(), static_cast<std::uint64_t>(i), m_vocabulary));
    return static_cast<int>(m_prompts.size()) - 1;
}

// That all of these together never wait for each other's pages.
std::int32_t IsolationCheck::pagesOf(const std::vector<Ask>& asks) const {
    std::int32_t pages = kSparePages;
    std::vector<const LoraImage*> counted;
    for (const Ask& ask : asks) {
        const auto tokens =
            static_cast<std::int32_t>(m_prompts[static_cast<std::size_t>(ask.prompt)].size()) + ask.maxTokens;
        pages += tokens / kTokensPerPage + 1;
        const LoraImage* image = m_subjects[static_cast<std::size_t>(ask.subject)].adapter.get();
        if (!image || std::ranges::find(counted, image) != counted.end()) continue;
        counted.push_back(image);
        pages += image->pages;
    }
    return pages;
}

void IsolationCheck::plan(const ArchSpec& spec) {
    m_vocabulary = spec.vocabulary;
    m_context = spec.context;
    m_isCausal = spec.causal;
    m_kind = spec.lmHead && spec.causal ? RequestKind::Generate : RequestKind::Embed;
    addPrompt(kShared, true);
    for (std::size_t i = 0; i < m_subjects.size(); ++i)
        addPrompt(kOwn + 5 * static_cast<std::int32_t>(i), false);  // prompt 1 + i is subject i's own
    planCrowds();
    planEviction();
    if (m_kind == RequestKind::Generate) planPrefixCache();
    planAlone();
}

// First of all, whatever the scenes ask for.
void IsolationCheck::planAlone() {
    std::vector<Wave> alone;
    std::map<std::pair<int, int>, bool> known;
    for (const Wave& wave : m_waves)
        for (const Ask& ask : wave.asks) {
            if (std::exchange(known[{ask.subject, ask.prompt}], true)) continue;
            Wave first;
            first.asks = {{ask.subject, ask.prompt, kTokens}};
            first.pages = pagesOf(first.asks);
            alone.push_back(std::move(first));
        }
    m_waves.insert(m_waves.begin(), std::make_move_iterator(alone.begin()), std::make_move_iterator(alone.end()));
}

void IsolationCheck::planCrowds() {
    const int count = static_cast<int>(m_subjects.size());
    const auto add = [this](int scene, std::vector<Ask> asks) {
        Wave wave;
        wave.scene = scene;
        wave.pages = pagesOf(asks);
        wave.asks = std::move(asks);
        m_waves.push_back(std::move(wave));
    };
    // Everyone at once; answers of different lengths leave empty places between those that go on.
    std::vector<Ask> crowd;
    for (int i = 0; i < count; ++i) {
        crowd.push_back({i, kSharedPrompt, kTokens - (3 * i) % (kTokens - 1)});
        crowd.push_back({i, 1 + i, kTokens - (5 * i + 2) % (kTokens - 1)});
    }
    add(addScene("crowd"), crowd);
    const int ends = addScene("ends");
    for (int first = 0; first < count; ++first) {
        std::vector<Ask> turned;
        for (int i = 0; i < count; ++i) turned.push_back({(first + i) % count, kSharedPrompt, kTokens});
        turned.push_back({first, 1 + first, kTokens});
        add(ends, std::move(turned));
    }
    if (count < 2) return;
    const int beside = addScene("base_beside");
    for (int i = 1; i < count; ++i)
        add(beside, {{0, kSharedPrompt, kTokens}, {i, kSharedPrompt, kTokens}, {0, 1, kTokens}, {i, 1 + i, kTokens}});
}

// A pool for one at a time: who comes next takes the pages of who was there, and a text as long as the pool takes all.
void IsolationCheck::planEviction() {
    const int scene = addScene("eviction");
    std::int32_t pages = 0;
    for (int i = 0; i < static_cast<int>(m_subjects.size()); ++i)
        pages = std::max(pages, pagesOf({{i, kSharedPrompt, kTokens}}));
    const std::int32_t room = pages * kTokensPerPage;
    const int filler = addPrompt(std::min(room, m_context) - kTokens - 1, false);
    const auto fillers = static_cast<std::size_t>(std::max(1, room / std::max(1, m_context)));
    bool isFirst = true;
    const auto add = [&](std::vector<Ask> asks) {
        Wave wave;
        wave.scene = scene;
        wave.asks = std::move(asks);
        wave.pages = std::exchange(isFirst, false) ? pages : 0;
        wave.prefixCache = true;
        m_waves.push_back(std::move(wave));
    };
    for (int i = 0; i < static_cast<int>(m_subjects.size()); ++i) {
        add({{i, kSharedPrompt, kTokens}});
        add(std::vector<Ask>(fillers, Ask{0, filler, 1}));
        add({{i, kSharedPrompt, kTokens}});
    }
    m_waves.back().ends = true;
}

void IsolationCheck::planPrefixCache() {
    const int prompt = addPrompt(kCachedBlocks * kTokensPerPage + 5, false);
    if (std::ssize(m_prompts[static_cast<std::size_t>(prompt)]) <= kTokensPerPage) return;  // no block to find
    const int scene = addScene("prefix_cache");
    const int count = static_cast<int>(m_subjects.size());
    std::vector<Ask> all;
    for (int i = 0; i < 2 * count; ++i) all.push_back({i % count, prompt, kTokens});
    std::int32_t pages = pagesOf(all);
    const auto add = [&](int subject, const char* tenant, Cached cached) {
        Wave wave;
        wave.scene = scene;
        wave.asks = {{subject, prompt, kTokens, tenant, cached}};
        wave.pages = std::exchange(pages, 0);
        wave.prefixCache = true;
        m_waves.push_back(std::move(wave));
    };
    for (int i = 0; i < count; ++i) {
        add(i, "isolation-a", Cached::Nothing);
        add(i, "isolation-b", Cached::Nothing);
    }
    // That it was nothing because nothing may be found, and not because nothing is kept.
    for (int i = 0; i < count; ++i) add(i, i % 2 ? "isolation-a" : "isolation-b", Cached::Something);
}

Result<void> IsolationCheck::begin(const Wave& wave, Backend& backend, Transformer& transformer, const Clock& clock) {
    if (wave.pages > 0) {
        m_loop.reset();
        ServingOptions options;
        options.poolPages = wave.pages;
        options.maxBatchTokens = transformer.maxBatchTokens();
        options.kvType = m_kvType;
        options.prefixCache = wave.prefixCache;
        TRY_ASSIGN(m_loop, ServingLoop::create(backend, transformer, nullptr, options, clock));
        m_transformer = &transformer;
    }
    m_answers.clear();
    for (std::size_t i = 0; i < wave.asks.size(); ++i) {
        const Ask& ask = wave.asks[i];
        Request request;
        request.id = {i + 1};
        request.kind = m_kind;
        request.tenant = ask.tenant;
        request.adapter = m_subjects[static_cast<std::size_t>(ask.subject)].adapter;
        request.prompt = m_prompts[static_cast<std::size_t>(ask.prompt)];
        request.maxTokens = ask.maxTokens;
        request.logprobs = m_kind == RequestKind::Generate ? kTop : -1;
        Answer* answer = m_answers.emplace_back(std::make_unique<Answer>()).get();
        request.sink = [answer](const Chunk& chunk) { answer->take(chunk); };
        TRY(m_loop->submit(std::move(request)));
    }
    return {};
}

Result<bool> IsolationCheck::step(Backend& backend, Transformer& transformer, const Clock& clock) {
    if (m_waves.empty()) plan(transformer.spec());
    if (m_at == m_waves.size()) return false;
    const Wave& wave = m_waves[m_at];
    if (m_transformer && m_transformer != &transformer)
        return fail(ErrorCode::Busy, "the model was loaded anew during the isolation check");
    if (!std::exchange(m_isServing, true)) {
        TRY(begin(wave, backend, transformer, clock));
    }
    if (m_loop->step()) return true;
    m_isServing = false;
    TRY(settle(wave));
    if (++m_at < m_waves.size()) return true;
    stop();
    return false;
}

Result<void> IsolationCheck::settle(const Wave& wave) {
    for (std::size_t i = 0; i < wave.asks.size(); ++i) {
        const Answer& answer = *m_answers[i];
        if (answer.error) return *answer.error;
        if (!answer.finish) return fail(ErrorCode::Internal, "a request of the isolation check never ended");
        if (wave.scene >= 0)
            compare(wave, i);
        else
            m_alone[{wave.asks[i].subject, wave.asks[i].prompt}] = answer;
    }
    if (wave.ends) settleLoop(m_scenes[static_cast<std::size_t>(wave.scene)]);
    return {};
}

void IsolationCheck::compare(const Wave& wave, std::size_t i) {
    const Ask& ask = wave.asks[i];
    const Answer& alone = m_alone.at({ask.subject, ask.prompt});
    const Answer& here = *m_answers[i];
    IsolationScene& scene = m_scenes[static_cast<std::size_t>(wave.scene)];
    ++scene.compared;
    const std::string who = m_subjects[static_cast<std::size_t>(ask.subject)].name + ", number " +
                            std::to_string(i + 1) + " of " + std::to_string(wave.asks.size()) + ": ";
    const auto wanted = std::min<std::size_t>(alone.ids.size(), static_cast<std::size_t>(ask.maxTokens));
    if (here.ids.size() != wanted)
        return wrong(scene, who + std::to_string(here.ids.size()) + " tokens instead of " + std::to_string(wanted));
    for (std::size_t k = 0; k < wanted; ++k)
        if (here.ids[k] != alone.ids[k])
            return wrong(scene, who + "token " + std::to_string(k + 1) + " is " + std::to_string(here.ids[k]) +
                                    " instead of " + std::to_string(alone.ids[k]));
    for (std::size_t k = 0; k < here.bits.size(); ++k)
        if (k >= alone.bits.size() || here.bits[k] != alone.bits[k])
            return wrong(scene, who + "value " + std::to_string(k + 1) + " has the bits " + bitsText(here.bits[k]) +
                                    " instead of " +
                                    (k < alone.bits.size() ? bitsText(alone.bits[k]) : std::string("none")));
    if (ask.cached == Cached::Nothing && here.cached > 0)
        return wrong(scene, who + std::to_string(here.cached) + " tokens of another's prompt were found");
    if (ask.cached == Cached::Something && here.cached == 0)
        return wrong(scene, who + "nothing of its own prompt was found, so that nothing is shown about others'");
}

// The scene shows something only when pages did change hands.
void IsolationCheck::settleLoop(IsolationScene& scene) {
    const ServingCounters counters = m_loop->stats().counters;
    const bool hasAdapters = m_subjects.size() > 1;
    if (hasAdapters && counters.adapterEvictions == 0) wrong(scene, "no adapter was evicted, so that nothing is shown");
    if (m_isCausal && counters.prefixEvictedPages == 0)
        wrong(scene, "no page was used again, so that nothing is shown");
    if (const auto order = m_loop->checkIntegrity(); !order) wrong(scene, "the pages: " + order.error().message);
}

void IsolationCheck::wrong(IsolationScene& scene, std::string what) {
    scene.passed = false;
    if (scene.detail.empty()) scene.detail = std::move(what);
}

}  // namespace espalier

// SPDX-License-Identifier: GPL-3.0-or-later
#include "tests/support/fake_engine.h"

#include <algorithm>

#include "core/compute/reference/reference_backend.h"

namespace espalier::test {
namespace {

constexpr std::int32_t kContext = 64;
constexpr TokenId kEnd = 256;

// Token id = byte; 256 ends an answer.
class ByteTokenizer final : public Tokenizer {
public:
    Result<std::vector<TokenId>> encode(std::string_view text, const EncodeOptions&) const override {
        std::vector<TokenId> ids;
        for (const char c : text) ids.push_back(static_cast<unsigned char>(c));
        return ids;
    }
    Result<std::string> decode(std::span<const TokenId> ids, bool) const override {
        std::string text;
        for (const TokenId id : ids) {
            TRY_ASSIGN(const std::string piece, decodePiece(id, false, false));
            text += piece;
        }
        return text;
    }
    Result<std::string> decodePiece(TokenId id, bool, bool) const override {
        if (id < 0 || id > kEnd) return fail(ErrorCode::InvalidArgument, "no token " + std::to_string(id));
        return id == kEnd ? std::string() : std::string(1, static_cast<char>(id));
    }
    std::int64_t vocabularySize() const override { return kEnd + 1; }
    std::optional<TokenId> idOf(std::string_view token) const override {
        if (token.size() != 1) return std::nullopt;
        return static_cast<unsigned char>(token[0]);
    }
    std::optional<std::string> tokenOf(TokenId id) const override { return std::string(1, static_cast<char>(id)); }
    bool isSpecial(TokenId id) const override { return id == kEnd; }
};

class LastContentTemplate final : public ChatTemplate {
public:
    Result<RenderedChat> render(const ChatInput& input) const override {
        const Json& last = input.messages.back();
        const auto content = last.find("content");
        if (content == last.end() || !content->is_string())
            return fail(ErrorCode::InvalidArgument, "the template wants text");
        return RenderedChat{">" + content->get<std::string>(), {}};
    }
    bool usesTools() const override { return false; }
};

}  // namespace

class FakeEngine::Listener final : public Subscription {
public:
    Listener(FakeEngine& engine, int id) : m_engine(engine), m_id(id) {}
    ~Listener() override {
        const std::lock_guard lock(m_engine.m_mutex);
        m_engine.m_sinks.erase(m_id);
    }

private:
    FakeEngine& m_engine;
    int m_id;
};

FakeEngine::FakeEngine(Path workspace) {
    m_options.workspace = std::move(workspace);
    m_model.id = "m-00000000fake";
    m_model.name = "fake";
    m_model.digest = "sha256:0";
    m_model.family = "llama";
    m_model.context = kContext;
    m_model.hasTokenizer = m_model.hasChatTemplate = true;
    m_model.spec.family = "llama";
    m_model.spec.vocabulary = kEnd + 1;
    m_model.spec.architecture = "LlamaForCausalLM";
    m_model.spec.hidden = m_model.spec.headDim = m_model.spec.rope.rotaryDim = 4;
    m_model.spec.layers = {{1, 1, 8}};
    m_model.spec.context = kContext;
    m_model.spec.eosIds = {kEnd};
    TextModel text;
    text.tokenizer = std::make_shared<ByteTokenizer>();
    text.chatTemplate = std::make_shared<LastContentTemplate>();
    m_text = std::make_shared<const TextModel>(std::move(text));
    m_backend = makeReferenceBackend();
    m_job.id = 1;
    m_job.kind = "import";
    m_job.state = JobState::Running;
    m_tenants = std::move(*Tenants::open(
        nullptr, m_clock,
        {[this](TenantChanged change) { publish(std::move(change)); },
         [this](std::string text) { log("info", "tenants", text); }, [this](RequestId id) { cancel(id); }}));
    m_thread = std::jthread([this](std::stop_token stop) { work(stop); });
}

FakeEngine::~FakeEngine() = default;

void FakeEngine::set(FakeScript script) {
    const std::lock_guard lock(m_mutex);
    m_script = std::move(script);
    m_changed.notify_all();
}

void FakeEngine::release() {
    const std::lock_guard lock(m_mutex);
    m_script.hold = false;
    m_changed.notify_all();
}

std::vector<Request> FakeEngine::submitted() const {
    const std::lock_guard lock(m_mutex);
    return m_submitted;
}

int FakeEngine::cancelled() const {
    const std::lock_guard lock(m_mutex);
    return m_cancelled;
}

int FakeEngine::imports() const {
    const std::lock_guard lock(m_mutex);
    return m_imports;
}

std::vector<Result<AdapterRecord>> FakeEngine::importAdapters(std::span<const AdapterImport> requests,
                                                              const std::stop_token& stop) {
    std::unique_lock lock(m_mutex);
    ++m_imports;
    m_changed.wait(lock, stop, [&] { return !m_script.hold; });
    --m_imports;
    std::vector<Result<AdapterRecord>> answers;
    for (const AdapterImport& request : requests)
        answers.push_back(stop.stop_requested() ? fail(ErrorCode::Cancelled, "stopped") : noAdapter(request.path));
    return answers;
}

bool FakeEngine::waitUntil(const std::function<bool()>& reached) const {
    for (int i = 0; i < 1000; ++i) {
        if (reached()) return true;
        std::this_thread::sleep_for(std::chrono::milliseconds(10));
    }
    return reached();
}

Result<ModelRecord> FakeEngine::findModel(std::string_view nameOrId) const {
    if (nameOrId == m_model.name || nameOrId == m_model.id) return m_model;
    return fail(ErrorCode::NotFound, "there is no model " + std::string(nameOrId) + "; known: fake");
}

Result<void> FakeEngine::removeModel(std::string_view nameOrId) {
    TRY(findModel(nameOrId));
    return {};
}

Result<std::shared_ptr<const TensorSource>> FakeEngine::tensors(std::string_view) const {
    return fail(ErrorCode::Unsupported, "the fake model has no tensors");
}

Result<std::shared_ptr<const TextModel>> FakeEngine::text(std::string_view nameOrId) const {
    TRY(findModel(nameOrId));
    return m_text;
}

Result<ImportProbe> FakeEngine::probeImport(const Path& path) const {
    ImportProbe probe;
    probe.path = path.string();
    return probe;
}

Result<std::int64_t> FakeEngine::startImport(const ImportRequest& request) {
    if (request.path.empty()) return fail(ErrorCode::InvalidArgument, "no path");
    return m_job.id;
}

std::vector<JobRecord> FakeEngine::jobs() const {
    const std::lock_guard lock(m_mutex);
    return {m_job};
}

Result<JobRecord> FakeEngine::job(std::int64_t id) const {
    const std::lock_guard lock(m_mutex);
    if (id != m_job.id) return fail(ErrorCode::NotFound, "there is no job " + std::to_string(id));
    return m_job;
}

Result<void> FakeEngine::cancelJob(std::int64_t id) {
    TRY(job(id));
    JobRecord ended;
    {
        const std::lock_guard lock(m_mutex);
        m_job.state = JobState::Cancelled;
        ended = m_job;
    }
    publish(ended);
    return {};
}

Result<RequestId> FakeEngine::submit(std::string_view model, Request request) {
    TRY(findModel(model));
    const std::lock_guard lock(m_mutex);
    if (m_state != ServeState::Serving) return fail(ErrorCode::Draining, "the daemon is draining");
    if (m_script.refusal && static_cast<std::int32_t>(m_submitted.size()) >= m_script.refusedFrom)
        return *m_script.refusal;
    request.id = RequestId{m_submitted.size() + 1};
    if (!request.call) {
        TRY_ASSIGN(request.call, m_tenants->admit({request.tenant, model, 1, std::ssize(request.prompt)}));
    }
    TRY(m_tenants->begin(request));
    Request shown = request;
    shown.sink = nullptr;
    m_submitted.push_back(std::move(shown));
    m_arrived.push_back({std::move(request)});
    ++m_runningCount;
    m_changed.notify_all();
    return m_submitted.back().id;
}

void FakeEngine::cancel(RequestId id) {
    const std::lock_guard lock(m_mutex);
    m_toCancel.push_back(id);
    m_changed.notify_all();
}

Result<void> FakeEngine::setServing(ServeState state) {
    const std::lock_guard lock(m_mutex);
    m_state = state;
    if (m_state == ServeState::Draining && m_runningCount == 0) m_state = ServeState::Stopped;
    if (state == ServeState::Stopped)
        for (std::uint64_t id = 1; id <= m_submitted.size(); ++id) m_toCancel.push_back(RequestId{id});
    m_changed.notify_all();
    return {};
}

ServeState FakeEngine::serving() const {
    const std::lock_guard lock(m_mutex);
    return m_state;
}

std::shared_ptr<const Snapshot> FakeEngine::snapshot() const {
    const std::lock_guard lock(m_mutex);
    auto snapshot = std::make_shared<Snapshot>();
    snapshot->serve = m_state;
    snapshot->running = m_runningCount;
    snapshot->counters["prompt_tokens_total"] = 7;
    snapshot->device = "fake";
    snapshot->computeMode = "f32";
    return snapshot;
}

std::vector<HistoryPoint> FakeEngine::history(std::int64_t) const {
    return std::vector<HistoryPoint>(1);
}

void FakeEngine::publish(Event event) {
    const std::lock_guard lock(m_mutex);
    m_events.push_back({static_cast<std::int64_t>(m_events.size()) + 1, std::move(event)});
    for (const auto& [id, sink] : m_sinks) sink(m_events.back());
}

// The ring of the fake holds the newest hundred events.
Result<std::vector<NumberedEvent>> FakeEngine::eventsAfter(std::int64_t sequence) const {
    const std::lock_guard lock(m_mutex);
    const auto size = static_cast<std::int64_t>(m_events.size());
    if (sequence > size || sequence < size - 100) return fail(ErrorCode::NotFound, "these events are gone");
    return std::vector<NumberedEvent>(m_events.begin() + sequence, m_events.end());
}

std::int64_t FakeEngine::lastSequence() const {
    const std::lock_guard lock(m_mutex);
    return static_cast<std::int64_t>(m_events.size());
}

std::unique_ptr<Subscription> FakeEngine::subscribe(EventSink sink) {
    const std::lock_guard lock(m_mutex);
    m_sinks[m_nextSink] = std::move(sink);
    return std::make_unique<Listener>(*this, m_nextSink++);
}

void FakeEngine::log(std::string_view level, std::string_view source, std::string_view text) {
    publish(LogRecord{1, std::string(level), std::string(source), std::string(text)});
}

std::vector<LogRecord> FakeEngine::newestLog(std::size_t) const {
    const std::lock_guard lock(m_mutex);
    std::vector<LogRecord> records;
    for (const NumberedEvent& event : m_events)
        if (const auto* record = std::get_if<LogRecord>(&event.event)) records.push_back(*record);
    return records;
}

Result<RequestList> FakeEngine::requests(std::int32_t most) const {
    const std::lock_guard lock(m_mutex);
    RequestList list;
    list.total = static_cast<std::int64_t>(m_submitted.size());
    for (const Request& request : m_submitted) {
        if (list.requests.size() == static_cast<std::size_t>(most)) break;
        RequestRecord& record = list.requests.emplace_back();
        record.id = static_cast<std::int64_t>(request.id.value);
        record.model = "fake";
        record.promptTokens = static_cast<std::int32_t>(request.prompt.size());
    }
    return list;
}

Result<PageMap> FakeEngine::pageMap(std::string_view model, std::int32_t mostCells) const {
    TRY(findModel(model));
    const std::vector<PageOwner> owners(64, PageOwner::Kv);
    return mapPages(owners, std::vector<std::int64_t>(64, 7), mostCells);
}

Result<std::vector<StepRecord>> FakeEngine::steps(std::int32_t most) const {
    const std::lock_guard lock(m_mutex);
    std::vector<StepRecord> steps;
    for (std::int64_t i = 1; i <= std::min<std::int64_t>(most, std::ssize(m_submitted)); ++i)
        steps.push_back({.sequence = i, .at = i, .seconds = 0.001, .promptRows = 1, .model = "fake"});
    return steps;
}

const Backend& FakeEngine::backend() const {
    return *m_backend;
}

void FakeEngine::work(std::stop_token stop) {
    std::vector<Running> running;
    while (!stop.stop_requested()) {
        FakeScript script;
        {
            std::unique_lock lock(m_mutex);
            m_changed.wait(lock, stop, [&] {
                return !m_arrived.empty() || !m_toCancel.empty() || (!running.empty() && !m_script.hold);
            });
            script = m_script;
            std::move(m_arrived.begin(), m_arrived.end(), std::back_inserter(running));
            m_arrived.clear();
            for (Running& one : running)
                one.cancelled |= std::find(m_toCancel.begin(), m_toCancel.end(), one.request.id) != m_toCancel.end();
            m_toCancel.clear();
        }
        if (script.pause.count() > 0) std::this_thread::sleep_for(script.pause);
        std::erase_if(running, [&](Running& one) { return advance(one, script); });
    }
    for (Running& one : running) one.request.sink(lastChunk(one, FinishReason::Cancelled));
}

Chunk FakeEngine::lastChunk(const Running& running, FinishReason reason) const {
    Chunk chunk;
    chunk.id = running.request.id;
    chunk.finish = reason;
    chunk.usage.promptTokens = static_cast<std::int32_t>(running.request.prompt.size());
    chunk.usage.completionTokens = static_cast<std::int32_t>(running.sent);
    chunk.timing = {1.0, 2.0, 100.0, 20.0};
    return chunk;
}

// Sends the next chunk of one request; true when it was the last.
bool FakeEngine::advance(Running& running, const FakeScript& script) {
    const Request& request = running.request;
    const auto end = [&](Chunk chunk) {
        {
            const std::lock_guard lock(m_mutex);
            --m_runningCount;
            m_cancelled += chunk.finish == FinishReason::Cancelled ? 1 : 0;
            if (m_state == ServeState::Draining && m_runningCount == 0) m_state = ServeState::Stopped;
        }
        request.sink(chunk);
        return true;
    };
    if (running.cancelled) return end(lastChunk(running, FinishReason::Cancelled));
    const bool fails = script.failedChoice < 0
                           ? !script.hold
                           : request.sampling.choice == static_cast<std::uint32_t>(script.failedChoice);
    if (script.hold && !fails) return false;
    if (script.failure && fails) {
        Chunk chunk = lastChunk(running, FinishReason::Failed);
        chunk.error = script.failure;
        return end(std::move(chunk));
    }
    if (request.kind == RequestKind::Embed) {
        Chunk chunk = lastChunk(running, FinishReason::Stop);
        chunk.embedding = {1.0f, 2.0f, 3.0f, static_cast<float>(request.prompt.size())};
        return end(std::move(chunk));
    }
    if (request.kind == RequestKind::Score) {
        Chunk chunk = lastChunk(running, FinishReason::Stop);
        for (std::size_t i = 1; i < request.prompt.size(); ++i)
            chunk.logprobs.push_back({request.prompt[i], -1.0f, {}});
        return end(std::move(chunk));
    }
    const bool endless = script.endlessBytes > 0;
    const bool full = static_cast<std::int32_t>(running.sent) >= request.maxTokens;
    if (!endless && (full || running.sent >= script.answer.size()))
        return end(lastChunk(running,
                             full && running.sent < script.answer.size() ? FinishReason::Length : FinishReason::Stop));
    Chunk chunk;
    chunk.id = request.id;
    const char letter = endless ? 'x' : script.answer[running.sent];
    const TokenId token = static_cast<unsigned char>(letter);
    chunk.text = endless ? std::string(script.endlessBytes, letter) : std::string(1, letter);
    chunk.ids = {token};
    if (request.logprobs >= 0) {
        TokenLogprob logprob{token, -0.5f, {}};
        for (std::int32_t k = 0; k < request.logprobs; ++k)
            logprob.top.emplace_back(token + k, -0.5f - static_cast<float>(k));
        chunk.logprobs.push_back(std::move(logprob));
    }
    ++running.sent;
    request.sink(chunk);
    return false;
}

}  // namespace espalier::test

// SPDX-License-Identifier: GPL-3.0-or-later
#include "core/api/daemon.h"

#include <unistd.h>

#include <condition_variable>
#include <filesystem>
#include <mutex>
#include <thread>

#include "core/api/control.h"
#include "core/api/control_routes.h"
#include "core/api/daemon_file.h"
#include "core/api/metrics.h"
#include "core/api/openai_routes.h"

namespace espalier {
namespace {

constexpr std::size_t kMaxWorkers = 64;
constexpr std::size_t kMaxQueuedWork = 1024;
constexpr std::size_t kAnswerWorkers = 4;  // they build JSON and never wait
constexpr std::chrono::milliseconds kDrainCheck{10};
constexpr std::chrono::milliseconds kLastChunks{2'000};  // what the cut-off answers have to say so to their clients

class WorkspaceDaemon final : public Daemon {
public:
    WorkspaceDaemon(const DaemonOptions& options, Engine& engine, FileSystem& files, const Clock& clock,
                    std::shared_ptr<const ChatTemplate> fallback)
        : m_options(options), m_engine(engine), m_files(files), m_clock(clock), m_models(engine, files, fallback) {}
    ~WorkspaceDaemon() override { drain(); }

    Result<void> begin() {
        TRY_ASSIGN(const std::string key, loadOrMakeAdminKey(m_files, keyFile()));
        TRY(m_answerers.run([] {}));  // their first thread: from here on one is there
        m_router.emplace(Keys(key, m_engine.tenants()), m_workers.queue(), m_longWorkers.queue(), m_options.corsOrigin);
        HttpServerOptions http = m_options.http;
        http.commonHeaders = m_router->commonHeaders();
        TRY_ASSIGN(m_server, HttpServer::listen(http, *m_router));
        m_url = m_server->url();
        m_control.emplace(m_models, m_clock,
                          ControlHost{m_url, m_clock.unixMilliseconds(), [this] { requestShutdown(); }});
        m_events.emplace(m_engine);
        TRY_ASSIGN(auto adapterFolders, foldersOfAdapters());
        m_router->add(openAiRoutes(
            {m_models, m_clock, std::make_shared<RequestMetrics>(), m_answerers.queue(), std::move(adapterFolders)}));
        m_router->add(controlRoutes(*m_control, *m_events));
        TRY(m_engine.setServing(ServeState::Serving));
        m_server->start();
        TRY(writeDaemonFile(m_files, m_engine.options().workspace,
                            {m_url, ::getpid(), keyFile(), certificate(), startOf(::getpid())}));
        m_engine.log("info", "api", "serving on " + m_url);
        return {};
    }

    std::string url() const override { return m_url; }
    std::string keyFile() const override {
        return std::filesystem::absolute(m_engine.options().workspace / kAdminKeyFile).string();
    }

    void waitForShutdown(std::stop_token stop) override {
        std::unique_lock lock(m_mutex);
        m_shutdownAsked.wait(lock, stop, [&] { return m_shutdown; });
    }

    void drain() override {
        if (!m_server || !m_events) return;
        m_engine.log("info", "api", "draining");
        (void)m_engine.setServing(ServeState::Draining);
        if (!waitWhileBusy(m_options.drainTimeout)) {
            (void)m_engine.setServing(ServeState::Stopped);  // what still runs ends as cancelled
            waitWhileBusy(kLastChunks);
        }
        m_server->stopListening();
        m_events->end();
        m_server->stop();  // whoever is still there hangs up: their requests are cancelled
        (void)removeDaemonFile(m_files, m_engine.options().workspace);
        m_server.reset();
    }

private:
    bool busy() const {
        return m_engine.serving() == ServeState::Draining || m_server->exchanges() > m_events->clients();
    }

    // False: busy to the end of that time.
    bool waitWhileBusy(std::chrono::milliseconds most) const {
        const auto deadline = std::chrono::steady_clock::now() + most;
        while (busy() && std::chrono::steady_clock::now() < deadline) std::this_thread::sleep_for(kDrainCheck);
        return !busy();
    }

    // None are named: everywhere, unless the network reaches the port.
    Result<std::optional<std::vector<Path>>> foldersOfAdapters() const {
        const std::string& host = m_options.http.host;
        const bool isThisMachine = host == "localhost" || host == "::1" || host.starts_with("127.");
        if (m_options.adapterFolders.empty() && isThisMachine) return std::optional<std::vector<Path>>();
        std::vector<Path> folders;
        for (const std::string& name : m_options.adapterFolders) {
            std::error_code failed;
            folders.push_back(std::filesystem::canonical(name, failed));
            if (failed) return fail(ErrorCode::NotFound, "the adapter folder " + name + ": " + failed.message(), name);
        }
        return std::optional(std::move(folders));
    }

    std::string certificate() const {
        const Path& file = m_options.http.tlsCertificate;
        return file.empty() ? std::string() : std::filesystem::absolute(file).string();
    }

    void requestShutdown() {
        const std::lock_guard lock(m_mutex);
        m_shutdown = true;
        m_shutdownAsked.notify_all();
    }

    const DaemonOptions m_options;
    Engine& m_engine;
    FileSystem& m_files;
    const Clock& m_clock;
    const ModelAccess m_models;
    std::optional<LocalControl> m_control;
    std::optional<EventStreams> m_events;
    std::optional<Router> m_router;
    Workers m_answerers{kAnswerWorkers, SIZE_MAX, 1};
    Workers m_workers{kMaxWorkers, kMaxQueuedWork}, m_longWorkers{kMaxWorkers, 0};
    std::unique_ptr<HttpServer> m_server;
    std::string m_url;
    std::mutex m_mutex;
    std::condition_variable_any m_shutdownAsked;
    bool m_shutdown = false;
};

}  // namespace

Result<std::unique_ptr<Daemon>> Daemon::start(const DaemonOptions& options, Engine& engine, FileSystem& files,
                                              const Clock& clock) {
    std::shared_ptr<const ChatTemplate> fallback;
    if (!options.chatTemplate.empty()) {
        TRY_ASSIGN(fallback, ChatTemplate::parse(options.chatTemplate, "--chat-template"));
    }
    auto daemon = std::make_unique<WorkspaceDaemon>(options, engine, files, clock, std::move(fallback));
    TRY(daemon->begin());
    return std::unique_ptr<Daemon>(std::move(daemon));
}

}  // namespace espalier

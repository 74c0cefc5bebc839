// SPDX-License-Identifier: GPL-3.0-or-later
#include <unistd.h>

#include <optional>
#include <thread>

#include "app/cli/commands.h"
#include "core/api/daemon.h"
#include "core/api/daemon_file.h"
#include "core/api/protocol.h"
#include "core/compute/measure.h"
#include "core/engine/speed_record.h"

namespace espalier::cli {
namespace {

constexpr const char* kChatMl =
    "{% for message in messages %}{{ '<|im_start|>' + message['role'] + '\\n' + message['content'] + '<|im_end|>' + "
    "'\\n' }}{% endfor %}{% if add_generation_prompt %}{{ '<|im_start|>assistant\\n' }}{% endif %}";
constexpr std::uint64_t kMaxTemplateBytes = 1 << 20;
constexpr std::chrono::milliseconds kStopCheck{50};
constexpr std::chrono::seconds kStopTimeout{60};
constexpr std::chrono::seconds kHandOver{10};

struct ServeOptions {
    std::string host = "127.0.0.1";
    std::uint16_t port = kDefaultPort;
    std::vector<std::string> models, adapterFolders;
    std::int64_t poolMiB = 0, memoryMiB = 0, hostCacheMiB = 0;
    std::int32_t maxBatchTokens = 256, maxSequences = 64;
    bool noPrefixCache = false, noPrefetch = false, stop = false;
    std::string tlsCertificate, tlsKey, cors, chatTemplate;
};
struct JobOptions {
    std::int64_t id = 0;
};

Result<std::string> chatTemplateSource(Session& session, const std::string& given) {
    if (given.empty()) return std::string();
    if (given == "chatml") return std::string(kChatMl);
    return session.files().readText(given, kMaxTemplateBytes);
}

Result<DaemonOptions> daemonOptions(Session& session, const ServeOptions& options) {
    DaemonOptions daemon;
    daemon.http.host = options.host;
    daemon.http.port = options.port;
    daemon.http.tlsCertificate = options.tlsCertificate;
    daemon.http.tlsKey = options.tlsKey;
    daemon.corsOrigin = options.cors;
    daemon.adapterFolders = options.adapterFolders;
    TRY_ASSIGN(daemon.chatTemplate, chatTemplateSource(session, options.chatTemplate));
    return daemon;
}

Result<void> stopDaemon(Session& session) {
    TRY_ASSIGN(const auto address, readDaemonFile(session.files(), session.workspace()));
    if (!address) {
        session.console().note("no daemon runs on " + session.workspace().string());
        if (session.console().json) session.console().document({{"stopped", false}});
        return {};
    }
    TRY(session.call(Use::Read, "shutdown", Json::object()));
    const auto deadline = std::chrono::steady_clock::now() + kStopTimeout;
    // The file goes first, the lock of the workspace with the process: the next command wants both gone.
    while (session.files().exists(session.workspace() / kDaemonFile) || isRunning(address->pid)) {
        if (std::chrono::steady_clock::now() > deadline)
            return fail(ErrorCode::Busy, "the daemon (pid " + std::to_string(address->pid) + ") is still draining");
        std::this_thread::sleep_for(kStopCheck);
    }
    if (session.console().json) session.console().document({{"stopped", true}, {"pid", address->pid}});
    session.console().note("stopped the daemon (pid " + std::to_string(address->pid) + ")");
    return {};
}

// A daemon that ends takes its file away first and lets go of the lock with its last breath: the next one waits for it.
Result<Engine*> openAfterTheLast(Session& session, const EngineOptions& options) {
    const auto deadline = std::chrono::steady_clock::now() + kHandOver;
    while (true) {
        auto engine = session.openEngine(options);
        const bool passes = !engine && engine.error().code == ErrorCode::Locked &&
                            !session.files().exists(session.workspace() / kDaemonFile);
        if (!passes || session.stop().stop_requested() || std::chrono::steady_clock::now() > deadline) return engine;
        std::this_thread::sleep_for(kStopCheck);
    }
}

// So that speeds of models are predicted from the first start on; none where they are known, or cannot be had.
std::optional<MachineSpeed> measuredOnce(Session& session) {
    const auto backend = session.backend();
    if (!backend) return std::nullopt;
    const std::string device = (*backend)->device().name;
    const bool isKnown = machineSpeed(session.files(), session.workspace(), device).has_value();
    if (isKnown || session.files().exists(session.workspace() / kDaemonFile)) return std::nullopt;
    const auto machine = measureMachine(**backend);
    if (!machine) return std::nullopt;
    return MachineSpeed{device, machine->readGigabytesPerSecond, machine->fmaGflops,
                        session.clock().unixMilliseconds()};
}

Result<void> runServe(Session& session, const ServeOptions& options) {
    if (options.stop) return stopDaemon(session);
    TRY_ASSIGN(EngineOptions engineOptions, session.engineOptions());
    engineOptions.poolBytes = options.poolMiB << 20;
    engineOptions.memoryBudget = options.memoryMiB << 20;
    engineOptions.hostCacheBytes = options.hostCacheMiB << 20;
    engineOptions.maxBatchTokens = options.maxBatchTokens;
    engineOptions.maxSequences = options.maxSequences;
    engineOptions.prefixCache = !options.noPrefixCache;
    engineOptions.prefetch = !options.noPrefetch;
    engineOptions.preload = options.models;
    engineOptions.stderrLog = session.console().quiet ? LogLevel::Error : LogLevel::Info;
    TRY_ASSIGN(const DaemonOptions daemonSettings, daemonOptions(session, options));
    const std::optional<MachineSpeed> speed = measuredOnce(session);
    TRY_ASSIGN(Engine * engine, openAfterTheLast(session, engineOptions));
    if (speed)
        if (const auto kept = keepMachineSpeed(session.files(), session.workspace(), *speed); !kept)
            session.console().note("the machine's speed was not kept: " + kept.error().message);
    TRY_ASSIGN(const auto daemon, Daemon::start(daemonSettings, *engine, session.files(), session.clock()));
    const Json facts{{"url", daemon->url()}, {"pid", ::getpid()}, {"admin_key_file", daemon->keyFile()}};
    if (session.console().json)
        session.console().line(facts);
    else
        session.console().text("serving on " + daemon->url() + "\nadmin key in " + daemon->keyFile() + "\n");
    std::fflush(stdout);
    daemon->waitForShutdown(session.stop());
    session.console().note("draining");
    daemon->drain();
    return {};
}

Result<void> runStatus(Session& session, const NoOptions&) {
    TRY_ASSIGN(const Json status, session.call(Use::Read, "status", Json::object()));
    const Console& console = session.console();
    if (console.json) {
        console.document(status);
        return {};
    }
    const Json& daemon = status["daemon"];
    console.text(daemon["running"].get<bool>() ? "daemon   " + daemon["url"].get<std::string>() + ", pid " +
                                                     dumpJson(daemon["pid"]) + ", " + status.value("serve", "") + "\n"
                                               : "daemon   not running\n");
    const Json& pool = status["pool"];
    const Json& adapters = status["adapters"];
    console.text("pool     " + bytesText(pool.value("kv", 0.0)) + " KV of " + bytesText(pool.value("bytes", 0.0)) +
                 "\nadapters " + dumpJson(adapters["pool"]) + " in the pool, " + dumpJson(adapters["host"]) +
                 " in host memory (" + bytesText(adapters.value("host_bytes", 0.0)) + " of " +
                 bytesText(adapters.value("host_budget_bytes", 0.0)) + ")\nqueue    " +
                 dumpJson(status["queue"]["running"]) + " running, " + dumpJson(status["queue"]["waiting"]) +
                 " waiting\nrates    prefill " + fixedText(status["rates"].value("prefill_tokens_per_s", 0.0), 1) +
                 ", decode " + fixedText(status["rates"].value("decode_tokens_per_s", 0.0), 1) + " tokens/s\n");
    std::vector<std::vector<std::string>> rows{{"MODEL", "STATE", "RUNNING", "WAITING"}};
    for (const Json& model : status["models"])
        rows.push_back({model.value("name", ""), model.value("state", ""), dumpJson(model["running"]),
                        dumpJson(model["waiting"])});
    console.table(rows);
    return {};
}

void showJobs(const Console& console, const Json& jobs) {
    std::vector<std::vector<std::string>> rows{{"ID", "KIND", "STATE", "PROGRESS", "WHAT"}};
    for (const Json& job : jobs)
        rows.push_back({dumpJson(job["id"]), job.value("kind", ""), job.value("state", ""),
                        fixedText(job.value("progress", 0.0) * 100, 0) + " %", job.value("title", "")});
    console.table(rows);
}

Result<void> runJobs(Session& session, const NoOptions&) {
    TRY_ASSIGN(const Json answer, session.call(Use::Read, "jobs", Json::object()));
    if (session.console().json)
        session.console().document(answer["jobs"]);
    else
        showJobs(session.console(), answer["jobs"]);
    return {};
}

void showJob(Session& session, const Json& job) {
    if (session.console().json)
        session.console().document(job);
    else
        showJobs(session.console(), Json::array({job}));
}

auto jobAction(const char* operation) {
    return [operation](Session& session, const JobOptions& options) -> Result<void> {
        TRY_ASSIGN(Json job, session.call(Use::Write, operation, {{"id", options.id}}));
        // Without a daemon the job lives in this process: it must end before the process does.
        if (std::string_view(operation) == "job-resume" && !session.isRemote()) {
            TRY_ASSIGN(job, session.followJob(options.id, OnStop::CancelJob));
        }
        showJob(session, job);
        return {};
    };
}

Result<void> runJobWait(Session& session, const JobOptions& options) {
    TRY(session.control(Use::Read));
    TRY_ASSIGN(const Json job, session.followJob(options.id, OnStop::LeaveJob));
    showJob(session, job);
    return {};
}

}  // namespace

void addDaemonCommands(Commands& commands) {
    auto [serve, s] = commands.add<ServeOptions>("serve", "Run the engine daemon with its OpenAI-compatible API",
                                                 "espalierctl serve --model tiny --port 8420", runServe);
    serve->add_option("--host", s->host, "Address to listen on (default 127.0.0.1: this machine only)");
    serve->add_option("--port", s->port, "Port, 0 for any free one (default 8420)");
    serve->add_option("--model", s->models, "Load this model at the start; may be repeated")
        ->expected(1)
        ->multi_option_policy(CLI::MultiOptionPolicy::TakeAll);
    serve->add_option("--pool-mb", s->poolMiB, "KV pool of each loaded model, MiB (default: an eighth of free memory)")
        ->check(CLI::Range(1, 1 << 24));
    serve->add_option("--memory-mb", s->memoryMiB, "Weights and pools in all, MiB (default: 80 % of free memory)")
        ->check(CLI::Range(1, 1 << 24));
    serve
        ->add_option("--host-cache-mb", s->hostCacheMiB,
                     "Host memory for adapters that are ready to be served, MiB (default 1024)")
        ->check(CLI::Range(0, 1 << 24));
    serve
        ->add_option("--adapter-folder", s->adapterFolders,
                     "Folder in which POST /v1/load_lora_adapter may read; may be repeated (default: any, or none with "
                     "a --host that the network reaches)")
        ->check(CLI::ExistingDirectory)
        ->expected(1)
        ->multi_option_policy(CLI::MultiOptionPolicy::TakeAll);
    serve->add_option("--max-batch-tokens", s->maxBatchTokens, "Tokens of one step (default 256)")
        ->check(CLI::Range(1, 65536));
    serve->add_option("--max-sequences", s->maxSequences, "Requests running at once, per model (default 64)")
        ->check(CLI::Range(1, 65536));
    serve->add_flag("--no-prefix-cache", s->noPrefixCache, "Keep nothing of earlier prompts");
    serve->add_flag("--no-prefetch", s->noPrefetch, "Bring adapters when their turn has come, not before");
    auto* certificate = serve->add_option("--tls-cert", s->tlsCertificate, "PEM certificate chain: serve https");
    auto* key = serve->add_option("--tls-key", s->tlsKey, "PEM key of the certificate");
    certificate->needs(key);
    key->needs(certificate);
    serve->add_option("--cors", s->cors, "Origin whose browser pages may call, e.g. http://localhost:3000");
    serve->add_option("--chat-template", s->chatTemplate,
                      "Jinja file, or chatml: for models that have no template of their own");
    serve->add_flag("--stop", s->stop, "Drain and stop the daemon of this workspace instead");

    commands.add<NoOptions>("status", "What the daemon is doing", "espalierctl status --json", runStatus);

    auto [jobs, none] = commands.add<NoOptions>("jobs", "List jobs, or act on one", "espalierctl jobs wait 3", runJobs);
    jobs->require_subcommand(0, 1);
    const auto add = [&commands, parent = jobs](const char* name, const char* what, auto run) {
        auto [command, options] =
            commands.addTo<JobOptions>(*parent, name, what, std::string("espalierctl jobs ") + name + " 3", run);
        command->add_option("id", options->id, "The job's number")->required();
    };
    add("cancel", "Cancel a job", jobAction("job-cancel"));
    add("pause", "Pause a job", jobAction("job-pause"));
    add("resume", "Continue a paused or interrupted job", jobAction("job-resume"));
    add("discard", "Forget an ended or interrupted job and its leftovers", jobAction("job-discard"));
    add("wait", "Wait for a job's end", runJobWait);
}

}  // namespace espalier::cli

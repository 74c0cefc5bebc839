// SPDX-License-Identifier: GPL-3.0-or-later
#include "app/cli/session.h"

#include <algorithm>
#include <cstdlib>
#include <iostream>
#include <iterator>
#include <thread>

#include "core/api/protocol.h"
#include "core/api/remote_control.h"
#include "core/compute/measure.h"

namespace espalier::cli {
namespace {

constexpr std::uint64_t kMaxInputBytes = 1ull << 30;
constexpr std::chrono::milliseconds kFirstJobCheck{5};  // a small job is done at once
constexpr std::chrono::milliseconds kJobCheck{100};

std::string environment(const char* name) {
    const char* value = std::getenv(name);
    return value ? value : "";
}

Path defaultWorkspace() {
    if (const std::string named = environment("ESPALIER_WORKSPACE"); !named.empty()) return named;
    if (const std::string data = environment("XDG_DATA_HOME"); !data.empty()) return Path(data) / "espalier/workspace";
    return Path(environment("HOME")) / ".local/share/espalier/workspace";
}

}  // namespace

Session::Session(GlobalOptions options, Console console, std::stop_token stop)
    : m_options(std::move(options)), m_console(console), m_stop(std::move(stop)), m_files(makeFileSystem()) {}

Session::~Session() = default;

Path Session::workspace() const {
    return std::filesystem::absolute(m_options.workspace.empty() ? defaultWorkspace() : Path(m_options.workspace));
}

Result<CpuOptions> Session::cpuOptions() const {
    CpuOptions cpu;
    cpu.threads = m_options.threads;
    cpu.ownCores = m_options.ownCores;
    for (const IsaLevel level : {IsaLevel::Plain, IsaLevel::Avx2, IsaLevel::Avx512})
        if (m_options.isa == isaName(level)) cpu.isa = level;
    if (cpu.isa && *cpu.isa > bestIsa())
        return fail(
            ErrorCode::Unsupported,
            "this processor does not offer " + m_options.isa + "; its best is " + std::string(isaName(bestIsa())),
            "--isa");
    for (const ComputeMode mode : {ComputeMode::Bf16, ComputeMode::Int8})
        if (m_options.compute == computeModeName(mode)) cpu.compute = mode;
    if (m_options.compute == "auto") {
        TRY_ASSIGN(cpu.compute, fastestComputeMode(cpu));
    }
    return cpu;
}

Result<Backend*> Session::backend() {
    if (m_backend) return m_backend.get();
    if (m_options.backend == "cuda")
        return fail(ErrorCode::Unsupported,
                    "this version serves models on the CPU only; espalierctl doctor shows what the "
                    "CUDA module of this machine can do",
                    "--backend");
    TRY_ASSIGN(const CpuOptions cpu, cpuOptions());
    m_backend = makeCpuBackend(cpu);
    return m_backend.get();
}

Result<EngineOptions> Session::engineOptions() const {
    EngineOptions options;
    options.workspace = workspace();
    const auto kv = dtypeFromName(m_options.kv);
    if (!kv || (*kv != DType::F32 && *kv != DType::BF16 && *kv != DType::F16))
        return fail(ErrorCode::InvalidArgument, "--kv takes f32, bf16 or f16", "--kv");
    options.kvType = *kv;
    return options;
}

Result<Engine*> Session::openEngine(const EngineOptions& options) {
    TRY_ASSIGN(Backend * device, backend());
    TRY_ASSIGN(m_engine, Engine::open(options, *device, *m_files, m_clock));
    return m_engine.get();
}

Result<ControlPort*> Session::control(Use use) {
    if (m_control) return m_control.get();
    TRY_ASSIGN(m_control, runningDaemon(*m_files, workspace()));
    m_remote = m_control != nullptr;
    if (m_remote) return m_control.get();
    TRY_ASSIGN(EngineOptions options, engineOptions());
    options.readOnly = use == Use::Read;
    options.stderrLog = LogLevel::Silent;  // a failure is told once, by its error
    TRY_ASSIGN(Engine * engine, openEngine(options));
    m_models.emplace(*engine, *m_files);
    m_control = std::make_unique<LocalControl>(*m_models, m_clock, ControlHost{});
    return m_control.get();
}

Result<Json> Session::call(Use use, std::string_view operation, const Json& arguments) {
    TRY_ASSIGN(ControlPort * port, control(use));
    return port->call(operation, arguments, CallOptions{m_stop, nullptr});
}

Result<Json> Session::followJob(std::int64_t id, OnStop onStop) {
    const Json which{{"id", id}};
    bool cancelled = false;
    std::chrono::milliseconds wait = kFirstJobCheck;
    while (true) {
        TRY_ASSIGN(const Json json, m_control->call("job", which));
        TRY_ASSIGN(const JobRecord job, jobFromJson(json));
        m_console.progress(job.step.empty() ? job.title : job.step, job.progress);
        if (job.error) return *job.error;
        if (job.state == JobState::Finished) return json;
        if (job.state == JobState::Cancelled) return fail(ErrorCode::Cancelled, job.title + " was cancelled");
        if (job.state == JobState::Interrupted || job.state == JobState::Paused)
            return fail(ErrorCode::Cancelled, job.title + " is " + std::string(jobStateName(job.state)) +
                                                  "; espalierctl jobs resume " + std::to_string(id) + " continues it");
        // Here the engine only reads, so that nothing else writes to the workspace either.
        if (!m_remote && onStop == OnStop::LeaveJob)
            return fail(ErrorCode::Cancelled, job.title + " is " + std::string(jobStateName(job.state)) +
                                                  ", but no daemon is there to work on it; espalierctl serve is one");
        if (m_stop.stop_requested() && onStop == OnStop::LeaveJob)
            return fail(ErrorCode::Cancelled, job.title + " goes on without being watched");
        if (m_stop.stop_requested() && !std::exchange(cancelled, true)) TRY(m_control->call("job-cancel", which));
        std::this_thread::sleep_for(wait);
        wait = std::min(2 * wait, kJobCheck);
    }
}

Result<std::string> Session::readInput(const std::string& path) {
    if (path != "-") return m_files->readText(path, kMaxInputBytes);
    return std::string(std::istreambuf_iterator<char>(std::cin), std::istreambuf_iterator<char>());
}

Result<Json> Session::readJsonInput(const std::string& path) {
    TRY_ASSIGN(const std::string text, readInput(path));
    return parseJson(text, path, JsonLimits{64, kMaxInputBytes});
}

}  // namespace espalier::cli

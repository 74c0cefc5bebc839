// SPDX-License-Identifier: GPL-3.0-or-later
// What tests of adapters in the engine stand on: a workspace with a tiny base, and PEFT folders made for it.
#pragma once

#include "tests/core/engine/engine_fixture.h"
#include "tests/support/adapter_data.h"
#include "tests/support/fault_injection.h"

namespace espalier::test {

struct AdapterFixture : EngineFixture {
    ArchSpec spec = archSpecFromConfig(tinyConfig({}), "config.json").value();
    FaultInjection faulty{*files};
    std::unique_ptr<Engine> engine;

    // A workspace with the base "tiny".
    Result<void> start() {
        makeModel("tiny");
        TRY_ASSIGN(engine, open());
        TRY_ASSIGN(const JobRecord job, importAndWait(*engine, {.path = (root / "tiny").string()}));
        if (job.error) return *job.error;
        return {};
    }
    Path makeAdapter(const std::string& name, const TinyAdapterOptions& options = {}) const {
        tinyAdapter(spec, options).write(root / name);
        return root / name;
    }
    Result<AdapterRecord> import(const std::string& name, const TinyAdapterOptions& options = {}) {
        return engine->importAdapter({.path = makeAdapter(name, options).string(), .base = "tiny"});
    }
    // Of adapters "v0", "v1", ...
    std::vector<AdapterImport> requests(std::uint32_t count) const {
        std::vector<AdapterImport> all;
        for (std::uint32_t i = 0; i < count; ++i)
            all.push_back({.path = makeAdapter("v" + std::to_string(i), {.seed = i}).string(), .base = "tiny"});
        return all;
    }
    // The same workspace over files that fail on command: `faulty`.
    void reopenFaulty() {
        engine.reset();
        engine = open(options(), faulty).value();
    }
    std::vector<TokenId> generate(const std::string& model, std::int32_t tokens = 24) {
        Collector collector;
        CHECK(engine->submit(model, requestFor({5, 80, 81, 7}, tokens, collector)));
        return idsOf(collector.wait());
    }
    std::vector<std::string> ids() const {  // of the adapters, sorted
        std::vector<std::string> found;
        for (const AdapterRecord& record : engine->adapters()) found.push_back(record.id);
        std::ranges::sort(found);
        return found;
    }
    std::vector<std::string> folders() const {  // below adapters/, sorted
        std::vector<std::string> names;
        const auto entries = files->list(workspace / "adapters").value();
        for (const FileEntry& entry : entries) names.push_back(entry.path.filename().string());
        return names;
    }
};

}  // namespace espalier::test

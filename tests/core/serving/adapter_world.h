// SPDX-License-Identifier: GPL-3.0-or-later
// What tests of adapters on their way stand on: a real tiny model on the reference backend, adapters on a "disk" that
// counts and fails, and a loop whose disk and copier move when the test says so.
#pragma once

#include <atomic>
#include <memory>
#include <string>
#include <vector>

#include "core/compute/reference/reference_backend.h"
#include "core/serving/adapter_tiers.h"
#include "core/serving/kv_cache.h"
#include "core/serving/serving_loop.h"
#include "tests/support/adapter_data.h"
#include "tests/support/fake_transformer.h"
#include "tests/support/faulty_backend.h"
#include "tests/support/held_lane.h"
#include "tests/support/model_runner.h"

namespace espalier::test {

inline constexpr std::size_t kDiskAdapters = 6;

// An adapter "on disk": an image that is copied at each read, or an error.
struct DiskSource final : AdapterSource {
    explicit DiskSource(std::shared_ptr<const LoraImage> made) : image(std::move(made)) {
        digest = image->digest;
        name = "adapter " + digest.substr(digest.size() - 2);
        storedBytes = image->bytes();
    }
    Result<std::shared_ptr<const LoraImage>> read() const override {
        ++reads;
        if (failures > 0 && failures-- > 0) return fail(ErrorCode::IoError, "planted: the disk cannot be read");
        return std::shared_ptr<const LoraImage>(std::make_shared<LoraImage>(*image));
    }
    std::shared_ptr<const AdapterSource> successor() const override { return next; }

    std::shared_ptr<const LoraImage> image;
    std::shared_ptr<const AdapterSource> next;
    mutable std::atomic<int> reads = 0, failures = 0;
};

// A model, and adapters of several ranks and types on its disk.
class World {
public:
    explicit World(const Path& folder, DType kvType = DType::F32) : kvType(kvType) {
        if (!std::filesystem::exists(folder)) writeTinyModel(folder, {.tokenizer = false});
        model = loadModel(
            backend, folder,
            archSpecFromConfig(*parseJson(*makeFileSystem()->readText(folder / "config.json", 1 << 20), ""), "")
                .value(),
            {.maxBatchTokens = 64, .maxLogitRows = 64, .progress = {}, .stop = {}});
        const auto pageBytes = layerPageBytes(backend, model.spec, kvType);
        const std::int32_t ranks[] = {1, 8, 17, 3, 24, 12};
        const std::vector<std::string> layers = {"q_proj", "v_proj", "down_proj"};
        const std::vector<std::string> ends = {"embed_tokens", "q_proj", "v_proj", "down_proj", "lm_head"};
        for (std::size_t i = 0; i < kDiskAdapters; ++i)
            disk.push_back(std::make_shared<DiskSource>(tinyImage(model.spec, pageBytes,
                                                                  {.rank = ranks[i],
                                                                   .alpha = 4,
                                                                   .targets = i == 1 ? ends : layers,
                                                                   .dtype = i % 2 ? DType::BF16 : DType::F32,
                                                                   .strength = 0.3f,
                                                                   .seed = 60 + i})));
    }
    std::int64_t bytesOf(std::size_t adapter) const { return disk[adapter]->image->bytes(); }
    std::int32_t pagesOf(std::size_t adapter) const { return disk[adapter]->image->pages; }

    // number 0, 7, ... are the base's.
    Request request(std::uint64_t number) const {
        TestRandom random(number * 31 + 1);
        Request request;
        request.id = {number + 1};
        request.tenant = number % 3 ? "ada" : "bo";
        const std::int32_t shared = 16 * random.below(2);
        for (std::int32_t i = 0; i < shared; ++i) request.prompt.push_back(4 + i % 50);
        for (std::int32_t i = 1 + random.below(20); i > 0; --i)
            request.prompt.push_back(random.below(model.spec.vocabulary));
        request.maxTokens = 1 + random.below(8);
        request.logprobs = 1;
        request.sampling.seed = random.next();
        request.sampling.temperature = number % 2 ? 1.0 : 0.0;
        if (const std::size_t adapter = number % (kDiskAdapters + 1)) request.adapter = disk[adapter - 1];
        return request;
    }

    std::unique_ptr<ServingLoop> loop(AdapterTiers* tiers, const Clock& clock, std::int32_t pages, bool prefetch = true,
                                      std::int32_t sequences = 6) {
        ServingOptions options;
        options.poolPages = pages;
        options.maxBatchTokens = 24;
        options.maxSequences = sequences;
        options.kvType = kvType;
        options.tiers = tiers;
        options.prefetch = prefetch;
        return ServingLoop::create(backend, *model.transformer, nullptr, options, clock).value();
    }

    // Each alone in a loop of its own.
    std::vector<Received> alone(std::uint64_t requests) {
        std::vector<Received> answers(requests);
        ManualClock clock;
        for (std::uint64_t i = 0; i < requests; ++i) {
            const auto one = loop(nullptr, clock, 200);
            Request asked = request(i);
            asked.sink = answers[i].sink();
            CHECK(one->submit(std::move(asked)));
            while (!one->idle()) one->step();
        }
        return answers;
    }

    std::unique_ptr<Backend> device = makeReferenceBackend();
    FaultyBackend backend{*device};
    DType kvType;
    LoadedModel model;
    std::vector<std::shared_ptr<DiskSource>> disk;
};

// A loop whose disk and copier move when the test says so.
struct Held {
    Held(World& world, std::int32_t pages, std::int64_t hostBytes = INT64_MAX, bool prefetch = true,
         std::int32_t sequences = 6)
        : tiers(reader, copier, clock, hostBytes), loop(world.loop(&tiers, clock, pages, prefetch, sequences)) {}

    bool step() {
        tiers.arena.collect();
        return loop->step();
    }
    // Until nothing moves on its own any more.
    void settle() {
        for (bool moves = true; moves;) {
            moves = step();
            moves = reader.runOne() || moves;
            moves = copier.runOne() || moves;
        }
    }
    void submit(Request request, Received& into) {
        request.sink = into.sink();
        const auto submitted = loop->submit(std::move(request));
        CHECK(submitted);
    }
    std::vector<AdapterMove> moves() const { return tiers.trace.newest(512); }

    ManualClock clock;
    HeldLane reader, copier;
    AdapterTiers tiers;
    std::unique_ptr<ServingLoop> loop;  // goes first
};

}  // namespace espalier::test

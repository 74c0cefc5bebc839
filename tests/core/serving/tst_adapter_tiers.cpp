// SPDX-License-Identifier: GPL-3.0-or-later
// Adapters on their way from disk to host memory and into the pool: who waits, who goes by, what gives way, what every
// move is recorded as; and that a request's bits are the same whatever road its adapter took, on threads of their own
// too.
#include <QTemporaryDir>
#include <QTest>
#include <chrono>
#include <thread>

#include "tests/core/serving/adapter_world.h"
#include "tests/support/test_main.h"

using namespace espalier;
using namespace espalier::test;

namespace {

std::string firstDifference(const std::vector<Received>& a, const std::vector<Received>& b) {
    for (std::size_t i = 0; i < a.size(); ++i)
        if (!sameBits(a[i], b[i])) return "request " + std::to_string(i);
    return {};
}

std::string textOf(const AdapterMove& move) {
    return move.adapter + " " + std::string(adapterTierName(move.from)) + ">" + std::string(adapterTierName(move.to)) +
           " " + std::string(moveCauseName(move.cause)) + (move.tenant.empty() ? "" : " " + move.tenant);
}

// Of "bo" for the base, of "ada" with an adapter.
Request longRequest(const World& world, std::uint64_t number) {
    Request request = world.request(number);
    request.tenant = request.adapter ? "ada" : "bo";
    request.prompt = {5, 6, 7};
    request.maxTokens = 90;
    return request;
}

// Admission learns to expect them, and lets in more than fits.
void expectShortAnswers(const World& world, Held& held) {
    for (int i = 0; i < 128; ++i) {
        Received ignored;
        Request request = longRequest(world, 7);
        request.maxTokens = 1;
        held.submit(std::move(request), ignored);
        held.settle();
    }
}

// In the middle of its answer: the first adapter is replaced and its files are gone.
void loseAdapterOf(World& world, Held& held, const Received& adapted) {
    while (adapted.ids.size() < 2) {
        held.step();
        held.reader.runAll();
        held.copier.runAll();
    }
    DiskSource& source = *world.disk[0];
    source.failures = 1000;
    held.tiers.arena.retire(source.base, source.digest, MoveCause::Reload);
    held.loop->retireAdapter(source.digest, MoveCause::Reload);
}

}  // namespace

class TestAdapterTiers : public QObject {
    Q_OBJECT

    QTemporaryDir m_folder;
    Path folder() const { return Path(m_folder.path().toStdString()) / "tiny"; }

private slots:
    void aRequestWaitsForItsAdapterAndOthersGoBy() {
        World world(folder());
        Held held(world, 200);
        Received adapted, base;
        held.submit(world.request(1), adapted);
        held.submit(world.request(7), base);
        const std::string name = world.disk[0]->name;
        while (held.step()) continue;
        QVERIFY(base.finish && !adapted.finish);  // the base went by
        QCOMPARE(held.reader.held(), std::size_t{1});
        QCOMPARE(held.loop->stats().waiting, 1);
        held.reader.runAll();
        while (held.step()) continue;
        QVERIFY(!adapted.finish);
        QCOMPARE(held.copier.held(), std::size_t{1});
        QCOMPARE(held.loop->stats().pages.of(PageOwner::Staging), world.pagesOf(0));
        QVERIFY(held.loop->checkIntegrity());
        held.clock.advance(std::chrono::milliseconds(3));
        held.settle();
        QVERIFY(adapted.finish && *adapted.finish != FinishReason::Failed);
        QCOMPARE(held.loop->stats().pages.of(PageOwner::AdapterIdle), world.pagesOf(0));
        QCOMPARE(held.loop->stats().counters.adapterHits, 0);
        QCOMPARE(held.tiers.trace.traffic().foundOnDisk, 1);
        const auto moves = held.moves();
        QCOMPARE(moves.size(), std::size_t{2});
        QCOMPARE(textOf(moves[0]), name + " disk>host miss ada");
        QCOMPARE(textOf(moves[1]), name + " host>pool miss ada");
        QCOMPARE(moves[1].bytes, world.bytesOf(0));
        for (const AdapterMove& move : moves) QCOMPARE(move.waiters, 1);
        QCOMPARE(moves[1].waitedSeconds, 0.003);
        const auto steps = held.loop->steps(kMostStepsKept);
        std::int32_t prompt = 0;
        for (const StepRecord& step : steps) prompt += step.promptRows;
        QVERIFY(prompt > 0);
        QCOMPARE(steps.front().adapters, 0);
        QCOMPARE(steps.back().adapters, 1);
        Received again;
        held.submit(world.request(1), again);
        held.settle();
        QVERIFY(sameBits(adapted, again));
        QCOMPARE(world.disk[0]->reads.load(), 1);
        QCOMPARE(held.loop->stats().counters.adapterHits, 1);
    }

    // The copy of the second layer does not begin before the first layer has been computed: whoever waited for the
    // whole adapter would wait for ever.
    void aStepBeginsWhenTheFirstLayerHasLanded() {
        World world(folder());
        const std::vector<Received> expected = world.alone(2);
        const SystemClock clock;
        InlineLane reader;
        ThreadLane copier;
        std::atomic<int> copies = 0;
        std::atomic<bool> computed = false, late = false;
        const auto engine = std::this_thread::get_id();
        world.backend.onLora = [&](LoraBatch&) { computed = true; };
        const std::int64_t layerBytes = static_cast<std::int64_t>(world.disk[0]->image->parts[1].tiles.size());
        std::atomic<std::int64_t> copied = 0;
        world.backend.onCopy = [&](std::int64_t bytes) {
            if (std::this_thread::get_id() == engine) return;
            ++copies;
            if (copied.fetch_add(bytes) < layerBytes) return;
            const auto patience = std::chrono::steady_clock::now() + std::chrono::minutes(2);
            while (!computed && std::chrono::steady_clock::now() < patience) std::this_thread::yield();
            late = late || !computed;
        };
        AdapterTiers tiers(reader, copier, clock, INT64_MAX);
        const auto loop = world.loop(&tiers, clock, 200);
        Received received;
        Request request = world.request(1);
        request.sink = received.sink();
        QVERIFY(loop->submit(std::move(request)));
        while (!received.finish) {
            tiers.arena.collect();
            if (!loop->step()) std::this_thread::yield();
        }
        QVERIFY(copies > 1 && !late);
        QVERIFY(sameBits(received, expected[1]));
    }

    // What changes the embedding is there with the first layer, what changes the head comes last: its copy does not
    // begin before the layers have been computed.
    void theHeadIsWaitedForLast() {
        World world(folder());
        const std::vector<Received> expected = world.alone(3);
        const SystemClock clock;
        InlineLane reader;
        ThreadLane copier;
        const LoraImage& image = *world.disk[1]->image;
        std::int64_t beforeTheHead = 0;
        for (std::size_t part = 0; part + 1 < image.parts.size(); ++part)
            beforeTheHead += static_cast<std::int64_t>(image.parts[part].tiles.size());
        QVERIFY(!image.parts.front().tiles.empty() && !image.parts.back().tiles.empty());
        // Shrink and expand of q and v, and of down, in each layer, besides gather and expand of the embedding.
        const int layerCalls = 2 + 4 * static_cast<int>(world.model.spec.layers.size());
        std::atomic<int> calls = 0;
        std::atomic<bool> late = false, headCopied = false;
        std::atomic<std::int64_t> copied = 0;
        const auto engine = std::this_thread::get_id();
        world.backend.onLora = [&](LoraBatch&) { ++calls; };
        world.backend.onCopy = [&](std::int64_t bytes) {
            if (std::this_thread::get_id() == engine || copied.fetch_add(bytes) < beforeTheHead) return;
            const auto patience = std::chrono::steady_clock::now() + std::chrono::minutes(2);
            while (calls < layerCalls && std::chrono::steady_clock::now() < patience) std::this_thread::yield();
            late = late || calls < layerCalls;
            headCopied = true;
        };
        AdapterTiers tiers(reader, copier, clock, INT64_MAX);
        const auto loop = world.loop(&tiers, clock, 200);
        Received received;
        Request request = world.request(2);
        request.sink = received.sink();
        QVERIFY(loop->submit(std::move(request)));
        while (!received.finish) {
            tiers.arena.collect();
            if (!loop->step()) std::this_thread::yield();
        }
        QVERIFY(headCopied && !late);
        QVERIFY(sameBits(received, expected[2]));
        world.backend.onCopy = nullptr;
        world.backend.onLora = nullptr;
    }

    void bitsAreTheSameByEveryRoad_data() {
        QTest::addColumn<int>("kvType");
        QTest::addColumn<bool>("threads");
        QTest::addColumn<bool>("prefetch");
        for (const DType type : {DType::F32, DType::BF16})
            for (const bool threads : {false, true})
                for (const bool prefetch : {false, true})
                    QTest::addRow("%s KV, %s, prefetch %d", std::string(dtypeName(type)).c_str(),
                                  threads ? "threads" : "held", prefetch)
                        << static_cast<int>(type) << threads << prefetch;
    }
    // Host memory for two adapters and a pool for about three: everything is read, evicted and read again, and pages go
    // from hand to hand.
    void bitsAreTheSameByEveryRoad() {
        QFETCH(int, kvType);
        QFETCH(bool, threads);
        QFETCH(bool, prefetch);
        constexpr std::uint64_t kRequests = 40;
        World world(folder(), static_cast<DType>(kvType));
        const std::vector<Received> expected = world.alone(kRequests);
        std::vector<Received> answers(kRequests);
        const SystemClock clock;
        HeldLane heldReader, heldCopier;
        std::unique_ptr<ThreadLane> readerThread, copierThread;
        if (threads) {
            readerThread = std::make_unique<ThreadLane>();
            copierThread = std::make_unique<ThreadLane>();
        }
        AdapterTiers tiers(threads ? static_cast<Lane&>(*readerThread) : heldReader,
                           threads ? static_cast<Lane&>(*copierThread) : heldCopier, clock,
                           world.bytesOf(4) + world.bytesOf(2));
        const auto loop = world.loop(&tiers, clock, world.pagesOf(4) + world.pagesOf(2) + 14, prefetch);
        TestRandom random(3);
        const auto turn = [&] {
            tiers.arena.collect();
            const bool worked = loop->step();
            if (threads && !worked) std::this_thread::yield();
            if (!threads && (!worked || random.below(3) == 0)) heldReader.runOne();
            if (!threads && (!worked || random.below(2) == 0)) heldCopier.runOne();
            CHECK(loop->checkIntegrity());
        };
        for (std::uint64_t i = 0; i < kRequests; ++i) {
            Request request = world.request(i);
            request.sink = answers[i].sink();
            QVERIFY(loop->submit(std::move(request)));
            if (i % 4 == 3) turn();
            while (i == kRequests / 2 && !loop->idle()) turn();  // the second half finds what the first left
        }
        while (!loop->idle()) turn();
        const std::string difference = firstDifference(expected, answers);
        QVERIFY2(difference.empty(), difference.c_str());
        const ServingCounters counters = loop->stats().counters;
        QVERIFY(counters.adapterEvictions > 0);
        QVERIFY(counters.adapterLoads > static_cast<std::int64_t>(kDiskAdapters));
        const AdapterTraffic& traffic = tiers.trace.traffic();
        QCOMPARE(traffic.toPoolBytes, counters.adapterLoadedBytes);
        QCOMPARE(traffic.foundInPool + traffic.foundOnHost + traffic.foundOnDisk,
                 std::int64_t{34});  // requests with one
        QVERIFY(traffic.fromHostBytes > 0);
        QCOMPARE(prefetch, traffic.of(MoveCause::Prefetch) > 0);
        QVERIFY(tiers.arena.bytes() <= tiers.arena.budget());
    }

    void whatCannotBeReadFailsThoseWhoWaitForItAlone() {
        World world(folder());
        Held held(world, 200);
        world.disk[0]->failures = 1;
        Received broken, alsoBroken, whole, base;
        held.submit(world.request(1), broken);
        Request second = world.request(1);
        second.id = {900};
        held.submit(std::move(second), alsoBroken);
        held.submit(world.request(2), whole);
        held.submit(world.request(0), base);
        held.settle();
        for (const Received* one : {&broken, &alsoBroken}) {
            QCOMPARE(*one->finish, FinishReason::Failed);
            QCOMPARE(one->error->code, ErrorCode::IoError);
            QVERIFY(one->error->message.find(world.disk[0]->name) != std::string::npos);
        }
        QVERIFY(*whole.finish != FinishReason::Failed && *base.finish != FinishReason::Failed);
        QCOMPARE(held.tiers.trace.traffic().readFailures, 1);
        Received later;  // nothing is held against it
        held.submit(world.request(1), later);
        held.settle();
        QVERIFY(*later.finish != FinishReason::Failed);
        QVERIFY(held.loop->checkIntegrity());
    }

    void whoWaitedForFilesThatWereReplacedGetsTheNewOnes() {
        World world(folder());
        const std::vector<Received> expected = world.alone(3);
        Held held(world, 200);
        world.disk[0]->failures = 1;
        world.disk[0]->next = world.disk[1];
        Received received;
        Request request = world.request(2);  // the question of adapter 1, asked of adapter 0
        request.adapter = world.disk[0];
        held.submit(std::move(request), received);
        held.settle();
        QVERIFY(sameBits(received, expected[2]));
        world.disk[0]->next = nullptr;
    }

    void aDeviceThatFailsInACopyFailsItsUsersAlone() {
        World world(folder());
        Held held(world, 200);
        Received adapted, base;
        held.submit(world.request(1), adapted);
        held.step();
        held.reader.runAll();
        held.step();
        QCOMPARE(held.copier.held(), std::size_t{1});
        world.backend.failSynchronize(1);
        held.copier.runAll();
        held.submit(world.request(0), base);
        held.settle();
        QCOMPARE(*adapted.finish, FinishReason::Failed);
        QCOMPARE(adapted.error->code, ErrorCode::DeviceError);
        QVERIFY(*base.finish != FinishReason::Failed);
        QCOMPARE(held.loop->stats().pages.of(PageOwner::Free) + held.loop->stats().pages.of(PageOwner::KvCached), 200);
        QVERIFY(held.loop->checkIntegrity());
    }

    void whatIsCancelledOrEndsWhileItLoadsLeavesNothing() {
        World world(folder());
        {
            Held held(world, 200);
            Received received;
            held.submit(world.request(1), received);
            held.step();
            held.loop->cancel({2});
            QCOMPARE(*received.finish, FinishReason::Cancelled);
            held.settle();  // the read ends for nobody
            QVERIFY(held.loop->idle() && held.loop->checkIntegrity());
            QCOMPARE(held.tiers.arena.images(), 1);
            QCOMPARE(held.loop->stats().pages.of(PageOwner::Free), 200);
        }
        Held held(world, 200);
        Received received;
        held.submit(world.request(1), received);
        held.step();
        held.reader.runAll();
        held.step();
        QCOMPARE(held.copier.held(), std::size_t{1});
        held.loop = nullptr;  // the model is unloaded with the copy still to come
        QCOMPARE(*received.finish, FinishReason::Cancelled);
        held.copier.runAll();  // writes nowhere: the pool is gone
    }

    // The copier is in the middle of a copy, the reader of a read, when everything goes.
    void shutdownWaitsForTheCopyUnderWay() {
        World world(folder());
        std::atomic<bool> began = false, go = false;
        const auto engine = std::this_thread::get_id();
        world.backend.onCopy = [&](std::int64_t) {
            if (std::this_thread::get_id() == engine) return;
            began = true;
            while (!go) std::this_thread::yield();
        };
        const SystemClock clock;
        InlineLane reader;
        ThreadLane copier;
        Received received;
        std::thread helper;
        {
            AdapterTiers tiers(reader, copier, clock, INT64_MAX);
            const auto loop = world.loop(&tiers, clock, 200);
            Request request = world.request(1);
            request.sink = received.sink();
            QVERIFY(loop->submit(std::move(request)));
            while (!began) {
                tiers.arena.collect();
                loop->step();
            }
            helper = std::thread([&] { go = true; });
        }
        helper.join();
        QCOMPARE(*received.finish, FinishReason::Cancelled);
        world.backend.onCopy = nullptr;
    }

    void hostMemoryKeepsWhatIsUsedMost() {
        World world(folder());
        ManualClock clock;
        InlineLane lane;
        AdapterTrace trace;
        const auto pageBytes = layerPageBytes(world.backend, world.model.spec, DType::F32);
        for (std::size_t i = 0; i < kDiskAdapters; ++i)  // all of one size
            world.disk[i] = std::make_shared<DiskSource>(tinyImage(world.model.spec, pageBytes, {.seed = 80 + i}));
        HostArena arena(3 * world.bytesOf(0), lane, clock, trace, {});
        const auto bring = [&](std::size_t i, MoveCause cause = MoveCause::Miss) {
            arena.collect();
            arena.collect();  // what was kept two ticks ago is no longer
            arena.use(*world.disk[i]);
            const bool began = arena.want(world.disk[i], cause, "ada");
            arena.collect();
            return began;
        };
        const auto isHere = [&](std::size_t i) { return arena.state(*world.disk[i]) == HostArena::State::Ready; };
        QVERIFY(bring(1) && bring(3) && bring(5));
        QVERIFY(isHere(1) && isHere(3) && isHere(5));
        for (int i = 0; i < 3; ++i) arena.use(*world.disk[1]);
        clock.advance(std::chrono::minutes(1));
        arena.use(*world.disk[5]);
        QVERIFY(bring(0));  // 3 was used once, a minute ago; 1 four times
        QVERIFY(isHere(0) && isHere(1) && !isHere(3) && isHere(5));
        clock.advance(std::chrono::minutes(20));  // what was used then counts for little now
        arena.use(*world.disk[0]);
        arena.use(*world.disk[5]);
        QVERIFY(bring(3));
        QVERIFY(isHere(0) && !isHere(1) && isHere(3) && isHere(5));
        const auto inUse = arena.image(*world.disk[0]);
        const auto alsoInUse = arena.image(*world.disk[3]);
        QVERIFY(bring(1) && isHere(0) && isHere(3));
        const auto last = arena.image(*world.disk[1]);
        QVERIFY(!bring(5));  // all that is here is being copied
        QVERIFY(arena.checkIntegrity());
        QVERIFY(arena.bytes() <= arena.budget());
    }

    void hostMemoryGivesNothingThatIsWantedForWhatComesAheadOfTime() {
        World world(folder());
        ManualClock clock;
        InlineLane lane;
        AdapterTrace trace;
        HostArena arena(world.bytesOf(2), lane, clock, trace, {});
        QVERIFY(arena.want(world.disk[2], MoveCause::Miss, "ada"));
        arena.collect();
        arena.keep(*world.disk[2]);
        QVERIFY(!arena.want(world.disk[1], MoveCause::Prefetch, "bo"));
        QVERIFY(arena.want(world.disk[1], MoveCause::Miss, "bo"));
        arena.collect();
        QVERIFY(arena.state(*world.disk[2]) == HostArena::State::Registered);
        QVERIFY(arena.want(world.disk[4], MoveCause::Miss, "bo"));  // larger than the budget: alone
        arena.collect();
        QVERIFY(arena.state(*world.disk[4]) == HostArena::State::Ready);
        QCOMPARE(arena.images(), 1);
        QVERIFY(arena.checkIntegrity());
    }

    void whatWasRemovedGoesWithItsLastUser() {
        World world(folder());
        Held held(world, 200);
        Received running;
        Request request = world.request(1);
        request.maxTokens = 30;
        held.submit(std::move(request), running);
        while (running.ids.size() < 2) {
            held.step();
            held.reader.runAll();
            held.copier.runAll();
        }
        const DiskSource& source = *world.disk[0];
        held.tiers.arena.retire(source.base, source.digest, MoveCause::Unload);
        held.loop->retireAdapter(source.digest, MoveCause::Unload);
        QCOMPARE(held.tiers.arena.images(), 0);
        QCOMPARE(held.loop->stats().pages.of(PageOwner::Adapter), world.pagesOf(0));
        held.settle();
        QCOMPARE(running.ids.size(), std::size_t{30});
        QCOMPARE(held.loop->stats().pages.of(PageOwner::AdapterIdle), 0);
        QCOMPARE(held.loop->stats().adapters, 0);
        const auto moves = held.moves();
        QCOMPARE(textOf(moves[moves.size() - 2]), source.name + " host>disk unload");
        QCOMPARE(textOf(moves.back()), source.name + " pool>disk unload");
        Received waiting;  // removed while it is read for somebody
        held.submit(world.request(2), waiting);
        held.step();
        held.tiers.arena.retire(world.disk[1]->base, world.disk[1]->digest, MoveCause::Unload);
        held.settle();
        QVERIFY(waiting.finish && *waiting.finish != FinishReason::Failed);  // it was read in time, or again
        QVERIFY(held.loop->checkIntegrity());
    }

    // Its files are gone, nobody could bring it back.
    void whoIsPreemptedKeepsTheVersionItBeganWith() {
        World world(folder());
        Received expected, base, adapted;
        {
            Held alone(world, 200);
            alone.submit(longRequest(world, 1), expected);
            alone.settle();
        }
        Held held(world, world.pagesOf(0) + 9);
        expectShortAnswers(world, held);
        held.submit(longRequest(world, 7), base);
        held.submit(longRequest(world, 1), adapted);
        loseAdapterOf(world, held, adapted);
        while (!held.loop->idle()) {
            held.step();
            held.reader.runAll();
            held.copier.runAll();
            const auto whole = held.loop->checkIntegrity();
            QVERIFY2(whole, whole ? "" : whole.error().message.c_str());
        }
        QVERIFY(held.loop->stats().counters.preemptions > 0);
        QCOMPARE(world.disk[0]->reads.load(), 2);  // for each loop one
        QVERIFY(sameBits(adapted, expected));
        QCOMPARE(held.loop->stats().adapters, 0);
    }

    // Nothing runs and the next in line does not fit beside a retired adapter that somebody preempted holds: it is let
    // go, and that one request fails for want of the files, nobody waits for ever.
    void aRetiredAdapterThatIsHeldStopsNobody() {
        World world(folder());
        const std::int32_t pages = world.pagesOf(0) + 9;
        Held held(world, pages);
        expectShortAnswers(world, held);
        Received base, adapted, whole;
        Request most = longRequest(world, 1);
        most.prompt.assign(40, 5);  // its tenant was served more than any other
        held.submit(longRequest(world, 7), base);
        held.submit(std::move(most), adapted);
        loseAdapterOf(world, held, adapted);
        while (held.loop->stats().counters.preemptions == 0) held.step();
        Request next = world.request(14);
        next.prompt.assign(static_cast<std::size_t>(pages * kTokensPerPage - 4), 9);
        next.tenant = "cy";  // served least: the next in line
        next.maxTokens = 2;
        held.submit(std::move(next), whole);
        held.loop->cancel({8});  // the base's, so that nothing runs
        held.settle();
        QVERIFY(held.loop->idle());
        QVERIFY(whole.finish && *whole.finish != FinishReason::Failed);
        QVERIFY(adapted.finish);
        QVERIFY(held.loop->checkIntegrity());
    }

    // The same content under two names: the files of one are gone, those of the other are read.
    void aFailureIsTheirsAloneWhoseFilesWereRead() {
        World world(folder());
        const auto gone = std::make_shared<DiskSource>(world.disk[0]->image);
        gone->name = "gone";
        gone->failures = 1000;
        Held held(world, 200);
        Received failed, served;
        Request first = world.request(1);
        first.adapter = gone;
        first.id = {70};
        held.submit(std::move(first), failed);
        held.step();
        held.submit(world.request(1), served);
        held.settle();
        QVERIFY(failed.finish && *failed.finish == FinishReason::Failed);
        QVERIFY(served.finish && *served.finish != FinishReason::Failed);
        QVERIFY(sameBits(served, world.alone(2)[1]));
    }

    // Who fails is the one that cannot have its adapter, not the one that still waits for the disk.
    void aRefusalIsItsOwn() {
        World world(folder());
        Held held(world, 200);
        QVERIFY(held.tiers.arena.want(world.disk[4], MoveCause::Miss, "bo"));  // the widest, in host memory
        held.reader.runAll();
        Received reading, refused;
        held.submit(world.request(1), reading);
        held.submit(world.request(5), refused);
        world.backend.failAllocate(true);
        while (held.step()) continue;
        QVERIFY(!reading.finish);
        QVERIFY(refused.finish && *refused.finish == FinishReason::Failed);
        world.backend.failAllocate(false);
        held.settle();
        QVERIFY(*reading.finish != FinishReason::Failed);
    }

    // An hour in which nobody was here is not the time between two turns.
    void prefetchForgetsTheTimeInWhichNobodyWaited() {
        World world(folder());
        Held held(world, 200, INT64_MAX, true, 1);
        Received leaving;
        held.submit(world.request(6), leaving);
        held.step();
        held.loop->cancel({7});
        held.settle();
        held.clock.advance(std::chrono::hours(1));
        std::vector<Received> answers(4);
        const auto submit = [&](std::size_t i) {
            Request request = world.request(1 + i);
            request.maxTokens = i == 0 ? 60 : 12;
            request.tenant = "ada";
            held.submit(std::move(request), answers[i]);
        };
        const auto stepAll = [&] {
            held.step();
            held.reader.runAll();
            held.copier.runAll();
        };
        submit(0);
        while (answers[0].ids.empty()) stepAll();
        for (std::size_t i = 1; i < 4; ++i) submit(i);
        while (answers[0].ids.size() < 30) stepAll();
        QVERIFY(!answers[0].finish);
        QCOMPARE(held.loop->stats().adapters, 4);  // those of the whole line
        held.settle();
        for (const Received& answer : answers) QVERIFY(*answer.finish != FinishReason::Failed);
    }

    // One slot: the requests behind wait, their adapters come meanwhile and are there when their turn comes.
    void prefetchBringsWhatWaitsBeforeItsTurn() {
        for (const bool prefetch : {true, false}) {
            World world(folder());
            Held held(world, 200, INT64_MAX, prefetch, 1);
            std::vector<Received> answers(4);
            for (std::size_t i = 0; i < 4; ++i) {
                Request request = world.request(1 + i);
                request.maxTokens = 12;
                request.tenant = "ada";
                held.submit(std::move(request), answers[i]);
            }
            held.settle();
            const AdapterTraffic& traffic = held.tiers.trace.traffic();
            QCOMPARE(traffic.foundInPool, std::int64_t{prefetch ? 3 : 0});
            QCOMPARE(traffic.prefetchUsed, std::int64_t{prefetch ? 3 : 0});
            QCOMPARE(traffic.prefetchWasted, 0);
            QCOMPARE(traffic.of(MoveCause::Miss), std::int64_t{prefetch ? 2 : 8});
            for (const Received& answer : answers) QVERIFY(*answer.finish != FinishReason::Failed);
        }
    }

    // For comparison: pages for adapters alone and for KV alone. Neither side takes the other's, and the bits are the
    // same.
    void aPoolThatIsSplitServesTheSame() {
        constexpr std::uint64_t kRequests = 30;
        World world(folder());
        const std::vector<Received> expected = world.alone(kRequests);
        std::vector<Received> answers(kRequests);
        const std::int32_t forAdapters = world.pagesOf(4) + world.pagesOf(2), forKv = 14;
        ManualClock clock;
        HeldLane reader, copier;
        AdapterTiers tiers(reader, copier, clock, INT64_MAX);
        ServingOptions options;
        options.poolPages = forAdapters + forKv;
        options.pagesForAdapters = forAdapters;
        options.maxBatchTokens = 24;
        options.maxSequences = 6;
        options.kvType = world.kvType;
        options.tiers = &tiers;
        const auto loop = ServingLoop::create(world.backend, *world.model.transformer, nullptr, options, clock).value();
        for (std::uint64_t i = 0; i < kRequests; ++i) {
            Request request = world.request(i);
            request.sink = answers[i].sink();
            QVERIFY(loop->submit(std::move(request)));
        }
        std::int32_t mostKv = 0, mostAdapters = 0;
        for (int round = 0; !loop->idle(); ++round) {
            QVERIFY(round < 100000);
            tiers.arena.collect();
            loop->step();
            reader.runOne();
            copier.runOne();
            const PoolUsage usage = loop->stats().pages;
            mostKv = std::max(mostKv, usage.of(PageOwner::Kv) + usage.of(PageOwner::KvCached));
            mostAdapters = std::max(mostAdapters, usage.total() - usage.of(PageOwner::Free) - usage.of(PageOwner::Kv) -
                                                      usage.of(PageOwner::KvCached));
            QVERIFY(loop->checkIntegrity());
        }
        QVERIFY2(mostKv <= forKv && mostKv > forKv / 2, qPrintable(QString::number(mostKv)));
        QVERIFY2(mostAdapters <= forAdapters && mostAdapters > 0, qPrintable(QString::number(mostAdapters)));
        const std::string difference = firstDifference(expected, answers);
        QVERIFY2(difference.empty(), difference.c_str());
        options.pagesForAdapters = options.poolPages;
        QVERIFY(!ServingLoop::create(world.backend, *world.model.transformer, nullptr, options, clock));
    }

    void eachFaultAloneFailsItsUsersAndLeaksNothing_data() {
        QTest::addColumn<QString>("fault");
        for (const char* fault : {"device", "memory", "disk"}) QTest::newRow(fault) << fault;
    }
    // The same requests again and again, each time with the next call failing: of the device, for memory, of the disk.
    void eachFaultAloneFailsItsUsersAndLeaksNothing() {
        QFETCH(QString, fault);
        constexpr std::uint64_t kRequests = 10;
        World world(folder());
        const std::vector<Received> expected = world.alone(kRequests);
        const std::int32_t pages = world.pagesOf(4) + 24;
        int faults = 0, failed = 0;
        for (int n = 1; n < 2000; ++n) {
            Held held(world, pages, world.bytesOf(4) + world.bytesOf(2));
            if (fault == "device") world.backend.failSynchronizeAt(n);
            if (fault == "memory") world.backend.failAllocateAt(n);
            if (fault == "disk" && n <= static_cast<int>(kDiskAdapters))
                world.disk[static_cast<std::size_t>(n - 1)]->failures = 1;
            std::vector<Received> answers(kRequests);
            for (std::uint64_t i = 0; i < kRequests; ++i) held.submit(world.request(i), answers[i]);
            held.settle();
            QVERIFY2(held.loop->idle(), std::to_string(n).c_str());
            const bool came = fault == "disk" ? n <= static_cast<int>(kDiskAdapters) : !world.backend.isArmed();
            world.backend.failSynchronizeAt(0);
            world.backend.failAllocateAt(0);
            faults += came;
            for (std::uint64_t i = 0; i < kRequests; ++i) {
                QCOMPARE(answers[i].lastChunks, 1);
                const bool isFailed = *answers[i].finish == FinishReason::Failed;
                failed += isFailed;
                QVERIFY(came || !isFailed);
                if (!isFailed)
                    QVERIFY2(sameBits(answers[i], expected[i]), (std::to_string(n) + " " + std::to_string(i)).c_str());
            }
            const ServingStats stats = held.loop->stats();
            for (const PageOwner owner : {PageOwner::Kv, PageOwner::Adapter, PageOwner::Staging})
                QCOMPARE(stats.pages.of(owner), 0);
            QVERIFY(held.loop->checkIntegrity());
            for (std::uint64_t i = 0; came && i < kRequests; ++i) {  // nothing is held against anybody
                Received again;
                held.submit(world.request(i), again);
                held.settle();
                QVERIFY(sameBits(again, expected[i]));
            }
            if (!came) break;
        }
        qInfo("%d faults, %d requests failed by them", faults, failed);
        QVERIFY(faults >= (fault == "memory" ? 1 : 6));
        QVERIFY(fault == "memory" || failed >= faults / 2);  // memory that is there a moment later fails nobody
    }

    // Requests come, are cancelled, adapters are removed, reads fail, and disk and copier move at any moment. Nothing
    // is lost or owned twice, everybody gets one last chunk, and who was answered got the bits of being alone.
    void randomRoads_data() {
        QTest::addColumn<quint64>("seed");
        for (quint64 seed = 1; seed <= 12; ++seed) QTest::addRow("seed %llu", seed) << seed;
    }
    void randomRoads() {
        QFETCH(quint64, seed);
        constexpr std::uint64_t kRequests = 60;
        static const std::vector<Received> expected = World(folder()).alone(kRequests);
        World world(folder());
        TestRandom random(seed);
        const std::int32_t pages = world.pagesOf(4) + 8 + random.below(30);
        Held held(world, pages, world.bytesOf(4) + random.below(static_cast<std::int32_t>(world.bytesOf(2)) * 2),
                  random.below(4) > 0, 1 + random.below(6));
        std::vector<Received> answers(kRequests);
        std::uint64_t next = 0;
        int cancelled = 0, failed = 0;
        for (int round = 0; next < kRequests || !held.loop->idle(); ++round) {
            QVERIFY(round < 100000);
            switch (random.below(12)) {
                case 0:
                case 1:
                    if (next < kRequests) {
                        held.submit(world.request(next), answers[next]);
                        ++next;
                    }
                    break;
                case 2:
                    if (next > 0 && random.below(6) == 0)
                        held.loop->cancel(
                            {1 + static_cast<std::uint64_t>(random.below(static_cast<std::int32_t>(next)))});
                    break;
                case 3:
                    if (random.below(8) == 0)
                        world.disk[static_cast<std::size_t>(random.below(kDiskAdapters))]->failures = 1;
                    break;
                case 4: {
                    if (random.below(4) != 0) break;
                    const DiskSource& gone = *world.disk[static_cast<std::size_t>(random.below(kDiskAdapters))];
                    held.tiers.arena.retire(gone.base, gone.digest, MoveCause::Reload);
                    held.loop->retireAdapter(gone.digest, MoveCause::Reload);
                    break;
                }
                case 5:
                    held.clock.advance(std::chrono::seconds(random.below(40)));
                    break;
                case 6:
                    held.reader.runOne();
                    break;
                case 7:
                    held.copier.runOne();
                    break;
                default:
                    held.step();
            }
            const auto whole = held.loop->checkIntegrity();
            QVERIFY2(whole, whole ? "" : whole.error().message.c_str());
        }
        held.settle();
        for (std::uint64_t i = 0; i < kRequests; ++i) {
            QCOMPARE(answers[i].lastChunks, 1);
            if (*answers[i].finish == FinishReason::Cancelled)
                ++cancelled;
            else if (*answers[i].finish == FinishReason::Failed)
                ++failed;
            else
                QVERIFY2(sameBits(answers[i], expected[i]), std::to_string(i).c_str());
        }
        QVERIFY(cancelled + failed < static_cast<int>(kRequests) / 2);
        const ServingStats stats = held.loop->stats();
        for (const PageOwner owner : {PageOwner::Kv, PageOwner::Adapter, PageOwner::Staging})
            QCOMPARE(stats.pages.of(owner), 0);
        QCOMPARE(stats.pages.total(), pages);
    }
};

ESPALIER_TEST(tst_adapter_tiers, TestAdapterTiers)
#include "tst_adapter_tiers.moc"

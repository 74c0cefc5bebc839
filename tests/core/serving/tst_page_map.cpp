// SPDX-License-Identifier: GPL-3.0-or-later
#include <random>

#include "core/serving/page_map.h"
#include "tests/support/test_main.h"

using namespace espalier;

namespace {

constexpr auto kFree = PageOwner::Free, kKv = PageOwner::Kv, kCached = PageOwner::KvCached;

}  // namespace

class TestPageMap : public QObject {
    Q_OBJECT
private slots:
    void equalNeighbours_areOneRun() {
        const std::vector owners{kKv, kKv, kKv, kCached, kFree, kFree};
        const std::vector<std::int64_t> readers{7, 7, 9, 0, 0, 0};
        const PageMap map = mapPages(owners, readers, 6);
        QCOMPARE(map.pagesPerCell, 1);
        QCOMPARE(map.pages, 6);
        QCOMPARE(map.runs, (std::vector<PageRun>{{2, kKv, 7}, {1, kKv, 9}, {1, kCached, 0}, {2, kFree, 0}}));
    }
    void aCell_showsTheOwnerOfMostPages() {
        const std::vector owners{kFree, kCached, kCached, kCached, kKv, kKv, kFree, kFree};
        const std::vector<std::int64_t> readers{0, 0, 0, 0, 4, 5, 0, 0};
        const PageMap map = mapPages(owners, readers, 2);
        QCOMPARE(map.pagesPerCell, 4);
        // Two and two: the pages in use are the ones worth seeing.
        QCOMPARE(map.runs, (std::vector<PageRun>{{1, kCached, 0}, {1, kKv, kSeveralReaders}}));
    }
    void aLastCell_mayBeShorter() {
        const PageMap map = mapPages(std::vector(9, kFree), std::vector<std::int64_t>(9, 0), 5);
        QCOMPARE(map.pagesPerCell, 2);
        QCOMPARE(map.runs, (std::vector<PageRun>{{5, kFree, 0}}));
    }
    void adapters_areNamedOnceAndOnlyWhereARunHasThem() {
        constexpr auto kAdapter = PageOwner::Adapter, kIdle = PageOwner::AdapterIdle;
        const std::vector owners{kAdapter, kAdapter, kKv, kKv, kIdle, kAdapter, kFree, kFree, kAdapter, kAdapter};
        const std::vector<std::int64_t> readers{0, 0, 4, 4, 0, 0, 0, 0, 0, 0};
        const std::vector<std::int32_t> adapters{2, 2, kNoAdapter, kNoAdapter, 0, 2, kNoAdapter, kNoAdapter, 2, 0};
        const std::vector<std::string> names{"ada", "nobody", "cook"};
        const PageMap map = mapPages(owners, readers, 10, adapters, names);
        QCOMPARE(map.adapters, (std::vector<std::string>{"cook", "ada"}));
        QCOMPARE(map.runs, (std::vector<PageRun>{{2, kAdapter, 0, 0},
                                                 {2, kKv, 4},
                                                 {1, kIdle, 0, 1},
                                                 {1, kAdapter, 0, 0},
                                                 {2, kFree, 0},
                                                 {1, kAdapter, 0, 0},
                                                 {1, kAdapter, 0, 1}}));
        const PageMap half = mapPages(owners, readers, 5, adapters, names);
        QCOMPARE(half.runs.back(), (PageRun{1, kAdapter, 0, kSeveralAdapters}));
        QCOMPARE(half.adapters, (std::vector<std::string>{"cook", "ada"}));  // the second beside the first
    }
    void anotherOwner_standsBesideTheMajority() {
        constexpr auto kAdapter = PageOwner::Adapter, kIdle = PageOwner::AdapterIdle;
        const std::vector<PageOwner> owners{kKv,   kKv,     kKv,   kAdapter,  // one page of an adapter among KV
                                            kFree, kFree,   kKv,   kFree,     // one page of KV among free ones
                                            kKv,   kCached, kKv,   kIdle,     // an adapter goes before KV
                                            kKv,   kKv,     kKv,   kFree,     // free pages are nothing to show
                                            kIdle, kIdle,   kIdle, kCached};
        const std::vector<std::int64_t> readers{4, 4, 4, 0, 0, 0, 5, 0, 4, 0, 4, 0, 4, 4, 4, 0, 0, 0, 0, 0};
        constexpr std::int32_t kNo = kNoAdapter;
        const std::vector<std::int32_t> adapters{kNo, kNo, kNo, 1,   kNo, kNo, kNo, kNo, kNo, kNo,
                                                 kNo, 0,   kNo, kNo, kNo, kNo, 0,   0,   1,   kNo};
        const std::vector<std::string> names{"ada", "cook"};
        const PageMap map = mapPages(owners, readers, 5, adapters, names);
        QCOMPARE(map.pagesPerCell, 4);
        QCOMPARE(map.runs.size(), std::size_t{5});
        QCOMPARE(map.adapters, (std::vector<std::string>{"cook", "ada"}));
        QCOMPARE(map.runs[0], (PageRun{1, kKv, 4, kNo, {1, kAdapter, 0}}));
        QCOMPARE(map.runs[1], (PageRun{1, kFree, 0, kNo, {1, kKv, kNo}}));
        QCOMPARE(map.runs[2], (PageRun{1, kKv, 4, kNo, {1, kIdle, 1}}));
        QCOMPARE(map.runs[3], (PageRun{1, kKv, 4}));
        QCOMPARE(map.runs[4], (PageRun{1, kIdle, 0, kSeveralAdapters, {1, kCached, kNo}}));
    }
    void anAdapterOfOnePage_isNeverLost() {
        constexpr std::size_t kPages = 4096;
        for (std::size_t at = 0; at < kPages; at += 97) {
            std::vector<PageOwner> owners(kPages, kKv);
            std::vector<std::int32_t> adapters(kPages, kNoAdapter);
            owners[at] = PageOwner::AdapterIdle;
            adapters[at] = 0;
            const std::vector<std::string> names{"ada"};
            const PageMap map = mapPages(owners, std::vector<std::int64_t>(kPages, 1), 512, adapters, names);
            std::size_t cell = 0, seen = kPages;
            for (const PageRun& run : map.runs) {
                if (run.beside.owner == PageOwner::AdapterIdle) seen = cell;
                cell += static_cast<std::size_t>(run.cells);
            }
            QCOMPARE(seen, at / 8);
        }
    }
    void anEmptyPool_hasNoCells() { QVERIFY(mapPages({}, {}, 10).runs.empty()); }

    void everyMap_isBoundedAndCoversThePool() {
        const unsigned seed = 20261121;
        std::mt19937 random(seed);
        for (int round = 0; round < 300; ++round) {
            const std::size_t pages = random() % 3000;
            const auto most = static_cast<std::int32_t>(1 + random() % 500);
            std::vector<PageOwner> owners(pages);
            std::vector<std::int64_t> readers(pages);
            for (std::size_t i = 0; i < pages; ++i) {
                owners[i] = static_cast<PageOwner>(random() % 3);
                readers[i] = owners[i] == kKv ? 1 + random() % 4 : 0;
            }
            const PageMap map = mapPages(owners, readers, most);
            std::int64_t cells = 0;
            for (std::size_t i = 0; i < map.runs.size(); ++i) {
                cells += map.runs[i].cells;
                const bool differs = i == 0 || map.runs[i].owner != map.runs[i - 1].owner ||
                                     map.runs[i].request != map.runs[i - 1].request ||
                                     map.runs[i].beside != map.runs[i - 1].beside;
                QVERIFY2(differs, qPrintable(QString("seed %1, round %2: run %3 goes on").arg(seed).arg(round).arg(i)));
            }
            const std::int64_t expected = (map.pages + map.pagesPerCell - 1) / map.pagesPerCell;
            QVERIFY2(cells == expected && cells <= most, qPrintable(QString("seed %1, round %2").arg(seed).arg(round)));
        }
    }
};
ESPALIER_TEST(tst_page_map, TestPageMap)
#include "tst_page_map.moc"

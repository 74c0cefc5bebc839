// SPDX-License-Identifier: GPL-3.0-or-later
#include <QTemporaryDir>
#include <QTest>
#include <atomic>
#include <fstream>
#include <stdexcept>
#include <thread>

#include "core/store/adapter_catalog.h"
#include "core/store/catalog.h"
#include "core/store/job_log.h"
#include "tests/support/allocations.h"
#include "tests/support/test_main.h"

using namespace espalier;
using namespace espalier::test;

namespace {

Path fileIn(const QTemporaryDir& folder) {
    return Path(folder.path().toStdString()) / "workspace.db";
}

Database openedAt(const Path& file, int version) {
    auto database = Database::open(file, Database::Access::Write);
    const auto migrations = workspaceMigrations().subspan(0, static_cast<std::size_t>(version));
    const auto migrated = database->migrate(migrations, 1000);
    if (!migrated) qFatal("%s", migrated.error().message.c_str());
    return std::move(database).value();
}

Database openedAtNewest(const Path& file) {
    return openedAt(file, static_cast<int>(workspaceMigrations().size()));
}

CatalogRow sampleModel(const std::string& name, const std::string& digest) {
    CatalogRow row;
    row.id = "m-" + digest;
    row.name = name;
    row.digest = "sha256:" + digest;
    row.family = "llama";
    row.licence = "CC0-1.0";
    row.parameters = 1234567890123;
    row.bytes = 42;
    row.dtype = "bf16";
    row.source = "/somewhere/it's here";
    row.folder = "/workspace/models/x";
    row.linked = true;
    row.hasTokenizer = true;
    row.context = 4096;
    row.importedAt = 77;
    row.warnings = "[\"a sentence\"]";
    row.spec = R"({"hidden":64})";
    row.parts = "[]";
    return row;
}

std::int64_t rowsOf(Database& database, const std::string& table) {
    auto count = database.prepare("SELECT COUNT(*) FROM " + table);
    (void)count->step();
    return count->integer(0);
}

struct Store {
    explicit Store(const Path& file)
        : writer(openedAtNewest(file)), readers(file), catalog(readers, &writer), jobs(readers, &writer) {}
    Writer writer;
    Readers readers;
    Catalog catalog;
    JobLog jobs;
};

}  // namespace

class TestStore : public QObject {
    Q_OBJECT
private slots:
    void migrations_areNumberedFromOne() {
        int expected = 1;
        for (const Migration& migration : workspaceMigrations()) QCOMPARE(migration.version, expected++);
    }

    void migrate_bringsEveryOlderVersionForwardAndKeepsItsRows() {
        const int newest = static_cast<int>(workspaceMigrations().size());
        for (int from = 0; from <= newest; ++from) {
            const QTemporaryDir folder;
            const Path file = fileIn(folder);
            {
                Database old = openedAt(file, from);
                QCOMPARE(*old.schemaVersion(), from);
                if (from >= 1)
                    QVERIFY(old.execute(
                        "INSERT INTO models(id,name,digest,family,licence,parameters,bytes,dtype,source,folder,"
                        "linked,has_tokenizer,has_template,context,imported_at,warnings,spec,parts) "
                        "VALUES('m-1','a','sha256:1','llama','',1,1,'f32','s','f',0,0,0,8,5,'[]','{}','[]')"));
                if (from >= 2)
                    QVERIFY(
                        old.execute("INSERT INTO jobs VALUES(7,'import','t','c','{}','','running',0,0,'','','','',"
                                    "'',5,0)"));
                const std::string tenant = from >= 7 ? ",''" : "";
                if (from >= 6)
                    QVERIFY(old.execute(
                        "INSERT INTO adapters VALUES('a-1','m-1','x','d','lora',1,8,'[]',1,'f32','s','',5,'[]'" +
                        tenant + ")"));
            }
            Database database = openedAtNewest(file);
            QCOMPARE(*database.schemaVersion(), newest);
            QCOMPARE(rowsOf(database, "schema_migrations"), newest);
            QCOMPARE(rowsOf(database, "models"), from >= 1 ? 1 : 0);
            QCOMPARE(rowsOf(database, "jobs"), from >= 2 ? 1 : 0);
            QCOMPARE(rowsOf(database, "run_log"), 0);
            for (const char* table : {"tenants", "tenant_keys", "tenant_usage"}) QCOMPARE(rowsOf(database, table), 0);
            QCOMPARE(rowsOf(database, "adapters"), from >= 6 ? 1 : 0);
        }
    }

    void adapters_belongToABaseAndAreReplacedWhole() {
        const QTemporaryDir folder;
        Store store(fileIn(folder));
        AdapterCatalog adapters(store.readers, &store.writer);
        AdapterRow row{"a-1", "m-1", "math", "sha256:1", "lora", 1, 8, "[]", 10, "f32", "/x", "", 5, "[]"};
        QVERIFY(!adapters.put(std::vector<AdapterChange>{{row}}));  // no such base
        const auto insertBase = [](Database& database) {
            return database.execute(
                "INSERT INTO models(id,name,digest,family,licence,parameters,bytes,dtype,source,folder,"
                "linked,has_tokenizer,has_template,context,imported_at,removed_at,warnings,spec,parts) "
                "VALUES('m-1','a','sha256:1','llama','',1,1,'f32','s','f',0,0,0,8,5,6,'[]','{}','[]')");
        };
        QVERIFY(store.writer.write(insertBase));
        QVERIFY(adapters.put(std::vector<AdapterChange>{{row}}));
        QCOMPARE(*adapters.all(), std::vector<AdapterRow>{row});
        AdapterRow next = row;
        next.id = "a-2";
        next.version = 2;
        QCOMPARE(adapters.put(std::vector<AdapterChange>{{next}}).error().code, ErrorCode::AlreadyExists);
        QVERIFY(adapters.put(std::vector<AdapterChange>{{next, "a-1"}}));
        QCOMPARE(*adapters.all(), std::vector<AdapterRow>{next});
        QCOMPARE(adapters.put(std::vector<AdapterChange>{{row, "a-1"}}).error().code, ErrorCode::NotFound);
        QCOMPARE(*adapters.all(), std::vector<AdapterRow>{next});
        QVERIFY(*store.catalog.eraseRemoved("m-1"));  // the adapters of a deleted base go with it
        QVERIFY(adapters.all()->empty());
        QVERIFY(!*adapters.erase("a-2"));
        AdapterCatalog readOnly(store.readers, nullptr);
        QCOMPARE(readOnly.put(std::vector<AdapterChange>{{row}}).error().code, ErrorCode::Locked);
    }

    void migrate_refusesANewerSchemaAndTouchesNothing() {
        const QTemporaryDir folder;
        {
            Database database = openedAtNewest(fileIn(folder));
            QVERIFY(database.run("INSERT INTO schema_migrations VALUES(?,?,?)",
                                 {std::int64_t{99}, std::string("from the future"), std::int64_t{1}}));
        }
        auto database = Database::open(fileIn(folder), Database::Access::Write);
        const auto migrated = database->migrate(workspaceMigrations(), 1);
        QVERIFY(!migrated);
        QCOMPARE(migrated.error().code, ErrorCode::Database);
        QVERIFY(migrated.error().message.find("schema 99") != std::string::npos);
        QCOMPARE(*database->schemaVersion(), 99);
    }

    void migrate_rollsBackAStepThatFailsHalfway() {
        const QTemporaryDir folder;
        auto database = Database::open(fileIn(folder), Database::Access::Write);
        const Migration broken[] = {{1, "good", "CREATE TABLE a(x INTEGER)"},
                                    {2, "bad", "CREATE TABLE b(x INTEGER); CREATE TABLE a(x INTEGER)"}};
        const auto migrated = database->migrate(broken, 1);
        QVERIFY(!migrated);
        QVERIFY(migrated.error().message.find("version 2") != std::string::npos);
        QCOMPARE(*database->schemaVersion(), 1);
        QVERIFY(!database->prepare("SELECT * FROM b"));
    }

    void open_refusesADamagedFileAndLeavesItAsItIs() {
        const QTemporaryDir folder;
        const std::string junk(8192, 'x');
        std::ofstream(fileIn(folder), std::ios::binary) << junk;
        const auto database = Database::open(fileIn(folder), Database::Access::Write);
        QVERIFY(!database);
        QCOMPARE(database.error().code, ErrorCode::Database);
        QVERIFY(database.error().message.find("damaged and was left as it is") != std::string::npos);
        std::ifstream in(fileIn(folder), std::ios::binary);
        QCOMPARE(std::string(std::istreambuf_iterator<char>(in), {}), junk);
    }

    void checkIntegrity_findsAPageFullOfNoise() {
        const QTemporaryDir folder;
        {
            Store store(fileIn(folder));
            for (int i = 0; i < 200; ++i) {
                auto row = sampleModel("model-" + std::to_string(i), std::to_string(i));
                row.spec = std::string(500, 's');
                QVERIFY(store.catalog.add(row));
            }
        }
        {
            Database database = openedAtNewest(fileIn(folder));
            QVERIFY(database.execute("PRAGMA wal_checkpoint(TRUNCATE)"));
            QVERIFY(database.checkIntegrity());
        }
        std::fstream file(fileIn(folder), std::ios::in | std::ios::out | std::ios::binary);
        file.seekp(4096 * 12);
        file << std::string(4096 * 4, '\x5a');
        file.close();
        auto database = Database::open(fileIn(folder), Database::Access::Write);
        QVERIFY(database);
        const auto checked = database->checkIntegrity();
        QVERIFY(!checked);
        QVERIFY(checked.error().message.find("was left as it is") != std::string::npos);
    }

    void readConnection_cannotWrite() {
        const QTemporaryDir folder;
        const Database writer = openedAtNewest(fileIn(folder));
        auto reader = Database::open(fileIn(folder), Database::Access::Read);
        QVERIFY(reader);
        QVERIFY(!reader->execute("DELETE FROM models"));
    }

    void catalog_givesBackWhatWasAdded() {
        const QTemporaryDir folder;
        CatalogRow row = sampleModel("tiny", "abc");
        CatalogRow binned = sampleModel("old", "def");
        binned.removedAt = 99;
        {
            Store store(fileIn(folder));
            QVERIFY(store.catalog.add(row));
            QVERIFY(store.catalog.add(binned));
        }
        const Store store(fileIn(folder));
        const auto rows = store.catalog.all();
        QVERIFY(rows);
        QVERIFY(*rows == std::vector({binned, row}));
        QVERIFY(*store.catalog.byDigest(row.digest) == std::optional(row));
        QVERIFY(*store.catalog.byDigest("sha256:none") == std::nullopt);
    }

    void catalog_refusesASecondModelOfOneNameOrDigest() {
        const QTemporaryDir folder;
        Store store(fileIn(folder));
        QVERIFY(store.catalog.add(sampleModel("tiny", "abc")));
        const auto sameDigest = store.catalog.add(sampleModel("other", "abc"));
        QCOMPARE(sameDigest.error().code, ErrorCode::AlreadyExists);
        QVERIFY(sameDigest.error().message.find("\"tiny\" (m-abc)") != std::string::npos);
        QCOMPARE(store.catalog.add(sampleModel("tiny", "xyz")).error().code, ErrorCode::AlreadyExists);

        QVERIFY(store.catalog.setRemoved("m-abc", 5));
        QVERIFY(store.catalog.add(sampleModel("tiny", "xyz")));
        QCOMPARE(store.catalog.setRemoved("m-abc", std::nullopt).error().code, ErrorCode::AlreadyExists);
        QVERIFY(store.catalog.rename("m-xyz", "new name"));
        QVERIFY(store.catalog.setRemoved("m-abc", std::nullopt));
        QCOMPARE(store.catalog.rename("m-xyz", "tiny").error().code, ErrorCode::AlreadyExists);
        QCOMPARE(store.catalog.eraseRemoved("m-abc").value(), false);  // it is not in the bin
        QCOMPARE(store.catalog.all()->size(), std::size_t{2});
        QVERIFY(store.catalog.setRemoved("m-abc", 6));
        QCOMPARE(store.catalog.eraseRemoved("m-abc").value(), true);
        QCOMPARE(store.catalog.all()->size(), std::size_t{1});
    }

    void jobs_outliveTheProcess() {
        const QTemporaryDir folder;
        JobRow row;
        row.kind = "import";
        row.title = "Import tiny";
        row.command = "espalierctl import /tiny";
        row.arguments = R"({"path":"/tiny"})";
        row.state = "queued";
        row.createdAt = 11;
        {
            Store store(fileIn(folder));
            row.id = *store.jobs.add(row);
            row.state = "running";
            row.checkpoint = R"({"files":[]})";
            row.doneBytes = 5;
            row.allBytes = 10;
            row.errorCode = "disk_full";
            row.errorMessage = "the disk is full";
            QVERIFY(store.jobs.update(row));
        }
        Store store(fileIn(folder));
        QVERIFY(*store.jobs.jobs() == std::vector({row}));
        const std::int64_t first = row.id;
        QVERIFY(store.jobs.erase(first));
        QVERIFY(*store.jobs.add(row) > first);  // an id never comes back
    }

    void runLog_keepsItsOrderAndIsTrimmedFromTheOldEnd() {
        const QTemporaryDir folder;
        Store store(fileIn(folder));
        for (int i = 0; i < 100; ++i) store.jobs.append({i, "info", "test", "line " + std::to_string(i)});
        store.writer.flush();
        const auto tail = store.jobs.log(3);
        QVERIFY(*tail == std::vector<LogRow>({{97, "info", "test", "line 97"},
                                              {98, "info", "test", "line 98"},
                                              {99, "info", "test", "line 99"}}));
        QVERIFY(store.jobs.trimLog(10));
        QCOMPARE(store.jobs.log(1000)->size(), std::size_t{10});
    }

    void writer_rollsBackAFailedWriteAloneWithinItsBatch() {
        const QTemporaryDir folder;
        Store store(fileIn(folder));
        std::atomic<bool> gate = false;
        QVERIFY(store.writer.post([&](Database&) {
            while (!gate) std::this_thread::yield();
            return Result<void>();
        }));
        // These three wait behind the gate and become one transaction.
        const auto insert = [](std::int64_t at) {
            return [at](Database& database) {
                return database.run("INSERT INTO run_log(at, level, source, text) VALUES(?,'','','')", {at});
            };
        };
        QVERIFY(store.writer.post(insert(1)));
        QVERIFY(store.writer.post([&](Database& database) -> Result<void> {
            TRY(insert(2)(database));
            return fail(ErrorCode::Database, "refused");
        }));
        QVERIFY(store.writer.post(insert(3)));
        gate = true;
        store.writer.flush();
        const auto rows = store.jobs.log(10);
        QCOMPARE(rows->size(), std::size_t{2});
        QCOMPARE((*rows)[0].at, 1);
        QCOMPARE((*rows)[1].at, 3);
        QCOMPARE(store.writer.failedPosts().count, 1);
    }

    void writer_failsTheWholeBatchWhenTheTransactionIsGone() {
        const QTemporaryDir folder;
        Store store(fileIn(folder));
        std::atomic<bool> entered = false, gate = false;
        QVERIFY(store.writer.post([&](Database&) {
            entered = true;
            while (!gate) std::this_thread::yield();
            return Result<void>();
        }));
        while (!entered) std::this_thread::yield();  // the next three are one batch
        const auto insert = [](Database& database) {
            return database.run("INSERT INTO run_log(at, level, source, text) VALUES(1,'','','')", {});
        };
        QVERIFY(store.writer.post(insert));
        // As SQLite does on its own when the disk is full.
        QVERIFY(store.writer.post([](Database& database) -> Result<void> {
            TRY(database.execute("ROLLBACK"));
            return fail(ErrorCode::DiskFull, "full");
        }));
        QVERIFY(store.writer.post(insert));
        gate = true;
        store.writer.flush();
        QCOMPARE(store.jobs.log(10)->size(), std::size_t{0});
        QCOMPARE(store.writer.failedPosts().count, 3);
        QVERIFY(store.writer.write(insert));
        QCOMPARE(store.jobs.log(10)->size(), std::size_t{1});
    }

    void writer_answersWhoeverWaitsForWhatThrows() {
        const QTemporaryDir folder;
        Store store(fileIn(folder));
        const auto insert = [](Database& database) {
            return database.run("INSERT INTO run_log(at, level, source, text) VALUES(1,'','','')", {});
        };
        const auto surprised = store.writer.write([&](Database& database) -> Result<void> {
            TRY(insert(database));
            throw std::runtime_error("a library's surprise");
        });
        QCOMPARE(surprised.error().code, ErrorCode::Internal);
        QVERIFY(surprised.error().message.find("a library's surprise") != std::string::npos);
        const auto starved = store.writer.write([](Database&) -> Result<void> { throw std::bad_alloc(); });
        QCOMPARE(starved.error().code, ErrorCode::PoolExhausted);
        QVERIFY(store.writer.post([](Database&) -> Result<void> { throw std::runtime_error("of a post"); }));
        store.writer.flush();
        QCOMPARE(store.writer.failedPosts().count, 1);
        QVERIFY(store.writer.failedPosts().newest.message.find("of a post") != std::string::npos);
        QVERIFY(store.writer.write(insert));
        QCOMPARE(store.jobs.log(10)->size(), std::size_t{1});  // and nothing of the first
    }

    // Both rows of a write or none, whichever allocation of the writer's thread fails behind the first.
    void writer_goesOnWhereverMemoryFails() {
        const QTemporaryDir folder;
        Store store(fileIn(folder));
        const auto insert = [](Database& database) {
            const std::string text(100, 'x');
            return database.run("INSERT INTO run_log(at, level, source, text) VALUES(?,?,?,?)", {1, text, text, text});
        };
        int failed = 0;
        std::size_t rows = 0;
        for (int n = 1;; ++n) {
            QVERIFY(n < 1000);
            const std::int64_t before = failedAllocations();
            const auto written = store.writer.write([&](Database& database) -> Result<void> {
                TRY(insert(database));
                failAllocation(n);
                return insert(database);
            });
            QVERIFY(store.writer.write([](Database&) {
                failAllocation(0);
                return Result<void>();
            }) || failedAllocations() > before);
            rows += written ? 2 : 0;
            QCOMPARE(store.jobs.log(10'000)->size(), rows);
            if (!written) QCOMPARE(written.error().code, ErrorCode::PoolExhausted);
            if (failedAllocations() == before) break;
            ++failed;
        }
        qInfo("%d allocations failed", failed);
        QVERIFY(failed >= 5 && rows > 0);
    }

    void endedJobs_areTrimmedFromTheOldEndAndOpenOnesStay() {
        const QTemporaryDir folder;
        Store store(fileIn(folder));
        for (std::int64_t i = 1; i <= 6; ++i) {
            JobRow row;
            row.kind = "scan";
            row.id = store.jobs.add(row).value();
            row.endedAt = i == 2 ? 0 : i;
            QVERIFY(store.jobs.update(row));
        }
        QVERIFY(store.jobs.trimEndedJobs(2));
        std::vector<std::int64_t> ids;
        const auto rows = store.jobs.jobs();
        for (const JobRow& row : *rows) ids.push_back(row.id);
        QCOMPARE(ids, (std::vector<std::int64_t>{2, 5, 6}));
    }

    void writer_saysBusyWhenItsMailboxIsFull() {
        const QTemporaryDir folder;
        Writer writer(openedAtNewest(fileIn(folder)), 2);
        std::atomic<bool> entered = false, gate = false;
        QVERIFY(writer.post([&](Database&) {
            entered = true;
            while (!gate) std::this_thread::yield();
            return Result<void>();
        }));
        while (!entered) std::this_thread::yield();
        const auto nothing = [](Database&) { return Result<void>(); };
        QVERIFY(writer.post(nothing));
        QVERIFY(writer.post(nothing));
        QCOMPARE(writer.post(nothing).error().code, ErrorCode::Busy);
        gate = true;
        writer.flush();
        QVERIFY(writer.post(nothing));
    }

    void readers_readWhileTheWriterHoldsATransaction() {
        const QTemporaryDir folder;
        Store store(fileIn(folder));
        QVERIFY(store.catalog.add(sampleModel("tiny", "abc")));
        std::atomic<bool> entered = false, gate = false;
        QVERIFY(store.writer.post([&](Database& database) {
            auto written = database.execute("DELETE FROM models");
            entered = true;
            while (!gate) std::this_thread::yield();
            return written;
        }));
        while (!entered) std::this_thread::yield();
        const auto rows = store.catalog.all();
        gate = true;
        QVERIFY(rows);
        QCOMPARE(rows->size(), std::size_t{1});
        store.writer.flush();
        QCOMPARE(store.catalog.all()->size(), std::size_t{0});
    }

    void changesOfAReadOnlyWorkspace_areRefused() {
        const QTemporaryDir folder;
        const Database created = openedAtNewest(fileIn(folder));
        Readers readers(fileIn(folder));
        Catalog catalog(readers, nullptr);
        QCOMPARE(catalog.add(sampleModel("tiny", "abc")).error().code, ErrorCode::Locked);
        QVERIFY(catalog.all());
    }
};
ESPALIER_TEST(tst_store, TestStore)
#include "tst_store.moc"

// SPDX-License-Identifier: GPL-3.0-or-later
#include <QTemporaryDir>
#include <QTest>

#include "core/store/tenant_store.h"
#include "tests/support/test_main.h"

using namespace espalier;

namespace {

struct Store {
    QTemporaryDir folder;
    std::unique_ptr<Writer> writer;
    std::unique_ptr<Readers> readers;
    std::unique_ptr<TenantStore> tenants;

    Store() {
        const Path file = Path(folder.path().toStdString()) / "workspace.db";
        auto database = Database::open(file, Database::Access::Write);
        if (!database->migrate(workspaceMigrations(), 1)) qFatal("migrations");
        writer = std::make_unique<Writer>(std::move(*database));
        readers = std::make_unique<Readers>(file);
        tenants = std::make_unique<TenantStore>(*readers, writer.get());
    }
};

TenantRow row(const std::string& name) {
    return {.name = name,
            .weight = 2.5,
            .maxConcurrency = 1,
            .requestsPerMinute = 2,
            .tokensPerMinute = 3,
            .tokensPerDay = 4,
            .kvPages = 5,
            .firstTokenMs = 6,
            .expiresAt = 7,
            .models = "[\"m\"]",
            .createdAt = 8,
            .revokedAt = std::nullopt};
}

KeyRow key(const std::string& id, const std::string& tenant) {
    return {id, tenant, "hash of " + id, "esp_" + id, 10, std::nullopt, std::nullopt};
}

}  // namespace

class TestTenantStore : public QObject {
    Q_OBJECT
private slots:
    void tenants_comeBackAsTheyWereAndByName() {
        Store store;
        QVERIFY(store.tenants->add(row("bo")));
        QVERIFY(store.tenants->add(row("ada")));
        QCOMPARE(store.tenants->add(row("ada")).error().code, ErrorCode::AlreadyExists);
        QCOMPARE(*store.tenants->tenants(), (std::vector<TenantRow>{row("ada"), row("bo")}));
        TenantRow changed = row("ada");
        changed.weight = 1.0;
        changed.models = "[]";
        changed.revokedAt = 99;
        QVERIFY(store.tenants->update(changed));
        QCOMPARE(*store.tenants->tenants(), (std::vector<TenantRow>{changed, row("bo")}));
    }
    void keys_belongToATenantAndAreReplacedTogether() {
        Store store;
        QVERIFY(!store.tenants->addKey(key("1", "ada")));  // there is no such tenant
        QVERIFY(store.tenants->add(row("ada")));
        QVERIFY(store.tenants->addKey(key("1", "ada")));
        QVERIFY(!store.tenants->replaceKey("1", 50, key("1", "ada")));  // the id is taken: nothing happens
        QCOMPARE(*store.tenants->keys(), std::vector<KeyRow>{key("1", "ada")});
        QVERIFY(store.tenants->replaceKey("1", 50, key("2", "ada")));
        KeyRow revoked = key("1", "ada");
        revoked.revokedAt = 50;
        QCOMPARE(*store.tenants->keys(), (std::vector<KeyRow>{revoked, key("2", "ada")}));
        QVERIFY(store.tenants->setKeyRevoked("1", std::nullopt));
        QCOMPARE(*store.tenants->keys(), (std::vector<KeyRow>{key("1", "ada"), key("2", "ada")}));
    }
    void usage_addsUpByHourAndDay() {
        Store store;
        QVERIFY(store.tenants->add(row("ada")));
        QVERIFY(store.tenants->addKey(key("1", "ada")));
        QVERIFY(store.tenants->count({{"ada", kHourMs, 1, 2, 3, 4, 5}, {"bo", kHourMs, 1, 0, 0, 0, 0}}, {{"1", 77}}));
        QVERIFY(store.tenants->count({{"ada", kHourMs, 10, 20, 30, 40, 50}, {"ada", 30 * kHourMs, 1, 1, 1, 1, 1}}, {}));
        store.tenants->flush();
        QCOMPARE(*store.tenants->usage({}), (std::vector<UsageRow>{{"ada", kHourMs, 11, 22, 33, 44, 55},
                                                                   {"ada", 30 * kHourMs, 1, 1, 1, 1, 1},
                                                                   {"bo", kHourMs, 1, 0, 0, 0, 0}}));
        QCOMPARE(*store.tenants->usage({.from = 0, .to = 30 * kHourMs, .tenant = "ada", .bucketMs = kDayMs}),
                 (std::vector<UsageRow>{{"ada", 0, 11, 22, 33, 44, 55}}));
        QCOMPARE(store.tenants->keys()->at(0).lastUsedAt, std::optional<std::int64_t>(77));
        QVERIFY(store.tenants->trimUsage(2 * kHourMs));
        QCOMPARE(store.tenants->usage({})->size(), std::size_t{1});
    }
    void aStoreThatIsOnlyRead_changesNothing() {
        Store store;
        TenantStore reading(*store.readers, nullptr);
        QCOMPARE(reading.add(row("ada")).error().code, ErrorCode::Locked);
        QCOMPARE(reading.count({{"ada", 0, 1, 1, 1, 1, 1}}, {}).error().code, ErrorCode::Locked);
        QVERIFY(reading.tenants()->empty());
    }
};
ESPALIER_TEST(tst_tenant_store, TestTenantStore)
#include "tst_tenant_store.moc"

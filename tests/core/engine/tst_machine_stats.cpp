// SPDX-License-Identifier: GPL-3.0-or-later
#include "core/engine/machine_stats.h"

#include <QTemporaryDir>

#include <algorithm>
#include <cstdlib>
#include <fstream>

#include "tests/support/test_main.h"

using namespace espalier;

class TestMachineStats : public QObject {
    Q_OBJECT

private slots:
    void theDiskIsThatOfTheFolder() {
        const QTemporaryDir folder;
        const Path path = folder.path().toStdString();
        const MachineStats stats = machineStats(path);
        const auto space = std::filesystem::space(path);
        QVERIFY(stats.diskBytes > 0 && stats.diskBytes <= static_cast<std::int64_t>(space.capacity));
        QVERIFY(stats.diskFreeBytes > 0 && stats.diskFreeBytes <= stats.diskBytes);
        // Others write meanwhile: what is used is about what the file system says.
        const auto used = static_cast<std::int64_t>(space.capacity - space.free);
        QVERIFY(std::abs(stats.diskBytes - stats.diskFreeBytes - used) < std::max<std::int64_t>(used / 10, 1 << 30));
    }
    void memoryAndProcessorsAreThoseOfTheMachine() {
        const MachineStats stats = machineStats("/");
        std::ifstream file("/proc/meminfo");
        std::string key;
        std::int64_t kib = 0;
        file >> key >> kib;
        QCOMPARE(key, std::string("MemTotal:"));
        QVERIFY(stats.memoryBytes > 0 && stats.memoryBytes <= kib * 1024);
        QVERIFY(stats.memoryFreeBytes > 0 && stats.memoryFreeBytes <= stats.memoryBytes);
        QVERIFY(stats.processors >= 1);
    }
    void whatIsNotKnownIsZero() {
        const MachineStats stats = machineStats("/nowhere/at/all");
        QCOMPARE(stats.diskBytes, std::int64_t{0});
        QCOMPARE(stats.diskFreeBytes, std::int64_t{0});
        QVERIFY(stats.memoryBytes > 0);
    }
};

ESPALIER_TEST(tst_machine_stats, TestMachineStats)
#include "tst_machine_stats.moc"

// SPDX-License-Identifier: GPL-3.0-or-later
#include <sys/resource.h>

#include <QTest>
#include <cstdio>

#include "core/compute/host_memory.h"
#include "tests/support/test_main.h"

using namespace espalier;

namespace {

constexpr std::int64_t kMiB = 1 << 20;

std::int64_t mappedBytes() {
    long long pages = 0;
    if (std::FILE* file = std::fopen("/proc/self/statm", "re")) {
        if (std::fscanf(file, "%lld", &pages) != 1) pages = 0;
        std::fclose(file);
    }
    return pages * 4096;
}

// While it lives the process can map no more than this beyond what it has.
class MappingLimit {
public:
    explicit MappingLimit(std::int64_t bytes) {
        getrlimit(RLIMIT_AS, &m_before);
        rlimit limit = m_before;
        limit.rlim_cur = static_cast<rlim_t>(mappedBytes() + bytes);
        m_isSet = setrlimit(RLIMIT_AS, &limit) == 0;
    }
    ~MappingLimit() { setrlimit(RLIMIT_AS, &m_before); }
    MappingLimit(const MappingLimit&) = delete;
    bool isSet() const { return m_isSet; }

private:
    rlimit m_before{};
    bool m_isSet = false;
};

}  // namespace

class TestHostMemory : public QObject {
    Q_OBJECT
private slots:
    void whatIsBeyondTheLimitIsRefusedInNumbersAndComesBack() {
        HostMemory memory(10 * kMiB);
        const auto first = memory.allocate(6 * kMiB);
        QVERIFY(first);
        const auto refused = memory.allocate(5 * kMiB);
        QCOMPARE(refused.error().code, ErrorCode::PoolExhausted);
        QVERIFY(refused.error().message.find("5242880 bytes") != std::string::npos);
        QVERIFY(refused.error().message.find("6291456 of 10485760") != std::string::npos);
        QVERIFY(!memory.allocate(11 * kMiB));
        memory.release(*first, 6 * kMiB);
        const auto again = memory.allocate(10 * kMiB);
        QVERIFY(again);
        memory.release(*again, 10 * kMiB);
    }
    // The n-th mapping fails, for each n until all of them are there.
    void aMappingThatFailsIsAnErrorAndTakesNothing() {
#if defined(__SANITIZE_ADDRESS__) || defined(__SANITIZE_THREAD__)
        QSKIP("sanitizers end the process where they cannot map for themselves");
#endif
        constexpr int kMappings = 6;
        HostMemory memory(64 * kMiB);
        for (int n = 0; n <= kMappings; ++n) {
            std::vector<std::byte*> made;
            Result<std::byte*> last = static_cast<std::byte*>(nullptr);
            {
                const MappingLimit limit(8 * kMiB * n + 4 * kMiB);
                QVERIFY(limit.isSet());
                while (made.size() < kMappings) {
                    last = memory.allocate(8 * kMiB - (8 << 10));  // whatever it takes to align it fits beside
                    if (!last) break;
                    made.push_back(*last);
                }
            }
            if (static_cast<int>(made.size()) < kMappings) {
                QCOMPARE(last.error().code, ErrorCode::PoolExhausted);
                QVERIFY2(last.error().message.ends_with("the machine has no more"), last.error().message.c_str());
            }
            QVERIFY2(std::abs(static_cast<int>(made.size()) - n) <= 1, std::to_string(made.size()).c_str());
            for (std::byte* one : made) {
                *one = std::byte{1};
                memory.release(one, 8 * kMiB - (8 << 10));
            }
            const auto all = memory.allocate(64 * kMiB);  // nothing is still counted
            QVERIFY(all);
            memory.release(*all, 64 * kMiB);
        }
    }
};
ESPALIER_TEST(tst_host_memory, TestHostMemory)
#include "tst_host_memory.moc"

// SPDX-License-Identifier: GPL-3.0-or-later
// The compiled normalisation rules: published ones are read, those that lie are refused, none leads out of its bytes.
#include <QTest>
#include <random>

#include "core/tokenizer/base64.h"
#include "core/tokenizer/charsmap.h"
#include "core/tokenizer/utf8.h"
#include "tests/core/tokenizer/golden_files.h"
#include "tests/support/test_main.h"

using namespace espalier;
using namespace espalier::test;

namespace {

constexpr std::uint32_t kValue = 1u << 31;
constexpr std::uint32_t kHasValue = 1u << 8;

std::string u32(std::uint32_t value) {
    std::string out;
    for (int i = 0; i < 4; ++i) out += static_cast<char>(static_cast<unsigned char>(value >> (8 * i)));
    return out;
}

// An array of units whose root has its children at 0.
struct Trie {
    std::vector<std::uint32_t> units = std::vector<std::uint32_t>(256, 0);
    std::string replacements = std::string("x\0", 2);

    void edge(std::uint32_t parentBase, unsigned char label, std::uint32_t base, bool hasValue) {
        const std::uint32_t at = parentBase ^ label;
        units.resize(std::max<std::size_t>(units.size(), at + 1));
        units[at] = (at ^ base) << 10 | (hasValue ? kHasValue : 0) | label;
    }
    std::string bytes() const {
        std::string out = u32(static_cast<std::uint32_t>(4 * units.size()));
        for (const std::uint32_t unit : units) out += u32(unit);
        return out + replacements;
    }
};

Trie oneRule(std::uint32_t value) {  // "a" becomes what is at `value`
    Trie trie;
    trie.edge(0, 'a', 128, true);
    trie.units[128] = kValue | value;
    return trie;
}

std::string refusal(const std::string& bytes) {
    const auto map = Charsmap::parse(bytes, "rules");
    return map ? "was accepted" : map.error().message;
}

}  // namespace

class TestCharsmap : public QObject {
    Q_OBJECT
private slots:
    void rules_areFound() {
        const Charsmap map = Charsmap::parse(oneRule(0).bytes(), "rules").value();
        QCOMPARE(map.shortest("ab")->bytes, std::size_t{1});
        QCOMPARE(map.longest("ab")->replacement, std::string_view("x"));
        QVERIFY(!map.shortest("b") && !map.longest("") && !map.longest(std::string_view("\0", 1)));
        const Charsmap published = Charsmap::parse(readData("nmt_nfkc.charsmap"), "rules").value();
        QCOMPARE(published.longest("\uFB01")->replacement, std::string_view("fi"));
        QCOMPARE(published.longest("\u0041\u030Ax")->replacement, std::string_view("\u00C5"));
        QVERIFY(Charsmap::parse(readData("nmt_nfkc_cf.charsmap"), "rules").has_value());
    }

    void rules_thatLie_areRefused() {
        const auto said = [](const std::string& bytes, const char* part) {
            const std::string message = refusal(bytes);
            QVERIFY2(message.starts_with("rules "), message.c_str());
            QVERIFY2(message.find(part) != std::string::npos, message.c_str());
        };
        const std::string whole = oneRule(0).bytes();
        said("", "has 0 bytes");
        said(u32(8) + u32(0) + u32(0), "says that its trie has 8 bytes");
        said(u32(0xFFFFFFFF) + whole.substr(4), "says that its trie has 4294967295 bytes");
        said(u32(1023) + whole.substr(4), "expected a multiple of 4");
        said(u32(0) + whole.substr(4), "says that its trie has 0 bytes");
        said(whole.substr(0, whole.size() - 1), "does not end its replacements with a zero byte");
        said(std::string(17u << 20, '\0'), "at most 16777216 are read");
        Trie trie = oneRule(0);
        trie.replacements = std::string("\xFFx\0", 3);
        said(trie.bytes(), "that are not UTF-8");
        said(oneRule(2).bytes(), "whose replacement is at byte 2 of 2");
        trie = oneRule(1);
        trie.replacements = std::string("\xC3\xA9\0", 3);
        said(trie.bytes(), "whose replacement is at byte 1 of 3");
        trie = oneRule(0);
        trie.edge(0, 'b', 100000, false);
        said(trie.bytes(), "leads outside of its trie, to unit 100000");
        trie.edge(0, 'b', 300, true);
        said(trie.bytes(), "leads outside of its trie, to unit 300");
        trie.edge(0, 'b', 0, false);
        said(trie.bytes(), "leads back into itself");
        trie = Trie();
        trie.units[0] = std::uint32_t{'a'} << 10 | kHasValue | 'a';  // the root as its own child
        said(trie.bytes(), "leads back into itself");
        Trie longRule;
        longRule.edge(0, 'a', 256, false);
        for (std::uint32_t i = 1; i < 300; ++i) longRule.edge(256 * i, 'a', 256 * (i + 1), false);
        longRule.units.resize(256 * 301);
        said(longRule.bytes(), "has a rule of more than 256 bytes");
    }

    void ends_mayBeShared() {
        Trie trie = oneRule(0);
        trie.edge(0, 'b', 128, true);
        const Charsmap map = Charsmap::parse(trie.bytes(), "rules").value();
        QCOMPARE(map.longest("b")->replacement, std::string_view("x"));
    }

    void changedBytes_neverLeadOutside() {
        const std::string whole = readData("nmt_nfkc.charsmap");
        std::mt19937 random(3);
        std::size_t refused = 0;
        for (int round = 0; round < 40; ++round) {
            std::string bytes = whole;
            for (int i = 0; i < 3; ++i) bytes[4 + random() % (bytes.size() - 4)] = static_cast<char>(random());
            const auto map = Charsmap::parse(bytes, "rules");
            if (!map) {
                ++refused;
                continue;
            }
            std::string text;
            for (char32_t code = 1; code < 0x3400; code += 7) appendUtf8(text, code);
            for (std::size_t at = 0; at < text.size(); ++at)
                if (const auto rule = map->longest(std::string_view(text).substr(at)))
                    QVERIFY(rule->bytes <= 256 && isValidUtf8(rule->replacement));
        }
        qInfo("seed 3: %zu of 40 refused", refused);
    }

    void base64_isStrict() {
        QCOMPARE(bytesOfBase64("").value(), std::string());
        QCOMPARE(bytesOfBase64("Zg==").value(), std::string("f"));
        QCOMPARE(bytesOfBase64("Zm8=").value(), std::string("fo"));
        QCOMPARE(bytesOfBase64("+/+/").value(), std::string("\xFB\xFF\xBF"));
        for (const char* wrong : {"Z", "Zg", "Zg=", "Z===", "Zm 8", "Zg==Zg==", "Zm8*"}) QVERIFY(!bytesOfBase64(wrong));
    }
};
ESPALIER_TEST(tst_charsmap, TestCharsmap)
#include "tst_charsmap.moc"

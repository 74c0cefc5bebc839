// SPDX-License-Identifier: GPL-3.0-or-later
// Character classes against those of `tokenizers`, for every code point that ICU knows.
#include <unicode/uchar.h>
#include <unicode/unorm2.h>

#include <QTest>
#include <functional>

#include "core/tokenizer/graphemes.h"
#include "core/tokenizer/unicode_classes.h"
#include "core/tokenizer/utf8.h"
#include "tests/core/tokenizer/golden_files.h"
#include "tests/support/test_main.h"

using namespace espalier;
using namespace espalier::test;

namespace {

constexpr char32_t kEnd = 0x110000;

bool isCharacter(char32_t code) {
    return code < 0xD800 || code > 0xDFFF;
}

std::vector<bool> golden(const char* name) {
    std::vector<bool> members(kEnd, false);
    const Json classes = readDataJson("unicode.json");
    for (const Json& range : classes[name])
        for (std::size_t code = range[0]; code <= range[1].get<std::size_t>(); ++code) members[code] = true;
    return members;
}

std::string clustersOf(std::string_view text) {
    std::string out;
    for (std::size_t at = 0; at < text.size();) {
        const std::size_t end = graphemeEnd(text, at);
        out += std::string(text.substr(at, end - at)) + "|";
        at = end;
    }
    return out;
}

}  // namespace

class TestUnicodeClasses : public QObject {
    Q_OBJECT
private slots:
    void classes_equal_data() {
        QTest::addColumn<std::function<bool(char32_t)>>("isMember");
        const auto row = [](const char* name, bool (*test)(char32_t)) {
            QTest::newRow(name) << std::function<bool(char32_t)>(test);
        };
        row("other", [](char32_t code) {  // as clean_text sees them: these three are spaces there
            return code != '\t' && code != '\n' && code != '\r' && isOtherCharacter(code);
        });
        row("ideograph", isCjkIdeograph);
        row("nonspacing", [](char32_t code) {
            // Those that NFD takes apart are never seen alone.
            return isNonspacingMark(code) &&
                   u_getIntPropertyValue(static_cast<UChar32>(code), UCHAR_NFD_QUICK_CHECK) == UNORM_YES;
        });
        row("combining", isCombiningMark);
        row("space", isWhiteSpace);
        row("punctuation", isPunctuation);
    }
    void classes_equal() {
        QFETCH(std::function<bool(char32_t)>, isMember);
        const std::vector<bool> members = golden(QTest::currentDataTag());
        QVERIFY(std::count(members.begin(), members.end(), true) > 9);
        for (char32_t code = 0; code < kEnd; ++code)
            if (isCharacter(code) && isMember(code) != members[code])
                QFAIL(("U+" + QString::number(code, 16)).toStdString().c_str());
    }

    void lowerCase_equalsForAssignedCharacters() {
        const Json lower = readDataJson("unicode.json")["lower"];
        QVERIFY(lower.size() > 1400);
        for (char32_t code = 0; code < kEnd; ++code) {
            if (!isCharacter(code) || !u_isdefined(static_cast<UChar32>(code))) continue;
            std::string expected, found;
            appendUtf8(expected, code);
            if (const auto entry = lower.find(std::to_string(code)); entry != lower.end()) expected = *entry;
            appendLowerCase(found, code);
            QCOMPARE(found, expected);
        }
    }

    void graphemes_areExtendedClusters() {
        QCOMPARE(clustersOf("a\r\nb\n\r"), std::string("a|\r\n|b|\n|\r|"));
        QCOMPARE(clustersOf("e\u0301\u0301x\u0301"), std::string("e\u0301\u0301|x\u0301|"));
        QCOMPARE(clustersOf("\u1100\u1161\u11A8\uAC00\u11A8\uAC01\u1161"),
                 std::string("\u1100\u1161\u11A8|\uAC00\u11A8|\uAC01|\u1161|"));
        QCOMPARE(clustersOf("\U0001F1E9\U0001F1EA\U0001F1EF"), std::string("\U0001F1E9\U0001F1EA|\U0001F1EF|"));
        QCOMPARE(clustersOf("\u00A9\u200D\u00A9a\u200D\u00A9"), std::string("\u00A9\u200D\u00A9|a\u200D|\u00A9|"));
        QCOMPARE(clustersOf("\U0001F468\U0001F3FD\u200D\U0001F680!"),
                 std::string("\U0001F468\U0001F3FD\u200D\U0001F680|!|"));
        QCOMPARE(clustersOf("\u0915\u093E\u0600\u0661"), std::string("\u0915\u093E|\u0600\u0661|"));
    }
};
ESPALIER_TEST(tst_unicode_classes, TestUnicodeClasses)
#include "tst_unicode_classes.moc"

// SPDX-License-Identifier: GPL-3.0-or-later
#include <QTest>
#include <set>

#include "core/base/hash.h"
#include "tests/support/test_main.h"

using namespace espalier;

class TestHash : public QObject {
    Q_OBJECT
private slots:
    void sha256_givesThePublishedDigests() {  // FIPS 180-4 examples
        const auto digest = [](std::string_view text) {
            Sha256 sha;
            sha.update(text);
            return sha.finishHex();
        };
        QCOMPARE(digest(""), std::string("e3b0c44298fc1c149afbf4c8996fb92427ae41e4649b934ca495991b7852b855"));
        QCOMPARE(digest("abc"), std::string("ba7816bf8f01cfea414140de5dae2223b00361a396177a9cb410ff61f20015ad"));
    }
    void sha256_doesNotDependOnThePieces() {
        const std::string text(1000, 'q');
        Sha256 whole;
        whole.update(text);
        Sha256 pieces;
        for (std::size_t at = 0; at < text.size(); at += 7) pieces.update(std::string_view(text).substr(at, 7));
        QCOMPARE(pieces.finishHex(), whole.finishHex());
    }
    void keyedHash_dependsOnKeyAndBytes() {
        const HashKey key = randomHashKey();
        const HashKey other = randomHashKey();
        const auto bytes = std::as_bytes(std::span("abcd"));
        QVERIFY(keyedHash(key, bytes) == keyedHash(key, bytes));
        QVERIFY(keyedHash(key, bytes) != keyedHash(other, bytes));
        QVERIFY(keyedHash(key, bytes) != keyedHash(key, bytes.first(3)));
    }
    void randomToken_isUrlSafeAndDoesNotRepeat() {
        std::set<std::string> seen;
        for (int i = 0; i < 100; ++i) {
            const std::string token = randomToken(32);
            QCOMPARE(token.size(), std::size_t{43});
            QVERIFY(token.find_first_not_of("ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789-_") ==
                    std::string::npos);
            QVERIFY(seen.insert(token).second);
        }
    }
    void equalConstantTime_comparesContents() {
        QVERIFY(equalConstantTime("secret", "secret"));
        QVERIFY(!equalConstantTime("secret", "secreT"));
        QVERIFY(!equalConstantTime("secret", "secret2"));
    }
};
ESPALIER_TEST(tst_hash, TestHash)
#include "tst_hash.moc"

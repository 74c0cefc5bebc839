// SPDX-License-Identifier: GPL-3.0-or-later
// Reads tests/data/tokenizer, which make_golden.py and make_templates.py wrote.
#pragma once

#include <QByteArray>
#include <QCryptographicHash>
#include <QTest>
#include <fstream>
#include <sstream>
#include <string>
#include <vector>

#include "core/base/json.h"
#include "core/tokenizer/tokenizer.h"

namespace espalier::test {

inline std::string readData(const std::string& name) {
    std::ifstream file(std::string(ESPALIER_TEST_DATA) + "/tokenizer/" + name, std::ios::binary);
    std::ostringstream text;
    text << file.rdbuf();
    return std::move(text).str();
}

inline std::vector<std::string> readDataLines(const std::string& name) {
    std::istringstream text(readData(name));
    std::vector<std::string> lines;
    for (std::string line; std::getline(text, line);) lines.push_back(line);
    return lines;
}

inline Json readDataJson(const std::string& name) {
    return parseJson(readData(name), name).value();
}

// A tokenizer.json with the normalisation rules that the script left out put back.
inline std::string readTokenizerJson(const std::string& name) {
    std::string text = readData(name + ".json");
    const std::string key = "\"precompiled_charsmap\":\"";
    const std::size_t at = text.find(key);
    if (at == std::string::npos) return text;
    const std::size_t begin = at + key.size(), end = text.find('"', begin);
    const auto rules = QByteArray::fromStdString(readData(text.substr(begin, end - begin)));
    return text.replace(begin, end - begin, rules.toBase64().toStdString());
}

inline std::shared_ptr<const Tokenizer> readTokenizer(const std::string& name) {
    auto tokenizer = parseTokenizer(readTokenizerJson(name), name + ".json");
    if (!tokenizer) qFatal("%s", tokenizer.error().message.c_str());
    return std::move(tokenizer).value();
}

// Ids as one comparable, readable string.
inline std::string idText(const std::vector<TokenId>& ids) {
    std::string text;
    for (const TokenId id : ids) text += std::to_string(id) + ' ';
    return text;
}

inline std::vector<TokenId> idsFromBase36(const std::string& line) {
    std::istringstream words(line);
    std::vector<TokenId> ids;
    for (std::string word; words >> word;) ids.push_back(static_cast<TokenId>(std::stol(word, nullptr, 36)));
    return ids;
}

// The first eight digits of the text's SHA-1, as the scripts store decoded texts.
inline std::string shortHash(const std::string& text) {
    return QCryptographicHash::hash(QByteArray::fromStdString(text), QCryptographicHash::Sha1)
        .toHex()
        .left(8)
        .toStdString();
}

}  // namespace espalier::test

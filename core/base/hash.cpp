// SPDX-License-Identifier: GPL-3.0-or-later
#include "core/base/hash.h"

#include <openssl/evp.h>
#include <sodium.h>

#include <cstring>
#include <vector>

#include "core/base/check.h"

namespace espalier {
namespace {

void startSodium() {
    static const bool started = sodium_init() >= 0;
    CHECK(started);
}

}  // namespace

void Sha256::Free::operator()(EVP_MD_CTX* context) const {
    EVP_MD_CTX_free(context);
}

// These calls fail only without memory or with a broken library; neither can be survived here.
Sha256::Sha256() : m_context(EVP_MD_CTX_new()) {
    CHECK(m_context && EVP_DigestInit_ex(m_context.get(), EVP_sha256(), nullptr) == 1);
}

void Sha256::update(std::span<const std::byte> bytes) {
    CHECK(EVP_DigestUpdate(m_context.get(), bytes.data(), bytes.size()) == 1);
}

std::array<std::uint8_t, 32> Sha256::finish() {
    std::array<std::uint8_t, 32> digest;
    CHECK(EVP_DigestFinal_ex(m_context.get(), digest.data(), nullptr) == 1);
    return digest;
}

std::string Sha256::finishHex() {
    return hex(finish());
}

std::string hex(std::span<const std::uint8_t> bytes) {
    static constexpr char kDigits[] = "0123456789abcdef";
    std::string text;
    text.reserve(bytes.size() * 2);
    for (const std::uint8_t byte : bytes) {
        text += kDigits[byte >> 4];
        text += kDigits[byte & 15];
    }
    return text;
}

HashKey randomHashKey() {
    startSodium();
    HashKey key;
    randombytes_buf(key.data(), key.size());
    return key;
}

Hash128 keyedHash(const HashKey& key, std::span<const std::byte> bytes) {
    Hash128 digest;
    crypto_generichash(reinterpret_cast<unsigned char*>(digest.data()), sizeof digest,
                       reinterpret_cast<const unsigned char*>(bytes.data()), bytes.size(), key.data(), key.size());
    return digest;
}

std::string randomToken(std::size_t bytes) {
    startSodium();
    std::vector<unsigned char> raw(bytes);
    randombytes_buf(raw.data(), raw.size());
    std::string text(sodium_base64_encoded_len(bytes, sodium_base64_VARIANT_URLSAFE_NO_PADDING), '\0');
    sodium_bin2base64(text.data(), text.size(), raw.data(), raw.size(), sodium_base64_VARIANT_URLSAFE_NO_PADDING);
    text.resize(std::strlen(text.c_str()));
    return text;
}

bool equalConstantTime(std::string_view a, std::string_view b) {
    return a.size() == b.size() && sodium_memcmp(a.data(), b.data(), a.size()) == 0;
}

}  // namespace espalier

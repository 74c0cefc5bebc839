// SPDX-License-Identifier: GPL-3.0-or-later
// Digests: SHA-256 for identity on disk (OpenSSL's, which uses the processor's SHA instructions: an import is as fast
// as this), a keyed 128-bit BLAKE2b of libsodium for the prefix cache (a tenant cannot construct a collision without
// the per-process key).
#pragma once

#include <array>
#include <cstddef>
#include <cstdint>
#include <memory>
#include <span>
#include <string>
#include <string_view>

struct evp_md_ctx_st;  // OpenSSL's EVP_MD_CTX

namespace espalier {

class Sha256 {
public:
    Sha256();
    void update(std::span<const std::byte> bytes);
    void update(std::string_view text) { update(std::as_bytes(std::span(text))); }
    std::array<std::uint8_t, 32> finish();
    std::string finishHex();  // 64 lower-case digits

private:
    struct Free {
        void operator()(evp_md_ctx_st* context) const;
    };
    std::unique_ptr<evp_md_ctx_st, Free> m_context;
};

std::string hex(std::span<const std::uint8_t> bytes);

using Hash128 = std::array<std::uint64_t, 2>;
using HashKey = std::array<std::uint8_t, 32>;

HashKey randomHashKey();
Hash128 keyedHash(const HashKey& key, std::span<const std::byte> bytes);

std::string randomToken(std::size_t bytes);  // URL-safe base64 from the system's random source
bool equalConstantTime(std::string_view a, std::string_view b);

}  // namespace espalier

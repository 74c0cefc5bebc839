// SPDX-License-Identifier: GPL-3.0-or-later
// The table of one instruction set, what measurements use as probes, and the exponentials by themselves.
#pragma once

namespace {

float fmaRounds(std::int64_t rounds, std::int64_t* flops) {
    constexpr int kChains = 12;
    const F a = Simd::set(0.999f);
    const F b = Simd::set(0.001f);
    F acc[kChains];
    for (int i = 0; i < kChains; ++i) acc[i] = Simd::set(static_cast<float>(i));
    for (std::int64_t round = 0; round < rounds; ++round)
#pragma GCC unroll 16
        for (int i = 0; i < kChains; ++i) acc[i] = Simd::fma(acc[i], a, b);
    F total = Simd::zero();
    for (int i = 0; i < kChains; ++i) total = Simd::add(total, acc[i]);
    *flops = rounds * kChains * kWidth * 2;
    return Simd::sum(total);
}

// Four streams side by side: one alone does not keep enough reads in flight to fill a memory channel.
std::uint32_t sumWords(const std::uint32_t* words, std::int64_t count) {
    const std::int64_t quarter = count / 4;
    std::uint32_t totals[4] = {};
    for (std::int64_t i = 0; i < quarter; ++i)
#pragma GCC unroll 4
        for (int stream = 0; stream < 4; ++stream) totals[stream] += words[stream * quarter + i];
    for (std::int64_t i = 4 * quarter; i < count; ++i) totals[0] += words[i];
    return totals[0] + totals[1] + totals[2] + totals[3];
}

void exponentials(float* values, std::int64_t count) {
    forVectors(count, [&](std::int64_t i, int n) { storeSome(values + i, exponential(loadSome(values + i, n)), n); });
}

void powersOfTwo(float* values, std::int64_t count) {
    forVectors(count, [&](std::int64_t i, int n) { storeSome(values + i, powerOfTwo(loadSome(values + i, n)), n); });
}

using namespace espalier::cpu;

constexpr CpuKernels kTable = {
    {gemm<StoredF32>, gemm<StoredBf16>, gemm<StoredF16>, gemmBlocks<LayoutQ8_0>, gemmBlocks<LayoutQ4_0>,
     gemmBlocks<LayoutQ4_1>, gemmBlocks<LayoutQ5_0>, gemmBlocks<LayoutQ5_1>, gemmBlocks<LayoutQ4_K>,
     gemmBlocks<LayoutQ5_K>, gemmBlocks<LayoutQ6_K>},
    Simd::kGemmRows,
    {nullptr, gemmPairs, nullptr, gemmFours<LayoutQ8_0>, gemmFours<LayoutQ4_0>, gemmFours<LayoutQ4_1>,
     gemmFours<LayoutQ5_0>, gemmFours<LayoutQ5_1>, gemmFours<LayoutQ4_K>, gemmFours<LayoutQ5_K>, gemmFours<LayoutQ6_K>},
    roundToBf16,
    roundToI8,
    {gather<StoredF32>, gather<StoredBf16>, gather<StoredF16>, gatherBlocks<LayoutQ8_0>, gatherBlocks<LayoutQ4_0>,
     gatherBlocks<LayoutQ4_1>, gatherBlocks<LayoutQ5_0>, gatherBlocks<LayoutQ5_1>, gatherBlocks<LayoutQ4_K>,
     gatherBlocks<LayoutQ5_K>, gatherBlocks<LayoutQ6_K>},
    norm,
    rope,
    {activation<silu>, activation<gelu>, activation<geluTanh>, activation<relu>},
    add,
    {storeKv<StoredF32>, storeKv<StoredBf16>, storeKv<StoredF16>},
    {attention<StoredF32>, attention<StoredBf16>, attention<StoredF16>},
    mergeAttention,
    {loraShrink<StoredF32>, loraShrink<StoredBf16>, loraShrink<StoredF16>},
    {loraExpand<StoredF32>, loraExpand<StoredBf16>, loraExpand<StoredF16>},
    {loraGather<StoredF32>, loraGather<StoredBf16>, loraGather<StoredF16>},
    {loraRow<StoredF32>, loraRow<StoredBf16>, loraRow<StoredF16>},
    exponentials,
    powersOfTwo,
    {fmaRounds, pairRounds, fourRounds},
    sumWords,
};

}  // namespace

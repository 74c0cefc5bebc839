// SPDX-License-Identifier: GPL-3.0-or-later
// How it differs from the contract: it does not. This file cuts the work into tasks for the threads; the kernels behind
// CpuKernels do it. A task is a set of whole output elements, so neither the cut nor the thread changes a bit.
#include <algorithm>
#include <array>
#include <cstdio>
#include <cstring>
#include <memory>
#include <utility>
#include <vector>

#include "core/base/thread_pool.h"
#include "core/compute/contract.h"
#include "core/compute/cpu/block_panels.h"
#include "core/compute/cpu/cpu_machine.h"
#include "core/compute/cpu/kernels.h"
#include "core/compute/host_memory.h"

namespace espalier {
namespace {

using namespace cpu;
static_assert(kPageTokens == kTokensPerPage);

// Below these a second thread costs more than it saves (waking one takes a few microseconds).
constexpr std::int64_t kParallelMacs = 1 << 16;
constexpr std::int64_t kParallelElements = 1 << 14;
constexpr int kTasksPerThread = 4;  // so that a thread that was held up gets less

constexpr std::int64_t divideUp(std::int64_t value, std::int64_t by) {
    return (value + by - 1) / by;
}

CpuKernels kernelsOf(IsaLevel level, bool dots) {
#if defined(__x86_64__)
    if (level == IsaLevel::Avx512) {
        CpuKernels kernels = avx512Kernels();
        const DotInstructions has = dots ? availableDots() : DotInstructions{};
        if (has.bf16) useAvx512Bf16(kernels);
        if (has.int8) useAvx512Vnni(kernels);
        return kernels;
    }
    if (level == IsaLevel::Avx2) return avx2Kernels();
#endif
    CHECK(level == IsaLevel::Plain);
    return plainKernels();
}

std::string processorName() {
    std::string name = "CPU";
    std::FILE* file = std::fopen("/proc/cpuinfo", "re");
    if (!file) return name;
    char line[512];
    while (std::fgets(line, sizeof line, file)) {
        if (std::strncmp(line, "model name", 10) != 0) continue;
        if (const char* colon = std::strchr(line, ':')) name = colon + 2;
        while (!name.empty() && name.back() <= ' ') name.pop_back();
        break;
    }
    std::fclose(file);
    return name;
}

template <class T, class View>
auto* rowOf(const View& view, std::int64_t row) {
    return view.template as<T>() + row * view.stride[0];
}

// `floats` floats of memory that is kept for its capacity, from where a line of the cache begins.
float* lines(std::vector<float>& memory, std::int64_t floats) {
    constexpr std::size_t kLine = 64;
    std::size_t space = (static_cast<std::size_t>(floats) * sizeof(float)) + kLine;
    if (memory.size() * sizeof(float) < space) memory.resize(space / sizeof(float));
    void* from = memory.data();
    return static_cast<float*>(std::align(kLine, space - kLine, from, space));
}

// Copies panel `panel` of a row-major [N, K] matrix of T: [K][32], or [K / 2][32][2] for pairs.
template <class T>
void packPanel(T* to, const T* from, std::int64_t rows, std::int64_t cols, std::int64_t panel, bool pairs) {
    const std::int64_t first = panel * kPanelColumns;
    const std::int64_t count = std::min<std::int64_t>(kPanelColumns, rows - first);
    to += panel * (pairs ? divideUp(cols, 2) * 2 : cols) * kPanelColumns;
    for (std::int64_t k = 0; k < cols; ++k)
        for (std::int64_t n = 0; n < count; ++n)
            to[pairs ? (k / 2 * kPanelColumns + n) * 2 + k % 2 : k * kPanelColumns + n] = from[(first + n) * cols + k];
}

class CpuBackend final : public Backend, public CpuMachine {
public:
    explicit CpuBackend(const CpuOptions& options)
        : m_isa(options.isa.value_or(bestIsa())),
          m_compute(options.compute),
          m_kernels(kernelsOf(m_isa, options.dots)),
          m_memory(options.memoryLimit),
          m_threads(options.threads,
                    options.ownCores ? ThreadPool::Placement::OwnCores : ThreadPool::Placement::System) {
        CHECK(m_isa <= bestIsa());
        m_name = processorName() + ", " + std::to_string(m_threads.threads()) +
                 (m_threads.threads() == 1 ? " thread, " : " threads, ") + std::string(isaName(m_isa));
    }

    DeviceDesc device() const override {
        DeviceDesc desc;
        desc.kind = DeviceKind::Cpu;
        desc.name = m_name;
        desc.isa = isaName(m_isa);
        desc.memoryBytes = m_memory.limit();
        desc.freeBytes = m_memory.free();
        desc.threads = m_threads.threads();
        desc.compute = m_compute;
        return desc;
    }

    void settle() override { m_threads.settle(); }

    Result<Buffer> allocate(std::int64_t bytes, MemoryKind kind) override {
        TRY_ASSIGN(std::byte * data, m_memory.allocate(bytes));
        return Buffer(*this, data, bytes, kind);
    }
    void copy(Stream&, void* to, const void* from, std::int64_t bytes) override {
        if (bytes > 0) std::memcpy(to, from, static_cast<std::size_t>(bytes));  // nothing may come with null
    }
    void fill(Stream&, void* to, int byte, std::int64_t bytes) override {
        std::memset(to, byte, static_cast<std::size_t>(bytes));
    }

    std::unique_ptr<Stream> makeStream() override { return std::make_unique<Stream>(); }
    std::unique_ptr<StreamEvent> record(Stream&) override { return std::make_unique<StreamEvent>(); }
    void wait(Stream&, const StreamEvent&) override {}
    Result<void> synchronize(Stream&) override { return {}; }

    std::int64_t packedBytes(std::int64_t rows, std::int64_t cols, DType dtype) const override {
        if (isBlock(dtype)) return divideUp(rows, kPanelColumns) * blockPanelBytes(dtype, cols);
        const std::int64_t k = dtype == DType::BF16 ? divideUp(cols, 2) * 2 : cols;
        return divideUp(rows, kPanelColumns) * kPanelColumns * k * static_cast<std::int64_t>(bytesOf(dtype));
    }

    Result<WeightMatrix> packWeight(ConstTensorView source) override {
        contract::packWeight(source);
        const std::int64_t rows = source.rows();
        const std::int64_t cols = source.cols();
        TRY_ASSIGN(Buffer panels, allocate(packedBytes(rows, cols, source.dtype), MemoryKind::Device));
        m_threads.parallelFor(divideUp(rows, kPanelColumns), [&](std::int64_t panel) {
            if (isBlock(source.dtype))
                packBlockPanel(panels.data() + panel * blockPanelBytes(source.dtype, cols), source.dtype, source.data,
                               rows, cols, panel);
            else if (source.dtype == DType::F32)
                packPanel(reinterpret_cast<float*>(panels.data()), source.as<float>(), rows, cols, panel, false);
            else
                packPanel(reinterpret_cast<std::uint16_t*>(panels.data()), source.as<std::uint16_t>(), rows, cols,
                          panel, source.dtype == DType::BF16);
        });
        return WeightMatrix{rows, cols, source.dtype, std::move(panels)};
    }

    void gemm(Stream&, TensorView y, ConstTensorView x, const WeightMatrix& w, const GemmDesc& desc) override {
        contract::gemm(y, x, w, desc);
        GemmArgs args{x.as<float>(),  x.stride[0],   w.panels.data(), w.cols,
                      w.rows,         y.as<float>(), y.stride[0],     desc.bias.data ? desc.bias.as<float>() : nullptr,
                      desc.accumulate};
        const bool isRounded = computeModeFor(w.dtype, m_compute) != ComputeMode::F32;
        if (isRounded) roundRows(args, x.rows(), isBlock(w.dtype));
        const auto kernel = (isRounded ? m_kernels.gemmRounded : m_kernels.gemm)[weightTypeOf(w.dtype)];
        const std::int64_t rows = x.rows();
        const std::int64_t panels = divideUp(w.rows, kPanelColumns);
        const std::int64_t tasks = tasksFor(rows * w.rows * w.cols, kParallelMacs);
        // Columns first: each thread streams its own weights. Rows are cut only when there are too few panels.
        const std::int64_t panelsEach = divideUp(panels, tasks);
        const std::int64_t panelTasks = divideUp(panels, panelsEach);
        const std::int64_t rowsEach =
            divideUp(divideUp(rows, divideUp(tasks, panelTasks)), m_kernels.gemmRows) * m_kernels.gemmRows;
        const std::int64_t rowTasks = divideUp(rows, rowsEach);
        m_threads.parallelFor(panelTasks * rowTasks, [&](std::int64_t task) {
            const std::int64_t panel = task % panelTasks * panelsEach;
            const std::int64_t row = task / panelTasks * rowsEach;
            kernel(args, row, std::min(row + rowsEach, rows), panel, std::min(panel + panelsEach, panels));
        });
    }

    void norm(Stream&, TensorView y, ConstTensorView x, ConstTensorView weight, const NormDesc& desc) override {
        contract::norm(y, x, weight, desc);
        const NormArgs args{.x = x.as<float>(),
                            .xStride = x.stride[0],
                            .y = y.as<float>(),
                            .yStride = y.stride[0],
                            .dim = x.cols() / desc.groups,
                            .groups = desc.groups,
                            .weight = weight.as<float>(),
                            .bias = desc.bias.data ? desc.bias.as<float>() : nullptr,
                            .eps = desc.eps,
                            .subtractMean = desc.kind == NormKind::LayerNorm};
        forRows(x.rows(), x.cols(), [&](std::int64_t first, std::int64_t last) { m_kernels.norm(args, first, last); });
    }

    void gather(Stream&, TensorView out, const WeightMatrix& table, ConstTensorView ids) override {
        contract::gather(out, table, ids);
        const auto kernel = m_kernels.gather[weightTypeOf(table.dtype)];
        forRows(out.rows(), table.cols, [&](std::int64_t first, std::int64_t last) {
            for (std::int64_t t = first; t < last; ++t)
                kernel(rowOf<float>(out, t), table.panels.data(), table.cols, ids.as<std::int32_t>()[t]);
        });
    }

    void rope(Stream&, TensorView x, ConstTensorView cos, ConstTensorView sin, const RopeDesc& desc) override {
        contract::rope(x, cos, sin, desc);
        const RopeArgs args{x.as<float>(), x.stride[0], cos.as<float>(), cos.stride[0],     sin.as<float>(),
                            sin.stride[0], desc.heads,  desc.headDim,    desc.rotaryDim / 2};
        forRows(x.rows(), x.cols(), [&](std::int64_t first, std::int64_t last) { m_kernels.rope(args, first, last); });
    }

    void storeKv(Stream&, const KvPages& pages, ConstTensorView k, ConstTensorView v,
                 std::span<const Segment> segments) override {
        contract::storeKv(*this, pages, k, v, segments);
        const auto kernel = m_kernels.storeKv[weightTypeOf(pages.dtype)];
        forRows(pages.kvHeads, k.rows() * pages.headDim, [&](std::int64_t first, std::int64_t last) {
            for (std::int64_t head = first; head < last; ++head)
                for (const Segment& segment : segments) storeHead(kernel, pages, k, v, segment, static_cast<int>(head));
        });
    }

    void attention(Stream&, TensorView out, ConstTensorView q, const KvPages& pages, std::span<const Segment> segments,
                   const AttentionDesc& desc) override;

    void activation(Stream&, TensorView out, ConstTensorView gate, ConstTensorView up, ActivationKind kind) override {
        contract::activation(out, gate, up);
        const ActivationArgs args{out.as<float>(),
                                  out.stride[0],
                                  gate.as<float>(),
                                  gate.stride[0],
                                  up.data ? up.as<float>() : nullptr,
                                  up.data ? up.stride[0] : 0,
                                  gate.cols()};
        const auto kernel = m_kernels.activation[static_cast<int>(kind)];
        forRows(gate.rows(), gate.cols(), [&](std::int64_t first, std::int64_t last) { kernel(args, first, last); });
    }

    void add(Stream&, TensorView y, ConstTensorView x) override {
        contract::add(y, x);
        forRows(y.rows(), y.cols(), [&](std::int64_t first, std::int64_t last) {
            for (std::int64_t t = first; t < last; ++t) m_kernels.add(rowOf<float>(y, t), rowOf<float>(x, t), y.cols());
        });
    }

    void loraShrink(Stream&, TensorView v, ConstTensorView x, LoraBatch batch) override {
        contract::loraShrink(v, x, batch);
        m_lora.clear();
        std::int64_t work = 0;
        for (const LoraRows& part : batch)
            for (const LoraModule& module : part.modules) {
                LoraArgs args = loraArgs(part, module);
                args.from = rowOf<float>(x, part.firstRow);
                args.fromStride = x.stride[0];
                args.to = rowOf<float>(v, part.firstRow) + module.firstRank;
                args.toStride = v.stride[0];
                args.firstTile = module.firstTile;
                args.columns = module.inputs;
                const std::int32_t slabs = loraSlabs(module.rank);
                work += std::int64_t{part.rows} * slabs * kLoraSlab * module.inputs;
                addLora(args, slabs, m_kernels.loraShrink[weightTypeOf(module.dtype)]);
            }
        runLora(work);
    }

    void loraExpand(Stream&, TensorView y, ConstTensorView v, LoraBatch batch) override {
        contract::loraExpand(y, v, batch);
        m_lora.clear();
        std::int64_t work = 0;
        for (const LoraRows& part : batch)
            for (const LoraModule& module : part.modules) {
                LoraArgs args = loraArgs(part, module);
                args.from = rowOf<float>(v, part.firstRow) + module.firstRank;
                args.fromStride = v.stride[0];
                args.to = rowOf<float>(y, part.firstRow) + module.firstOutput;
                args.toStride = y.stride[0];
                args.firstTile = module.firstTileOfB();
                args.columns = module.outputs;
                work += std::int64_t{part.rows} * module.rank * module.outputs;
                addLora(args, loraTilesAcross(module.outputs, module.tileColumns),
                        m_kernels.loraExpand[weightTypeOf(module.dtype)]);
            }
        runLora(work);
    }

    void loraGather(Stream&, TensorView v, ConstTensorView ids, LoraBatch batch) override {
        contract::loraGather(v, ids, batch);
        for (const LoraRows& part : batch)
            for (const LoraModule& module : part.modules) {
                LoraArgs args = loraArgs(part, module);
                args.to = rowOf<float>(v, part.firstRow) + module.firstRank;
                args.toStride = v.stride[0];
                args.firstTile = module.firstTile;
                args.columns = module.inputs;
                m_kernels.loraGather[weightTypeOf(module.dtype)](args, ids.as<std::int32_t>() + part.firstRow);
            }
    }

    void loraActivate(Stream&, TensorView v, LoraBatch batch) override {
        contract::loraActivate(v, batch);
        for (const LoraRows& part : batch)
            for (const LoraModule& module : part.modules) {
                const std::int64_t count = module.rank - 1;
                if (std::ssize(m_loraBias) < count) m_loraBias.resize(static_cast<std::size_t>(count));
                LoraArgs args = loraArgs(part, module);
                args.firstTile = module.firstTileOfBias();
                args.columns = count;
                m_kernels.loraRow[weightTypeOf(module.dtype)](args, m_loraBias.data());
                float* ranks = rowOf<float>(v, part.firstRow) + module.firstRank;
                const std::int64_t stride = v.stride[0];
                forRows(part.rows, count, [&](std::int64_t first, std::int64_t last) {
                    for (std::int64_t t = first; t < last; ++t)
                        m_kernels.add(ranks + t * stride, m_loraBias.data(), count);
                    m_kernels.activation[static_cast<int>(*module.activation)](
                        {ranks, stride, ranks, stride, nullptr, 0, count}, first, last);
                    for (std::int64_t t = first; t < last; ++t) {
                        for (std::int64_t j = 0; j < count; ++j) ranks[t * stride + j] *= module.scale;
                        ranks[t * stride + count] = module.scale;
                    }
                });
            }
    }

    std::int64_t kvPageBytes(int kvHeads, int headDim, DType dtype) const override {
        return std::int64_t{2} * kvHeads * headDim * kTokensPerPage * static_cast<std::int64_t>(bytesOf(dtype));
    }

    ThreadPool& threads() override { return m_threads; }
    const CpuKernels& kernels() const override { return m_kernels; }

private:
    // Puts the rows of args.x, rounded, beside it. They lie in memory of this object until the next product.
    void roundRows(GemmArgs& args, std::int64_t rows, bool toI8) {
        const auto grow = [](auto& values, std::int64_t count) {
            if (static_cast<std::int64_t>(values.size()) < count) values.resize(static_cast<std::size_t>(count));
            return values.data();
        };
        args.wordStride = divideUp(args.k * (toI8 ? 1 : 2), 4) * 4;
        RoundArgs round{args.x, args.xStride, args.k, grow(m_words, rows * args.wordStride), args.wordStride, {}, {}};
        if (toI8) {
            round.unit = grow(m_units, rows * (args.k / 32));
            round.sums = grow(m_sums, rows * (args.k / 16));
        }
        const auto kernel = toI8 ? m_kernels.roundToI8 : m_kernels.roundToBf16;
        forRows(rows, args.k, [&](std::int64_t first, std::int64_t last) { kernel(round, first, last); });
        args.words = round.words;
        args.unit = round.unit;
        args.sums = round.sums;
    }

    std::int64_t tasksFor(std::int64_t work, std::int64_t threshold) const {
        return work < threshold || m_threads.threads() == 1 ? 1 : std::int64_t{m_threads.threads()} * kTasksPerThread;
    }

    // body(first, last) over [0, rows), in parallel when rows * cols is worth it.
    template <class Body>
    void forRows(std::int64_t rows, std::int64_t cols, const Body& body) {
        if (rows == 0) return;
        const std::int64_t each = divideUp(rows, tasksFor(rows * cols, kParallelElements));
        m_threads.parallelFor(divideUp(rows, each),
                              [&](std::int64_t task) { body(task * each, std::min(task * each + each, rows)); });
    }

    static LoraArgs loraArgs(const LoraRows& part, const LoraModule& module) {
        LoraArgs args{};
        args.rows = part.rows;
        args.pages = module.pages.data();
        args.tilesPerPage = module.tilesPerPage;
        args.tileColumns = module.tileColumns;
        args.rank = module.rank;
        args.scale = module.activation ? 1.0f : module.scale;
        return args;
    }

    // A long prompt is cut by rows as well, so that one adapter alone keeps every thread busy.
    void addLora(LoraArgs args, std::int64_t parts, void (*kernel)(const LoraArgs&, std::int64_t)) {
        constexpr std::int64_t kRowsPerTask = 24;
        for (std::int64_t left = args.rows; left > 0; left -= kRowsPerTask) {
            args.rows = std::min(left, kRowsPerTask);
            m_lora.push_back({args, kernel, m_loraParts});
            m_loraParts += parts;
            args.from += kRowsPerTask * args.fromStride;
            args.to += kRowsPerTask * args.toStride;
        }
    }

    // Consecutive parts, of one module or several, are a task.
    void runLora(std::int64_t work) {
        const std::int64_t count = std::exchange(m_loraParts, 0);
        const std::int64_t tasks = std::min(count, tasksFor(work, kParallelMacs));
        if (tasks == 0) return;
        m_threads.parallelFor(tasks, [&](std::int64_t task) {
            const std::int64_t end = count * (task + 1) / tasks;
            std::int64_t part = count * task / tasks;
            auto next = std::ranges::upper_bound(m_lora, part, {}, &LoraWork::firstPart);
            while (part < end) {
                const LoraWork& one = *std::prev(next);
                const std::int64_t last = next == m_lora.end() ? end : std::min(end, next->firstPart);
                for (; part < last; ++part) one.kernel(one.args, part - one.firstPart);
                if (next != m_lora.end()) ++next;
            }
        });
    }

    static void storeHead(void (*kernel)(const StoreArgs&), const KvPages& pages, const ConstTensorView& k,
                          const ConstTensorView& v, const Segment& segment, int head) {
        for (std::int32_t done = 0; done < segment.rows;) {
            const std::int32_t position = segment.position0 + done;
            const int slot = position % kTokensPerPage;
            const int count = std::min(segment.rows - done, kTokensPerPage - slot);
            const std::int64_t row = segment.firstRow + done;
            const std::int64_t column = std::int64_t{head} * pages.headDim;
            const std::int32_t page = segment.pages[static_cast<std::size_t>(position / kTokensPerPage)];
            kernel({pages.base + page * pages.pageBytes, pages.kvHeads, head, pages.headDim, slot, count,
                    rowOf<float>(k, row) + column, k.stride[0], rowOf<float>(v, row) + column, v.stride[0]});
            done += count;
        }
    }

    void release(std::byte* data, std::int64_t bytes, MemoryKind) override { m_memory.release(data, bytes); }

    IsaLevel m_isa;
    ComputeMode m_compute;
    CpuKernels m_kernels;
    HostMemory m_memory;
    ThreadPool m_threads;
    std::string m_name;
    std::vector<std::byte> m_words;  // rounded rows; these and the following are kept for their capacity
    std::vector<float> m_units;
    std::vector<std::int32_t> m_sums;
    std::vector<AttentionArgs> m_attention;  // one per task
    std::vector<AttentionArgs> m_spans;      // one per task and span
    std::vector<float> m_states;
    struct LoraWork {  // some rows of a module: slabs of a shrink, tile columns of an expand
        LoraArgs args;
        void (*kernel)(const LoraArgs&, std::int64_t);
        std::int64_t firstPart;  // of the batch
    };
    std::vector<LoraWork> m_lora;
    std::int64_t m_loraParts = 0;
    std::vector<float> m_loraBias;  // of one bottleneck
};

// A task is a block of rows of one segment for one kv head: its queries share every load of K and V. Where that gives
// the threads too few tasks, each span of a long text is one, and the states they leave are merged.
void CpuBackend::attention(Stream&, TensorView out, ConstTensorView q, const KvPages& pages,
                           std::span<const Segment> segments, const AttentionDesc& desc) {
    contract::attention(*this, out, q, pages, segments, desc);
    constexpr int kQueriesPerTask = 64;  // their scores of a span are a quarter of a megabyte: the second-level cache
    const int group = desc.heads / pages.kvHeads;
    const int rowsEach = std::max(1, kQueriesPerTask / group);
    m_attention.clear();
    std::int64_t work = 0;
    for (const Segment& segment : segments)
        for (std::int32_t row = 0; row < segment.rows; row += rowsEach)
            for (int head = 0; head < pages.kvHeads; ++head) {
                const std::int64_t column = std::int64_t{head} * group * pages.headDim;
                const int rows = std::min(rowsEach, segment.rows - row);
                const int position = segment.position0 + row;
                const int keys = desc.causal ? 0 : segment.rows;
                const int firstKey = desc.window > 0 ? std::max(0, position - desc.window + 1) : 0;
                const int lastKey = keys > 0 ? keys - 1 : position + rows - 1;
                m_attention.push_back({rowOf<float>(q, segment.firstRow + row) + column,
                                       q.stride[0],
                                       rowOf<float>(out, segment.firstRow + row) + column,
                                       out.stride[0],
                                       pages.base,
                                       pages.pageBytes,
                                       segment.pages.data(),
                                       pages.kvHeads,
                                       head,
                                       pages.headDim,
                                       group,
                                       rows,
                                       position,
                                       desc.window,
                                       keys,
                                       desc.scale,
                                       firstKey / kAttentionSpan,
                                       lastKey / kAttentionSpan + 1,
                                       true,
                                       nullptr,
                                       nullptr});
                work += std::int64_t{rows} * group * (lastKey - firstKey + 1) * pages.headDim;
            }
    const auto kernel = m_kernels.attention[weightTypeOf(pages.dtype)];
    const std::int64_t stateFloats = attentionState(pages.headDim);
    const auto run = [&](const std::vector<AttentionArgs>& tasks, std::int64_t task) {
        thread_local std::vector<float> memory;
        AttentionArgs args = tasks[static_cast<std::size_t>(task)];
        const std::int64_t queries = std::int64_t{args.rows} * group;
        const std::int64_t scratch = attentionScratch(queries, pages.headDim);
        args.scratch = lines(memory, scratch + queries * stateFloats);
        if (!args.states) args.states = args.scratch + scratch;
        kernel(args);
    };
    const std::int64_t count = std::ssize(m_attention);
    if (work < kParallelMacs) {
        for (std::int64_t task = 0; task < count; ++task) run(m_attention, task);
        return;
    }
    if (m_threads.threads() == 1 || count >= std::int64_t{m_threads.threads()} * kTasksPerThread)
        return m_threads.parallelFor(count, [&](std::int64_t task) { run(m_attention, task); });
    // The states of a task's spans lie one after the other.
    std::int64_t floats = 0;
    for (const AttentionArgs& args : m_attention)
        floats += std::int64_t{args.rows} * group * (args.span1 - args.span0) * stateFloats;
    float* states = lines(m_states, floats);
    int firstSpan = m_attention.front().span0, lastSpan = 0;
    for (AttentionArgs& args : m_attention) {
        args.states = states;
        states += std::int64_t{args.rows} * group * (args.span1 - args.span0) * stateFloats;
        firstSpan = std::min(firstSpan, args.span0);
        lastSpan = std::max(lastSpan, args.span1);
    }
    // Span by span: the heads of a span lie in the same pages.
    m_spans.clear();
    for (int span = firstSpan; span < lastSpan; ++span)
        for (const AttentionArgs& args : m_attention) {
            if (span < args.span0 || span >= args.span1) continue;
            AttentionArgs one = args;
            one.span0 = span;
            one.span1 = span + 1;
            one.finish = args.span1 - args.span0 == 1;
            one.states = args.states + std::int64_t{args.rows} * group * (span - args.span0) * stateFloats;
            m_spans.push_back(one);
        }
    m_threads.parallelFor(std::ssize(m_spans), [&](std::int64_t task) { run(m_spans, task); });
    for (const AttentionArgs& args : m_attention)
        if (args.span1 - args.span0 > 1) m_kernels.mergeAttention(args);
}

}  // namespace

std::unique_ptr<Backend> makeCpuBackend(const CpuOptions& options) {
    return std::make_unique<CpuBackend>(options);
}

CpuMachine* cpuMachineOf(Backend& backend) {
    return dynamic_cast<CpuMachine*>(&backend);
}

}  // namespace espalier

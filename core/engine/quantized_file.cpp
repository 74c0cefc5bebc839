// SPDX-License-Identifier: GPL-3.0-or-later
#include "core/engine/quantized_file.h"

#include <algorithm>
#include <cmath>
#include <set>

#include "core/base/relay.h"
#include "core/formats/gguf_architecture.h"
#include "core/formats/gguf_model.h"
#include "core/formats/gguf_writer.h"
#include "core/models/non_finite_scan.h"
#include "core/models/weight_map.h"
#include "core/tensor/quantized_block.h"
#include "core/tensor/widen.h"

namespace espalier {
namespace {

constexpr std::uint32_t kQuantizationVersion = 2;  // of the block formats, as ggml counts them
constexpr std::int64_t kPieceValues = 1 << 18;
constexpr std::uint64_t kPieceBytes = 1 << 20;  // of what is hashed only
constexpr std::size_t kPieces = 4;
constexpr double kLargestF16 = 65504;

Error stopped() {
    return fail(ErrorCode::Cancelled, "quantising was stopped");
}

// LLAMA_FTYPE_MOSTLY_Q8_0 and _Q4_0: what "general.file_type" says.
std::uint32_t fileTypeOf(DType type) {
    return type == DType::Q8_0 ? 7 : 2;
}

const std::string& storedNameOf(const TensorEntry& entry) {
    return entry.storedName.empty() ? entry.name : entry.storedName;
}

// What a GGUF file can hold; the rest is nothing a model uses.
bool isWritable(const TensorEntry& entry) {
    return isGgufName(storedNameOf(entry)) && ggufTensorType(entry.dtype) && !entry.shape.empty() &&
           entry.shape.size() <= 4 && std::ranges::all_of(entry.shape, [](std::int64_t size) { return size > 0; });
}

std::map<std::string, std::vector<std::size_t>, std::less<>> writtenTensors(const ModelFiles& model) {
    std::map<std::string, std::vector<std::size_t>, std::less<>> tensors;
    for (std::size_t i = 0; i < model.tensors.size(); ++i)
        if (isWritable(model.tensors[i])) tensors[model.tensors[i].file.filename().string()].push_back(i);
    return tensors;
}

std::vector<const TensorEntry*> entriesOf(const ModelFiles& model, const QuantizePlan& plan, std::string_view file) {
    std::vector<const TensorEntry*> entries;
    if (const auto found = plan.tensors.find(file); found != plan.tensors.end())
        for (const std::size_t i : found->second) entries.push_back(&model.tensors[i]);
    return entries;
}

GgufTensor targetOf(const QuantizePlan& plan, const TensorEntry& entry) {
    GgufTensor target{storedNameOf(entry), entry.dtype, entry.shape};
    if (const auto change = plan.changes.find(entry.name); change != plan.changes.end()) {
        target.dtype = change->second.type;
        if (change->second.transposed) std::swap(target.shape[0], target.shape[1]);
    }
    return target;
}

std::uint64_t bytesOf(const GgufTensor& tensor) {
    std::int64_t count = 1;
    for (const std::int64_t size : tensor.shape) count *= size;
    return static_cast<std::uint64_t>(storedBytes(tensor.dtype, count));
}

// "model.safetensors" -> "model.gguf", shards to the names that shards of GGUF files have; GGUF files keep theirs.
std::map<std::string, std::string, std::less<>> targetNames(const ModelFiles& model, const QuantizePlan& plan) {
    std::vector<std::string> weights;
    for (const ModelFile& file : model.files)
        if (plan.tensors.contains(file.name)) weights.push_back(file.name);
    std::map<std::string, std::string, std::less<>> names;
    const ShardName parts{"model", 1, static_cast<std::int64_t>(weights.size())};
    for (std::size_t i = 0; i < weights.size(); ++i) {
        const bool isGguf = weights[i].ends_with(".gguf");
        names[weights[i]] = isGguf                ? weights[i]
                            : weights.size() == 1 ? "model.gguf"
                                                  : parts.at(static_cast<std::int64_t>(i) + 1);
    }
    return names;
}

void planStack(const TensorStack& stack, const ModelFiles& model, DType type, QuantizePlan& plan) {
    for (const std::string& name : stack.names) {
        const auto entry = std::ranges::lower_bound(model.tensors, name, {}, &TensorEntry::name);
        CHECK(entry != model.tensors.end() && entry->name == name && entry->shape.size() == 2);
        if (entry->shape[stack.transposed ? 0 : 1] % blockOf(type).values == 0)
            plan.changes[name] = {type, stack.transposed};
    }
}

// Reads the values of one tensor in order, as f32, and writes them in its new type.
class Rounder {
public:
    Rounder(const TensorEntry& entry, const QuantizePlan::Change& change) : m_entry(entry), m_change(change) {}

    DType type() const { return m_change.type; }

    // Blocks of a piece of whole rows.
    Result<void> round(std::span<const std::byte> stored, std::vector<std::byte>& blocks) {
        NonFiniteScan scan(m_entry.dtype);
        scan.add(stored);
        if (scan.nan() + scan.infinite() > 0)
            return fail(ErrorCode::NonFinite,
                        m_entry.location() +
                            " holds NaN or infinity, which have no quantised form; import it without --quantize",
                        m_entry.location());
        m_values.resize(stored.size() / espalier::bytesOf(m_entry.dtype));
        widenFinite(m_entry.dtype, stored, m_values);
        if (m_change.transposed) transpose();
        blocks.resize(static_cast<std::size_t>(storedBytes(m_change.type, static_cast<std::int64_t>(m_values.size()))));
        quantize(m_change.type, m_values, blocks.data());
        return checkScales(blocks);
    }

private:
    // Scales are f16: finite values can be beyond what they reach.
    Result<void> checkScales(std::span<const std::byte> blocks) const {
        NonFiniteScan scan(m_change.type);
        scan.add(blocks);
        if (scan.nan() + scan.infinite() == 0) return {};
        float largest = 0;
        for (const float value : m_values) largest = std::max(largest, std::abs(value));
        // The largest value is -8 of q4_0 or 127 of q8_0.
        const double most = kLargestF16 * (m_change.type == DType::Q8_0 ? 127 : 8);
        return fail(ErrorCode::NonFinite,
                    m_entry.location() + " has values up to " + brief(Json(largest)) + ", beyond the " +
                        std::to_string(static_cast<std::int64_t>(most)) + " that " +
                        std::string(dtypeName(m_change.type)) + " can scale; import it without --quantize",
                    m_entry.location());
    }

    void transpose() {
        const auto rows = static_cast<std::size_t>(m_entry.shape[0]);
        const auto cols = static_cast<std::size_t>(m_entry.shape[1]);
        std::vector<float> turned(m_values.size());
        for (std::size_t col = 0; col < cols; ++col)
            for (std::size_t row = 0; row < rows; ++row) turned[col * rows + row] = m_values[row * cols + col];
        m_values = std::move(turned);
    }

    const TensorEntry& m_entry;
    const QuantizePlan::Change& m_change;
    std::vector<float> m_values;
};

// Consecutive bytes of one tensor: as the source has them, and as they were written unless that is the same.
struct Piece {
    const TensorEntry* entry = nullptr;
    DType writtenType = DType::F32;
    bool isRounded = false;
    bool isLast = false;  // of its tensor
    std::vector<std::byte> read;
    std::vector<std::byte> rounded;

    std::span<const std::byte> written() const { return isRounded ? rounded : read; }
};

// Hashes what was read and what was written, and looks for NaN in what was not rounded.
class PieceDigester {
public:
    PieceDigester(const std::string& source, const std::string& target, QuantizedFile& result)
        : m_source(source), m_target(target), m_result(result) {}

    void feed(const Piece& piece) {
        if (!m_scan) m_scan.emplace(piece.writtenType);
        m_read.update(piece.read);
        if (piece.isRounded) m_written.update(piece.rounded);
        if (!piece.isRounded) m_scan->add(piece.read);
        if (!piece.isLast) return;
        const Sha256Digest read = std::exchange(m_read, {}).finish();
        const Sha256Digest written = std::exchange(m_written, {}).finish();
        m_result.sourceParts.push_back({m_source, piece.entry->name, read});
        m_result.parts.push_back({m_target, piece.entry->name, piece.isRounded ? written : read});
        if (m_scan->nan() + m_scan->infinite() > 0)
            m_result.nonFinite.push_back({piece.entry->name, m_scan->nan(), m_scan->infinite()});
        m_scan.reset();
    }

private:
    const std::string& m_source;
    const std::string& m_target;
    QuantizedFile& m_result;
    Sha256 m_read, m_written;
    std::optional<NonFiniteScan> m_scan;
};

// One file on its way: read from the source and written to the target by the caller's thread, both hashed by another.
class FileWriter {
public:
    FileWriter(const ModelFiles& model, const QuantizePlan& plan, const ModelFile& file, ReadableFile& from,
               WritableFile& to, std::stop_token stop, const std::function<void(std::uint64_t)>& progress)
        : m_model(model),
          m_plan(plan),
          m_file(file),
          m_target(plan.targets.find(file.name)->second),
          m_from(from),
          m_to(to),
          m_stop(stop),
          m_progress(progress) {}

    Result<QuantizedFile> write(const GgufKeyWriter& keys, std::uint64_t alignment, bool isFirst) {
        std::vector<GgufTensor> targets;
        const auto entries = entriesOf(m_model, m_plan, m_file.name);
        for (const TensorEntry* entry : entries) targets.push_back(targetOf(m_plan, *entry));
        const std::vector<std::byte> header = ggufHeaderBytes(keys, targets, alignment);
        TRY(m_to.append(header));
        if (isFirst) {
            Sha256 hash;
            hash.update(std::span(header).first(24 + keys.bytes().size()));
            m_result.parts.push_back({m_target, "", hash.finish()});
        }
        PieceDigester digester(m_file.name, m_target, m_result);
        Relay<Piece> relay(kPieces, [&](Piece& piece) { digester.feed(piece); });
        for (std::size_t i = 0; i < entries.size(); ++i) {
            TRY(writeTensor(*entries[i], relay, digester));
            const std::vector<std::byte> zeros(ggufPadding(bytesOf(targets[i]), alignment));
            TRY(m_to.append(zeros));
        }
        relay.drain();
        TRY(hashTheRest());
        return std::move(m_result);
    }

private:
    Result<void> writeTensor(const TensorEntry& entry, Relay<Piece>& relay, PieceDigester& digester) {
        const auto change = m_plan.changes.find(entry.name);
        std::optional<Rounder> rounder;
        if (change != m_plan.changes.end()) rounder.emplace(entry, change->second);
        // Rows matter to rounding alone; those of any other tensor are as long as a file says.
        const std::int64_t rowValues = rounder ? entry.shape.back() : 1;
        const std::int64_t rows = entry.count() / rowValues;
        if (rounder && change->second.transposed) {
            // Whole, and not through the ring, which would keep several of them.
            relay.drain();
            Piece piece;
            TRY(fill(piece, entry, 0, rows * rowValues, &*rounder));
            digester.feed(piece);
            return write(piece);
        }
        const std::int64_t rowsEach = std::max<std::int64_t>(1, kPieceValues / rowValues);
        for (std::int64_t row = 0; row < rows; row += rowsEach) {
            Piece& piece = relay.next();
            const std::int64_t values = std::min(rowsEach, rows - row) * rowValues;
            TRY(fill(piece, entry, row * rowValues, values, rounder ? &*rounder : nullptr));
            relay.pass();
            TRY(write(piece));
        }
        return {};
    }

    Result<void> fill(Piece& piece, const TensorEntry& entry, std::int64_t first, std::int64_t values,
                      Rounder* rounder) {
        if (m_stop.stop_requested()) return stopped();
        piece.entry = &entry;
        piece.isRounded = rounder != nullptr;
        piece.isLast = first + values == entry.count();
        piece.writtenType = rounder ? rounder->type() : entry.dtype;
        piece.read.resize(static_cast<std::size_t>(storedBytes(entry.dtype, values)));
        TRY(readAt(entry.offset + static_cast<std::uint64_t>(storedBytes(entry.dtype, first)), piece.read));
        return rounder ? rounder->round(piece.read, piece.rounded) : Result<void>();
    }

    Result<void> write(const Piece& piece) {
        TRY(m_to.append(piece.written()));
        m_progress(piece.read.size());
        return {};
    }

    // What the source's digest covers and the result does not hold: keys, tensors of types that GGUF lacks.
    Result<void> hashTheRest() {
        std::set<std::string> done;
        for (const DigestPart& part : m_result.sourceParts) done.insert(part.tensor);
        std::vector<std::byte> piece;
        for (const DigestSlice& slice : m_file.slices) {
            if (done.contains(slice.tensor)) continue;
            Sha256 hash;
            for (std::uint64_t at = slice.begin; at < slice.end; at += piece.size()) {
                if (m_stop.stop_requested()) return stopped();
                piece.resize(static_cast<std::size_t>(std::min<std::uint64_t>(kPieceBytes, slice.end - at)));
                TRY(readAt(at, piece));
                hash.update(piece);
            }
            m_result.sourceParts.push_back({m_file.name, slice.tensor, hash.finish()});
        }
        return {};
    }

    Result<void> readAt(std::uint64_t offset, std::span<std::byte> into) const {
        TRY_ASSIGN(const std::size_t got, m_from.read(offset, into));
        return got == into.size() ? Result<void>() : sourceChanged(m_model.folder / m_file.name);
    }

    const ModelFiles& m_model;
    const QuantizePlan& m_plan;
    const ModelFile& m_file;
    const std::string& m_target;
    ReadableFile& m_from;
    WritableFile& m_to;
    std::stop_token m_stop;
    const std::function<void(std::uint64_t)>& m_progress;
    QuantizedFile m_result;
};

// The keys of a part: those of the source when it is GGUF, else just what the file is.
Result<GgufKeyWriter> keysOf(FileSystem& files, const ModelFiles& model, const QuantizePlan& plan,
                             const ModelFile& file, std::uint64_t& alignment) {
    GgufKeyWriter keys;
    if (file.name.ends_with(".gguf")) {
        TRY_ASSIGN(const GgufFile source, openGgufFile(files, model.folder / file.name));
        alignment = source.header.alignment;
        for (const auto& [key, value] : source.header.keys)
            if (key != "general.file_type" && key != "general.quantization_version") keys.copy(key, value, source.head);
    } else {
        keys.string("general.architecture", kEspalierArchitecture);
        if (plan.targets.size() > 1) {
            const auto place = std::distance(plan.targets.begin(), plan.targets.find(file.name));
            keys.integer16("split.no", static_cast<std::uint16_t>(place));
            keys.integer16("split.count", static_cast<std::uint16_t>(plan.targets.size()));
        }
    }
    keys.integer32("general.file_type", fileTypeOf(plan.type));
    keys.integer32("general.quantization_version", kQuantizationVersion);
    return keys;
}

}  // namespace

Result<DType> quantizationNamed(std::string_view name) {
    if (name == "q8_0") return DType::Q8_0;
    if (name == "q4_0") return DType::Q4_0;
    if (name == "nf4")
        return fail(ErrorCode::Unsupported, "nf4 comes with training; import with q8_0 or q4_0, or without --quantize",
                    "quantize");
    return fail(ErrorCode::InvalidArgument,
                "there is no quantisation \"" + std::string(name.substr(0, 40)) + "\"; choose q8_0 or q4_0",
                "quantize");
}

Result<QuantizePlan> planQuantization(FileSystem& files, const ModelFiles& model, DType type) {
    for (const TensorEntry& entry : model.tensors)
        if (isBlock(entry.dtype))
            return fail(ErrorCode::Unsupported,
                        entry.location() + " is quantised already (" + std::string(dtypeName(entry.dtype)) +
                            "); import the model without --quantize, or quantise the f32, bf16 or f16 one",
                        entry.location());
    QuantizePlan plan;
    plan.type = type;
    plan.tensors = writtenTensors(model);
    plan.targets = targetNames(model, plan);
    TRY_ASSIGN(const auto source, openModelFolder(files, model.path));
    const ModelTensors names = modelTensors(model.spec, *source);
    for (const LayerTensors& layer : names.layers)
        for (const TensorStack* stack : {&layer.qkv, &layer.attentionOut, &layer.gateUp, &layer.down})
            planStack(*stack, model, type, plan);
    const bool embeddingIsOutput = model.spec.tiedEmbeddings && model.spec.lmHead;
    planStack(names.embedding, model, embeddingIsOutput ? DType::Q8_0 : type, plan);
    planStack(names.lmHead, model, DType::Q8_0, plan);
    return plan;
}

std::uint64_t quantizedBytes(const ModelFiles& model, const QuantizePlan& plan, std::string_view file) {
    std::uint64_t sum = 0;
    for (const TensorEntry* entry : entriesOf(model, plan, file)) sum += bytesOf(targetOf(plan, *entry));
    return sum;
}

Result<QuantizedFile> quantizeFile(FileSystem& files, const ModelFiles& model, const QuantizePlan& plan,
                                   const ModelFile& file, const Path& folder, std::stop_token stop,
                                   const std::function<void(std::uint64_t readBytes)>& progress) {
    const Path path = model.folder / file.name;
    TRY(checkUnchanged(files, path, file));
    std::uint64_t alignment = 32;
    TRY_ASSIGN(const GgufKeyWriter keys, keysOf(files, model, plan, file, alignment));
    TRY_ASSIGN(const auto reader, files.open(path));
    const Path target = folder / plan.targets.find(file.name)->second;
    const Path unfinished = target.string() + ".part";
    TRY_ASSIGN(const auto writer, files.createLarge(unfinished));
    // Who has the keys that the digest covers.
    const bool isFirst = file.name.ends_with(".gguf")
                             ? std::ranges::any_of(file.slices, [](const auto& slice) { return slice.tensor.empty(); })
                             : plan.targets.begin()->first == file.name;
    TRY_ASSIGN(QuantizedFile result,
               FileWriter(model, plan, file, *reader, *writer, stop, progress).write(keys, alignment, isFirst));
    TRY(checkUnchanged(files, path, file));
    TRY(writer->sync());
    TRY(writer->close());
    TRY(files.rename(unfinished, target));
    return result;
}

}  // namespace espalier

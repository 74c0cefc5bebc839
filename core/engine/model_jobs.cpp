// SPDX-License-Identifier: GPL-3.0-or-later
#include "core/engine/model_jobs.h"

#include <algorithm>
#include <array>
#include <cmath>
#include <cstring>
#include <map>

#include "core/engine/file_digest.h"
#include "core/engine/model_files.h"
#include "core/tensor/quantized_block.h"

namespace espalier {
namespace {

constexpr std::size_t kNamedParts = 5;  // of those that differ, in a message
constexpr std::size_t kShownName = 120;

Result<CatalogRow> catalogRow(Workspace& workspace, const std::string& id) {
    TRY_ASSIGN(auto rows, workspace.catalog().all());
    for (CatalogRow& row : rows)
        if (row.id == id) return std::move(row);
    return fail(ErrorCode::NotFound, "model " + id + " is not in the workspace any more", id);
}

struct TensorNumbers {
    double squares = 0.0;
    double largest = 0.0;
    std::int64_t nan = 0;
    std::int64_t infinite = 0;

    void add(float value) {
        if (std::isnan(value)) {
            ++nan;
        } else if (std::isinf(value)) {
            ++infinite;
        } else {
            const double magnitude = std::abs(static_cast<double>(value));
            squares += magnitude * magnitude;
            largest = std::max(largest, magnitude);
        }
    }
};

template <class Stored, class ToFloat>
void addAll(TensorNumbers& numbers, std::span<const std::byte> bytes, const ToFloat& toFloat) {
    for (std::size_t at = 0; at + sizeof(Stored) <= bytes.size(); at += sizeof(Stored)) {
        Stored value;  // tensors in a file need not be aligned
        std::memcpy(&value, bytes.data() + at, sizeof value);
        numbers.add(toFloat(value));
    }
}

void addBlocks(TensorNumbers& numbers, DType dtype, std::span<const std::byte> bytes) {
    const BlockSize block = blockOf(dtype);
    std::array<float, 256> values;
    const auto here = std::span(values).first(static_cast<std::size_t>(block.values));
    for (std::size_t at = 0; at < bytes.size(); at += static_cast<std::size_t>(block.bytes)) {
        dequantize(dtype, bytes.data() + at, here);
        for (const float value : here) numbers.add(value);
    }
}

void addBytes(TensorNumbers& numbers, DType dtype, std::span<const std::byte> bytes) {
    switch (dtype) {
        case DType::F32:
            return addAll<float>(numbers, bytes, [](float value) { return value; });
        case DType::BF16:
            return addAll<std::uint16_t>(numbers, bytes, bf16ToF32);
        case DType::F16:
            return addAll<std::uint16_t>(numbers, bytes, f16ToF32);
        default:
            if (isBlock(dtype)) addBlocks(numbers, dtype, bytes);
            return;  // integers have no NaN, and no weight of a model is one
    }
}

class ScanJob final : public Job {
public:
    ScanJob(Workspace& workspace, FileSystem& files, std::string modelId)
        : m_workspace(workspace), m_files(files), m_modelId(std::move(modelId)) {}

    Result<Json> run(JobContext& context) override {
        TRY_ASSIGN(const CatalogRow row, catalogRow(m_workspace, m_modelId));
        TRY_ASSIGN(const auto source, openModelFolder(m_files, row.folder));
        std::int64_t all = 0, done = 0, nan = 0, infinite = 0;
        for (const TensorEntry& tensor : source->tensors()) all += tensor.bytes;
        Json tensors = Json::array();
        for (const TensorEntry& tensor : source->tensors()) {
            TensorNumbers numbers;
            TRY(readInPieces(*source, tensor, context.stop(), [&](std::span<const std::byte> piece) -> Result<void> {
                addBytes(numbers, tensor.dtype, piece);
                done += static_cast<std::int64_t>(piece.size());
                context.report(done, all, "reading " + tensor.file.filename().string());
                return {};
            }));
            nan += numbers.nan;
            infinite += numbers.infinite;
            tensors.push_back({{"name", tensor.name},
                               {"norm", std::sqrt(numbers.squares)},
                               {"largest", numbers.largest},
                               {"nan", numbers.nan},
                               {"infinite", numbers.infinite}});
        }
        return Json{{"model", m_modelId}, {"tensors", std::move(tensors)}, {"nan", nan}, {"infinite", infinite}};
    }
    void discard(const Json&) override {}

private:
    Workspace& m_workspace;
    FileSystem& m_files;
    const std::string m_modelId;
};

class VerifyJob final : public Job {
public:
    VerifyJob(Workspace& workspace, FileSystem& files, std::string modelId)
        : m_workspace(workspace), m_files(files), m_modelId(std::move(modelId)) {}

    Result<Json> run(JobContext& context) override {
        TRY_ASSIGN(const CatalogRow row, catalogRow(m_workspace, m_modelId));
        TRY_ASSIGN(const Json json, parseJson(row.parts, "catalog row of " + row.name));
        TRY_ASSIGN(const auto expected, digestPartsFromJson(json, "catalog row of " + row.name));
        TRY_ASSIGN(const ModelFiles model, readModelFiles(m_files, row.folder));
        std::vector<DigestPart> found;
        std::int64_t done = 0;
        for (const ModelFile& file : model.files) {
            if (file.slices.empty()) continue;
            TRY_ASSIGN(
                const FileDigest read,
                digestModelFile(m_files, model.folder, file, std::nullopt, context.stop(), [&](std::uint64_t newBytes) {
                    done += static_cast<std::int64_t>(newBytes);
                    context.report(done, static_cast<std::int64_t>(model.allBytes()), "reading " + file.name);
                }));
            found.insert(found.end(), read.parts.begin(), read.parts.end());
        }
        for (int version = kDigestVersion; version >= 1; --version) {
            TRY_ASSIGN(const std::string digest, combineDigest(model, found, version));
            if (digest == row.digest) return Json{{"model", m_modelId}, {"digest", digest}};
        }
        return difference(row, expected, found);
    }
    void discard(const Json&) override {}

private:
    static Error difference(const CatalogRow& row, const std::vector<DigestPart>& expected,
                            const std::vector<DigestPart>& found) {
        const auto describe = [](const DigestPart& part) {
            return part.isWholeFile() ? part.file : part.file + ": " + part.tensor.substr(0, kShownName);
        };
        // A tensor wherever it lies, a file under its name.
        const auto keyOf = [](const DigestPart& part) {
            return std::pair(part.isWholeFile() ? part.file : std::string(), part.tensor);
        };
        std::map<std::pair<std::string, std::string>, const DigestPart*> now, before;
        for (const DigestPart& part : found) now.emplace(keyOf(part), &part);
        for (const DigestPart& part : expected) before.emplace(keyOf(part), &part);
        std::vector<std::string> sentences;
        for (const DigestPart& part : expected) {
            const auto match = now.find(keyOf(part));
            if (match == now.end())
                sentences.push_back(describe(part) + " is missing");
            else if (match->second->sha256 != part.sha256)
                sentences.push_back(describe(part) + " has other bytes");
        }
        for (const DigestPart& part : found)
            if (!before.contains(keyOf(part))) sentences.push_back(describe(part) + " is new");
        if (sentences.empty()) sentences.push_back("a tensor's dtype or shape was changed");
        std::string message = "\"" + row.name + "\" is not what was imported: ";
        for (std::size_t i = 0; i < std::min(sentences.size(), kNamedParts); ++i)
            message += (i > 0 ? "; " : "") + sentences[i];
        if (sentences.size() > kNamedParts)
            message += "; and " + std::to_string(sentences.size() - kNamedParts) + " more";
        return fail(ErrorCode::CorruptFile, message, row.folder);
    }

    Workspace& m_workspace;
    FileSystem& m_files;
    const std::string m_modelId;
};

}  // namespace

std::unique_ptr<Job> makeScanJob(Workspace& workspace, FileSystem& files, std::string modelId) {
    return std::make_unique<ScanJob>(workspace, files, std::move(modelId));
}

std::unique_ptr<Job> makeVerifyJob(Workspace& workspace, FileSystem& files, std::string modelId) {
    return std::make_unique<VerifyJob>(workspace, files, std::move(modelId));
}

}  // namespace espalier

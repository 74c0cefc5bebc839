// SPDX-License-Identifier: GPL-3.0-or-later
#include "core/engine/model_shelf.h"

#include <algorithm>

#include "core/engine/model_record.h"

namespace espalier {

namespace {

constexpr std::size_t kNamedModels = 12;  // in a message

// What a link leads to may be a disk that does not answer: that is asked when it is wanted.
Result<void> checkFolder(FileSystem& files, const ModelRecord& model) {
    if (!model.linked) TRY(files.list(model.folder));
    return {};
}

}  // namespace

Result<std::vector<std::string>> ModelShelf::reload() {
    const std::lock_guard reloading(m_reloadMutex);
    TRY_ASSIGN(const auto rows, m_workspace.catalog().all());
    auto records = std::make_shared<Records>();
    std::vector<std::string> damaged;
    for (const CatalogRow& row : rows) {
        auto record = modelRecordOf(row);
        if (!record) {
            damaged.push_back(record.error().message);
            continue;
        }
        if (const auto checked = checkFolder(m_files, *record); !checked) {
            record->warnings.push_back("damaged: " + checked.error().message);
            damaged.push_back("the model \"" + record->name + "\" is damaged: " + checked.error().message);
        }
        records->push_back(std::move(record).value());
    }
    const std::lock_guard lock(m_mutex);
    m_records = std::move(records);
    std::erase_if(m_texts, [&](const auto& text) {
        return std::ranges::find(*m_records, text.first, &ModelRecord::id) == m_records->end();
    });
    return damaged;
}

std::shared_ptr<const ModelShelf::Records> ModelShelf::records() const {
    const std::lock_guard lock(m_mutex);
    return m_records;
}

std::vector<ModelRecord> ModelShelf::models() const {
    std::vector<ModelRecord> found;
    for (const auto all = records(); const ModelRecord& record : *all)
        if (!record.removedAt) found.push_back(record);
    return found;
}

std::vector<ModelRecord> ModelShelf::bin() const {
    std::vector<ModelRecord> found;
    for (const auto all = records(); const ModelRecord& record : *all)
        if (record.removedAt) found.push_back(record);
    return found;
}

Result<ModelRecord> ModelShelf::find(std::string_view nameOrId) const {
    const auto all = records();
    for (const ModelRecord& record : *all)
        if (!record.removedAt && (record.name == nameOrId || record.id == nameOrId)) return record;
    std::string known;
    std::size_t count = 0;
    for (const ModelRecord& record : *all)
        if (!record.removedAt && ++count <= kNamedModels) known += (count > 1 ? ", " : "") + record.name;
    if (count > kNamedModels) known += " and " + std::to_string(count - kNamedModels) + " more";
    return fail(ErrorCode::NotFound,
                "there is no model \"" + std::string(nameOrId.substr(0, 100)) + "\"; " +
                    (count == 0 ? std::string("the workspace has none yet: import one") : "known are " + known),
                std::string(nameOrId.substr(0, 100)));
}

Result<ModelRecord> ModelShelf::findInBin(std::string_view id) const {
    for (const auto all = records(); const ModelRecord& record : *all)
        if (record.removedAt && (record.id == id || record.name == id)) return record;
    return fail(ErrorCode::NotFound, "there is no model \"" + std::string(id.substr(0, 100)) + "\" in the bin");
}

Result<std::shared_ptr<const TextModel>> ModelShelf::text(const ModelRecord& model) {
    {
        const std::lock_guard lock(m_mutex);
        if (const auto found = m_texts.find(model.id); found != m_texts.end()) return found->second;
    }
    // Read without the lock: two callers may both read, one result stays.
    auto loaded = loadTextModel(m_files, model.folder);
    if (!loaded) return std::move(loaded).error().context("the text model of \"" + model.name + "\"");
    auto text = std::make_shared<const TextModel>(std::move(loaded).value());
    const std::lock_guard lock(m_mutex);
    return m_texts.emplace(model.id, std::move(text)).first->second;
}

}  // namespace espalier

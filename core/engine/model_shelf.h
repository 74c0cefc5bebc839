// SPDX-License-Identifier: GPL-3.0-or-later
// ModelShelf: the catalog as the engine reads it. Records are parsed once and shared until something changes; text
// models are read at first use and kept.
//
// Owner: Engine. Thread: any.
#pragma once

#include <map>
#include <memory>
#include <mutex>
#include <string>
#include <string_view>
#include <vector>

#include "core/engine/messages.h"
#include "core/engine/workspace.h"
#include "core/tokenizer/text_model.h"

namespace espalier {

class ModelShelf {
public:
    ModelShelf(Workspace& workspace, FileSystem& files) : m_workspace(workspace), m_files(files) {}

    // Reads the catalog again. Gives a sentence for each row that cannot be read, such a row is not on the shelf, and
    // for each model whose folder in the workspace cannot be: that one says so in its warnings, too.
    Result<std::vector<std::string>> reload();

    std::vector<ModelRecord> models() const;  // not in the bin, by name
    std::vector<ModelRecord> bin() const;
    Result<ModelRecord> find(std::string_view nameOrId) const;  // error not_found lists the known names
    Result<ModelRecord> findInBin(std::string_view id) const;
    Result<std::shared_ptr<const TextModel>> text(const ModelRecord& model);

private:
    using Records = std::vector<ModelRecord>;
    std::shared_ptr<const Records> records() const;

    Workspace& m_workspace;
    FileSystem& m_files;
    std::mutex m_reloadMutex;  // what was read last is also what is kept; taken before m_mutex
    mutable std::mutex m_mutex;
    std::shared_ptr<const Records> m_records = std::make_shared<Records>();
    std::map<std::string, std::shared_ptr<const TextModel>> m_texts;  // by model id
};

}  // namespace espalier

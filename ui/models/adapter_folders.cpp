// SPDX-License-Identifier: GPL-3.0-or-later
#include "ui/models/adapter_folders.h"

#include <QDirIterator>
#include <QFileInfo>

namespace espalier::ui {
namespace {

constexpr int kMostLookedAt = 256;

bool has(const QString& folder, const char* file) {
    return QFileInfo::exists(folder + QLatin1Char('/') + QLatin1String(file));
}

}  // namespace

bool isAdapterFolder(const QString& folder) {
    return has(folder, "adapter_config.json");
}

bool holdsAdapterFolders(const QString& folder) {
    if (isAdapterFolder(folder) || has(folder, "config.json")) return false;
    QDirIterator inside(folder, QDir::Dirs | QDir::NoDotAndDotDot);
    for (int i = 0; i < kMostLookedAt && inside.hasNext(); ++i)
        if (isAdapterFolder(inside.next())) return true;
    return false;
}

}  // namespace espalier::ui

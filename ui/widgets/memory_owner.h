// SPDX-License-Identifier: GPL-3.0-or-later
// The owners of device memory: one order, one colour and one second cue on every page.
#pragma once

#include <QBrush>
#include <array>

#include "core/engine/messages.h"
#include "ui/shell/theme.h"

namespace espalier::ui {

enum class MemoryOwner { Weights, Training, KvRunning, KvCached, Adapters, DomainRows, Work, Free };
inline constexpr std::array kMemoryOwners{MemoryOwner::Weights,  MemoryOwner::Training, MemoryOwner::KvRunning,
                                          MemoryOwner::KvCached, MemoryOwner::Adapters, MemoryOwner::DomainRows,
                                          MemoryOwner::Work,     MemoryOwner::Free};

QString ownerName(MemoryOwner owner, bool brief = false);
QBrush ownerBrush(const ThemeColors& colors, MemoryOwner owner);  // lines on cached, dots on free
QRgb ownerNameColor(const ThemeColors& colors, MemoryOwner owner);
qint64 bytesOf(const MemoryByOwner& memory, MemoryOwner owner);
// So little is used that GiB would show it as nothing: its parts are shown in MiB.
bool isCountedInMib(const MemoryByOwner& memory);

}  // namespace espalier::ui

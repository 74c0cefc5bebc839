// SPDX-License-Identifier: GPL-3.0-or-later
// What an error says to a person. The engine's sentence is the same over HTTP, in the CLI and here, and it is English;
// in another language its kind stands before it in that language.
#pragma once

#include <QString>

#include "core/base/result.h"

namespace espalier::ui {

QString wordsOf(const Error& error);

}  // namespace espalier::ui

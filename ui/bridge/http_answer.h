// SPDX-License-Identifier: GPL-3.0-or-later
// What a reply of the daemon says when it is not the answer asked for.
#pragma once

#include <QByteArray>
#include <string_view>

#include "core/base/result.h"

class QNetworkReply;

namespace espalier::ui {

inline std::string_view view(const QByteArray& bytes) {
    return {bytes.constData(), std::size_t(bytes.size())};
}

// The error of an answer that is not 2xx, in the daemon's words when it sent any.
Error errorOf(const QNetworkReply& reply, const QByteArray& body);

}  // namespace espalier::ui

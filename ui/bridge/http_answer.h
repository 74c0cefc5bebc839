// SPDX-License-Identifier: GPL-3.0-or-later
// What a reply of the daemon says when it is not the answer asked for.
#pragma once

#include <QByteArray>
#include <QString>
#include <string_view>

#include "core/base/json.h"
#include "core/base/result.h"

class QNetworkReply;

namespace espalier::ui {

inline std::string_view view(const QByteArray& bytes) {
    return {bytes.constData(), std::size_t(bytes.size())};
}

// An error of the workbench's own, in its language.
Error failed(ErrorCode code, const QString& sentence, const std::string& where);
// What stands under "error" in an answer: our codes on /control, those that OpenAI's clients know on /v1.
Error errorOf(const Json& json);
// The error of an answer that is not 2xx, in the daemon's words when it sent any.
Error errorOf(const QNetworkReply& reply, const QByteArray& body);

}  // namespace espalier::ui

// SPDX-License-Identifier: GPL-3.0-or-later
#include "ui/bridge/http_answer.h"

#include <QNetworkReply>

#include "core/api/protocol.h"

namespace espalier::ui {

Error errorOf(const QNetworkReply& reply, const QByteArray& body) {
    const std::string where = reply.url().toString().toStdString();
    if (const auto json = parseJson(view(body), where); json && json->is_object() && json->contains("error"))
        return errorFromJson((*json)["error"]);
    const int status = reply.attribute(QNetworkRequest::HttpStatusCodeAttribute).toInt();
    if (status == 401 || status == 403)
        return fail(ErrorCode::Unauthorized, "The server does not accept this key", where);
    if (status > 0) return fail(ErrorCode::Network, "The server answered with status " + std::to_string(status), where);
    return fail(ErrorCode::Network, "The server does not answer: " + reply.errorString().toStdString(), where);
}

}  // namespace espalier::ui

// SPDX-License-Identifier: GPL-3.0-or-later
#include "ui/bridge/http_answer.h"

#include <QCoreApplication>
#include <QNetworkReply>

#include "core/api/protocol.h"

namespace espalier::ui {
Error failed(ErrorCode code, const QString& sentence, const std::string& where) {
    return fail(code, sentence.toStdString(), where);
}

Error errorOf(const Json& json) {
    Error error = errorFromJson(json);
    if (!json.is_object()) return error;
    const std::string code = JsonReader(json, "error").stringOr("code", {}).value_or(std::string());
    if (code == "invalid_api_key") error.code = ErrorCode::Unauthorized;
    if (code == "context_length_exceeded") error.code = ErrorCode::ContextOverflow;
    if (code == "rate_limit_exceeded") error.code = ErrorCode::Busy;
    return error;
}

Error errorOf(const QNetworkReply& reply, const QByteArray& body) {
    const std::string where = reply.url().toString().toStdString();
    if (const auto json = parseJson(view(body), where); json && json->is_object() && json->contains("error"))
        return errorOf((*json)["error"]);
    const int status = reply.attribute(QNetworkRequest::HttpStatusCodeAttribute).toInt();
    if (status == 401 || status == 403)
        return failed(ErrorCode::Unauthorized,
                      QCoreApplication::translate("Bridge", "The server does not accept this key"), where);
    if (status / 100 == 2)
        return failed(ErrorCode::Network,
                      QCoreApplication::translate("Bridge", "The connection ended: %1").arg(reply.errorString()),
                      where);
    if (status > 0)
        return failed(ErrorCode::Network,
                      QCoreApplication::translate("Bridge", "The server answered with status %1").arg(status), where);
    return failed(ErrorCode::Network,
                  QCoreApplication::translate("Bridge", "The server does not answer: %1").arg(reply.errorString()),
                  where);
}

}  // namespace espalier::ui

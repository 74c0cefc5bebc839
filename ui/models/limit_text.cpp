// SPDX-License-Identifier: GPL-3.0-or-later
#include "ui/models/limit_text.h"

#include <QCoreApplication>
#include <QDateTime>
#include <QLocale>
#include <QRegularExpression>
#include <cmath>

#include "ui/models/format.h"

namespace espalier::ui {
namespace {

constexpr double kMostCount = 1e15;

class LimitText {
    Q_DECLARE_TR_FUNCTIONS(espalier::ui::LimitText)
};

// As the C locale writes it; nothing when the separators of thousands are not where they belong.
std::optional<QString> plainNumber(QString text) {
    const QLocale locale;
    text.remove(QRegularExpression(QStringLiteral("[\\s'\\x{00a0}\\x{202f}]")));
    const QString group = locale.groupSeparator();
    const QRegularExpression loose(QRegularExpression::escape(group) + QStringLiteral("(?!\\d{3}(?!\\d))"));
    if (text.contains(loose)) return std::nullopt;
    text.remove(group);
    return text.replace(locale.decimalPoint(), QLatin1String("."));
}

}  // namespace

std::vector<LimitField> limitFields() {
    return {{QStringLiteral("requests_per_minute"), LimitText::tr("Requests"), LimitText::tr("/ min"),
             LimitText::tr("Requests a minute")},
            {QStringLiteral("tokens_per_minute"), LimitText::tr("Tokens"), LimitText::tr("/ min"),
             LimitText::tr("Tokens a minute")},
            {QStringLiteral("tokens_per_day"), LimitText::tr("Per day"), LimitText::tr("tok"),
             LimitText::tr("Tokens a day")},
            {QStringLiteral("max_concurrency"), LimitText::tr("At once"), {}, LimitText::tr("Calls at once")},
            {QStringLiteral("kv_pages"), LimitText::tr("KV pages"), {}, LimitText::tr("KV pages")},
            {QStringLiteral("first_token_ms"), LimitText::tr("First token"), LimitText::tr("ms"),
             LimitText::tr("Longest wait for the first token")},
            {QStringLiteral("weight"), LimitText::tr("Weight"), {}, LimitText::tr("Weight")},
            {QStringLiteral("expires"), LimitText::tr("Expires"), {}, LimitText::tr("Expires")}};
}

std::int64_t limitOf(const TenantLimits& limits, const QString& key) {
    if (key == QLatin1String("requests_per_minute")) return limits.requestsPerMinute;
    if (key == QLatin1String("tokens_per_minute")) return limits.tokensPerMinute;
    if (key == QLatin1String("tokens_per_day")) return limits.tokensPerDay;
    if (key == QLatin1String("max_concurrency")) return limits.maxConcurrency;
    return key == QLatin1String("kv_pages") ? limits.kvPages : limits.firstTokenMs;
}

QString shownLimit(const TenantLimits& limits, const QString& key) {
    if (key == QLatin1String("weight")) return QLocale().toString(limits.weight, 'g', 6);
    if (key == QLatin1String("expires"))
        return limits.expiresAt == 0 ? LimitText::tr("never")
                                     : QDateTime::fromMSecsSinceEpoch(limits.expiresAt, Qt::UTC)
                                           .toString(QStringLiteral("yyyy-MM-dd'T'HH:mm'Z'"));
    const std::int64_t limit = limitOf(limits, key);
    return limit > 0 ? formatCount(limit) : LimitText::tr("none");
}

std::optional<std::int64_t> countFromText(const QString& text) {
    QString plain = text.trimmed().toLower();
    if (plain.isEmpty() || plain == LimitText::tr("none") || plain == QLatin1String("none")) return 0;
    double factor = 1;
    for (const auto& [suffix, times] : {std::pair('k', 1e3), {'m', 1e6}, {'b', 1e9}})
        if (plain.endsWith(QLatin1Char(suffix))) {
            factor = times;
            plain.chop(1);
        }
    const auto number = plainNumber(plain);
    if (!number) return std::nullopt;
    bool isNumber = false;
    const double value = QLocale::c().toDouble(*number, &isNumber) * factor;
    if (!isNumber || !(value >= 0) || value > kMostCount || value != std::floor(value)) return std::nullopt;
    return std::int64_t(value);
}

std::optional<double> weightFromText(const QString& text) {
    const auto number = plainNumber(text);
    bool isNumber = false;
    const double weight = number ? QLocale::c().toDouble(*number, &isNumber) : 0;
    return isNumber ? std::optional(weight) : std::nullopt;
}

}  // namespace espalier::ui

// SPDX-License-Identifier: GPL-3.0-or-later
#include "ui/models/request_table.h"

#include <algorithm>

#include "ui/models/format.h"
#include "ui/shell/icons.h"

namespace espalier::ui {
namespace {

struct StateWord {
    const char* state;
    const char* icon;
    const char* word;
    Tone tone;
};
constexpr StateWord kStates[] = {
    {"decode", "circle-play", QT_TRANSLATE_NOOP("espalier::ui::RequestTable", "Answering"), Tone::Accent},
    {"prefill", "circle-play", QT_TRANSLATE_NOOP("espalier::ui::RequestTable", "Reading the prompt"), Tone::Accent},
    {"loading", "clock", QT_TRANSLATE_NOOP("espalier::ui::RequestTable", "Its model loads"), Tone::Secondary},
    {"waiting", "clock", QT_TRANSLATE_NOOP("espalier::ui::RequestTable", "Waiting"), Tone::Secondary},
};

// A state this version does not know is something that waits, under its own name.
StateWord stateOf(const RequestRecord& request) {
    for (const StateWord& known : kStates)
        if (request.state == known.state) return known;
    return {"", "clock", request.state.c_str(), Tone::Secondary};
}

}  // namespace

RequestTable::RequestTable(QObject* parent)
    : RecordTable({{tr("Request"), true},
                   {tr("Model")},
                   {tr("Tenant")},
                   {tr("State")},
                   {tr("Prompt"), true},
                   {tr("Cached"), true},
                   {tr("Produced"), true},
                   {tr("tok/s"), true},
                   {tr("Pages"), true},
                   {tr("Age"), true}},
                  parent) {}

void RequestTable::setRequests(const std::vector<RequestRecord>& requests) {
    const auto isIn = [](const std::vector<RequestRecord>& list, std::int64_t id) {
        return std::ranges::binary_search(list, id, {}, &RequestRecord::id);
    };
    for (int row = rowCount() - 1; row >= 0; --row) {
        if (isIn(requests, idAt(row))) continue;
        beginRemoveRows({}, row, row);
        m_requests.erase(m_requests.begin() + row);
        endRemoveRows();
    }
    for (const RequestRecord& request : requests) {
        if (isIn(m_requests, request.id)) continue;
        const auto at = std::ranges::lower_bound(m_requests, request.id, {}, &RequestRecord::id);
        const int row = int(at - m_requests.begin());
        beginInsertRows({}, row, row);
        m_requests.insert(at, request);
        endInsertRows();
    }
    m_requests = requests;
    if (!m_requests.empty()) emit dataChanged(index(0, 0), index(rowCount() - 1, columnCount() - 1));
}

const RequestRecord* RequestTable::find(qint64 id) const {
    const auto at = std::ranges::lower_bound(m_requests, std::int64_t(id), {}, &RequestRecord::id);
    return at != m_requests.end() && at->id == id ? &*at : nullptr;
}

int RequestTable::rowCount(const QModelIndex& parent) const {
    return parent.isValid() ? 0 : int(m_requests.size());
}

QString RequestTable::modelText(const RequestRecord& request) {
    return request.adapter.empty() ? text(request.model) : text(request.model + ":" + request.adapter);
}

QVariant RequestTable::shown(const RequestRecord& request, int column) const {
    switch (column) {
        case Id:
            return QString::number(request.id);
        case Model:
            return modelText(request);
        case Tenant:
            return request.tenant.empty() ? QStringLiteral("–") : text(request.tenant);
        case State:
            return tr(stateOf(request).word);
        case Prompt:
            return formatCount(request.promptTokens);
        case Cached:
            return formatCount(request.cachedTokens);
        case Produced:
            return request.kind == "generate"
                       ? tr("%1 of %2").arg(formatCount(request.producedTokens), formatCount(request.maxTokens))
                       : QStringLiteral("–");
        case Rate:
            return request.tokensPerS > 0 ? formatRate(request.tokensPerS) : QStringLiteral("–");
        case Pages:
            return formatCount(request.pages);
        default:
            return formatAge(request.ageS);
    }
}

QVariant RequestTable::cell(int row, int column, int role) const {
    const RequestRecord& request = m_requests[std::size_t(row)];
    switch (role) {
        case Qt::DisplayRole:
            return shown(request, column);
        case IconRole:
            return column == State ? QVariant(QString::fromLatin1(stateOf(request).icon)) : QVariant();
        case ToneRole:
            if (column == State) return int(stateOf(request).tone);
            return (column == Cached && request.cachedTokens == 0) || (column == Tenant && request.tenant.empty())
                       ? QVariant(int(Tone::Secondary))
                       : QVariant();
        case StrongRole:
            return column == Model;
        case IdRole:
            return qint64(request.id);
        default:
            return {};
    }
}

}  // namespace espalier::ui

// SPDX-License-Identifier: GPL-3.0-or-later
#include "ui/models/saved_case.h"

#include <algorithm>

#include "ui/models/format.h"
#include "ui/shell/icons.h"

namespace espalier::ui {
namespace {

struct Outcome {
    QString icon, words;
    Tone tone = Tone::Secondary;
};

// Nothing is expected: an answer can only differ from the one before.
Outcome comparedWithBefore(const SavedCase& saved) {
    const auto all = qint64(saved.results.size());
    const auto first = std::ranges::count_if(saved.results, [](const auto& result) { return result.second.isFirst; });
    const auto other = std::ranges::count_if(
        saved.results, [](const auto& result) { return !result.second.same && !result.second.isFirst; });
    if (other > 0)
        return {QStringLiteral("triangle-alert"),
                (other == 1 ? CaseTable::tr("%1 of %2 differs") : CaseTable::tr("%1 of %2 differ")).arg(other).arg(all),
                Tone::Warn};
    return {QStringLiteral("circle-check"), first == all ? CaseTable::tr("first run") : CaseTable::tr("as before"),
            Tone::Secondary};
}

Outcome outcomeOf(const SavedCase& saved) {
    const auto all = qint64(saved.results.size());
    if (all == 0) return {QStringLiteral("circle-minus"), CaseTable::tr("not run"), Tone::Secondary};
    if (saved.expected.isEmpty()) return comparedWithBefore(saved);
    const auto good =
        std::ranges::count_if(saved.results, [&](const auto& result) { return saved.passes(result.second.answer); });
    return {good == all ? QStringLiteral("circle-check") : QStringLiteral("circle-x"),
            CaseTable::tr("%1 of %2 passed").arg(good).arg(all), good == all ? Tone::Secondary : Tone::Error};
}

}  // namespace

bool SavedCase::passes(const QString& answer) const {
    return expected.trimmed().isEmpty() || answer.contains(expected.trimmed(), Qt::CaseInsensitive);
}

Json toJson(const SavedCase& saved) {
    Json results = Json::object();
    for (const auto& [model, result] : saved.results)
        results[model.toStdString()] = {{"answer", result.answer.toStdString()},
                                        {"at", result.at},
                                        {"same", result.same},
                                        {"first", result.isFirst}};
    Json json{{"name", saved.name.toStdString()},     {"prompt", saved.prompt.toStdString()},
              {"system", saved.system.toStdString()}, {"expected", saved.expected.toStdString()},
              {"sampling", toJson(saved.sampling)},   {"results", std::move(results)}};
    if (saved.id > 0) json["id"] = saved.id;
    return json;
}

Result<SavedCase> savedCaseFromJson(const Json& json) {
    SavedCase saved;
    const JsonReader reader(json, "saved case");
    TRY_ASSIGN(saved.id, reader.integer("id", 1, INT64_MAX));
    const auto read = [&](const char* key, QString& into) -> Result<void> {
        TRY_ASSIGN(const std::string value, reader.stringOr(key, {}));
        into = QString::fromStdString(value);
        return {};
    };
    TRY(read("name", saved.name));
    TRY(read("prompt", saved.prompt));
    TRY(read("system", saved.system));
    TRY(read("expected", saved.expected));
    if (const Json* sampling = reader.find("sampling")) saved.sampling = samplingFromJson(*sampling);
    if (const Json* results = reader.find("results"); results && results->is_object())
        for (const auto& [model, item] : results->items()) {
            const JsonReader one(item, "result of a saved case");
            CaseResult result;
            TRY_ASSIGN(const std::string answer, one.stringOr("answer", {}));
            TRY_ASSIGN(result.at, one.integerOr("at", 0, 0, INT64_MAX));
            TRY_ASSIGN(result.same, one.boolOr("same", false));
            TRY_ASSIGN(result.isFirst, one.boolOr("first", false));
            result.answer = QString::fromStdString(answer);
            saved.results[QString::fromStdString(model)] = result;
        }
    return saved;
}

CaseTable::CaseTable(QObject* parent) : RecordTable({{tr("Case")}, {tr("Result")}}, parent) {}

void CaseTable::setCases(std::vector<SavedCase> cases) {
    if (m_cases == cases) return;
    beginResetModel();
    m_cases = std::move(cases);
    endResetModel();
}

void CaseTable::update(const SavedCase& saved) {
    const auto found =
        std::find_if(m_cases.begin(), m_cases.end(), [&](const SavedCase& one) { return one.id == saved.id; });
    const int row = int(found - m_cases.begin());
    if (found != m_cases.end()) {
        *found = saved;
        rowChanged(row);
        return;
    }
    beginInsertRows({}, row, row);
    m_cases.push_back(saved);
    endInsertRows();
}

void CaseTable::remove(qint64 id) {
    const auto found =
        std::find_if(m_cases.begin(), m_cases.end(), [id](const SavedCase& one) { return one.id == id; });
    if (found == m_cases.end()) return;
    const int row = int(found - m_cases.begin());
    beginRemoveRows({}, row, row);
    m_cases.erase(found);
    endRemoveRows();
}

const SavedCase* CaseTable::find(qint64 id) const {
    const auto found =
        std::find_if(m_cases.begin(), m_cases.end(), [id](const SavedCase& one) { return one.id == id; });
    return found == m_cases.end() ? nullptr : &*found;
}

int CaseTable::rowCount(const QModelIndex& parent) const {
    return parent.isValid() ? 0 : int(m_cases.size());
}

QVariant CaseTable::data(const QModelIndex& index, int role) const {
    if (role != Qt::AccessibleTextRole || index.column() != Name || !checkIndex(index, CheckIndexOption::IndexIsValid))
        return RecordTable::data(index, role);
    const SavedCase& saved = m_cases[std::size_t(index.row())];
    return QString(saved.name + QStringLiteral(", ") + outcomeOf(saved).words);
}

QVariant CaseTable::cell(int row, int column, int role) const {
    const SavedCase& saved = m_cases[std::size_t(row)];
    switch (role) {
        case Qt::DisplayRole:
            return column == Name ? saved.name : outcomeOf(saved).words;
        case Qt::ToolTipRole:
            return column == Name ? saved.prompt.left(400) : outcomeOf(saved).words;
        case IconRole:
            return column == Outcome ? QVariant(outcomeOf(saved).icon) : QVariant();
        case ToneRole:
            return column == Outcome ? QVariant(int(outcomeOf(saved).tone)) : QVariant();
        case StrongRole:
            return column == Name;
        case IdRole:
            return qlonglong(saved.id);
        default:
            return {};
    }
}

}  // namespace espalier::ui

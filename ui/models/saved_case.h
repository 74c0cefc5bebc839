// SPDX-License-Identifier: GPL-3.0-or-later
// SavedCase: a prompt worth asking again, with its settings, what an answer must contain, and what each model answered
// last; CaseTable: the saved cases of the workspace as a list.
//
// Cases are kept by the daemon, in the workspace: they try its models and are there for everyone who works with them.
#pragma once

#include <map>

#include "ui/bridge/chat_stream.h"
#include "ui/models/record_table.h"

namespace espalier::ui {

struct CaseResult {
    QString answer;
    qint64 at = 0;         // Unix milliseconds
    bool same = false;     // as the time before
    bool isFirst = false;  // there was no time before
    bool operator==(const CaseResult&) const = default;
};

struct SavedCase {
    qint64 id = 0;  // 0: not saved yet
    QString name, prompt, system;
    QString expected;  // an answer must contain it; empty: nothing is expected
    Sampling sampling;
    std::map<QString, CaseResult> results;  // by model

    bool passes(const QString& answer) const;  // true when nothing is expected
    bool operator==(const SavedCase&) const = default;
};
Json toJson(const SavedCase& saved);
Result<SavedCase> savedCaseFromJson(const Json& json);

class CaseTable : public RecordTable {
    Q_OBJECT
public:
    enum Column { Name, Outcome };
    explicit CaseTable(QObject* parent = nullptr);

    void setCases(std::vector<SavedCase> cases);
    void update(const SavedCase& saved);  // adds it when it is new
    void remove(qint64 id);
    const std::vector<SavedCase>& cases() const { return m_cases; }
    const SavedCase* find(qint64 id) const;

    int rowCount(const QModelIndex& parent = {}) const override;
    QVariant data(const QModelIndex& index, int role) const override;  // a name is read with its outcome

protected:
    QVariant cell(int row, int column, int role) const override;

private:
    std::vector<SavedCase> m_cases;
};

}  // namespace espalier::ui

// SPDX-License-Identifier: GPL-3.0-or-later
// ResourceRow: how much of something is used: icon, name, bar, and beside the bar what it says in figures.
//
// Owner: a page. Thread: Qt.
#pragma once

#include "ui/widgets/controls.h"

namespace espalier::ui {

class ResourceRow : public QWidget {
    Q_OBJECT
public:
    ResourceRow(const QString& iconName, const QString& name);
    // "3.10 GiB", "of 7.75 GiB", and what else there is to say of it, in a column that folds first.
    void show(double share, const QString& used, const QString& all, const QString& more);
    void clear();  // not known
    void setNarrow(bool narrow);

private:
    ProgressBar* m_bar;
    TextLabel *m_used, *m_all, *m_more;
};

}  // namespace espalier::ui

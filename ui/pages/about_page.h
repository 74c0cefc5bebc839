// SPDX-License-Identifier: GPL-3.0-or-later
// AboutPage: version, what the program is made of, and the licences in full.
#pragma once

#include "ui/pages/page.h"

class QPlainTextEdit;
class QStandardItemModel;

namespace espalier::ui {

class TableView;

class AboutPage : public Page {
    Q_OBJECT
public:
    AboutPage(Workspace& workspace, Actions& actions);
    void fold(Breadth breadth) override;

private:
    Panel* partsPanel();
    Panel* licencePanel();
    void showLicence();

    PageHeader* m_header;
    QStandardItemModel* m_model;
    TableView* m_parts = nullptr;
    QPlainTextEdit* m_text = nullptr;
    Panel* m_licence = nullptr;
    QBoxLayout* m_panels = nullptr;
};

}  // namespace espalier::ui

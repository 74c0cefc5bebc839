// SPDX-License-Identifier: GPL-3.0-or-later
// PreferencesPage: what a person may choose about this program. Every choice holds at once and is kept.
#pragma once

#include "ui/pages/page.h"
#include "ui/shell/preferences.h"

class QCheckBox;
class QComboBox;
class QFormLayout;
class QLineEdit;

namespace espalier::ui {

class PreferencesPage : public Page {
    Q_OBJECT
public:
    PreferencesPage(Workspace& workspace, Actions& actions, PreferenceStore& preferences);

private:
    Panel* looksPanel();
    Panel* startPanel();
    Panel* workPanel();
    void showChosen();
    void change(const std::function<void(Preferences&)>& edit);
    void chooseFolder();

    PreferenceStore& m_preferences;
    SegmentedSwitch* m_theme = nullptr;
    QComboBox *m_language = nullptr, *m_text = nullptr, *m_motion = nullptr, *m_start = nullptr, *m_refresh = nullptr;
    QCheckBox *m_engine = nullptr, *m_notify = nullptr;
    QLineEdit* m_folder = nullptr;
    QPushButton* m_choose = nullptr;
};

}  // namespace espalier::ui

// SPDX-License-Identifier: GPL-3.0-or-later
#include "ui/pages/preferences_page.h"

#include <QBoxLayout>
#include <QCheckBox>
#include <QComboBox>
#include <QFileDialog>
#include <QFormLayout>
#include <QLineEdit>
#include <QScrollArea>

#include "ui/shell/language.h"

namespace espalier::ui {
namespace {

constexpr int kPanelWidth = 640;
constexpr int kFieldWidth = 320;
enum StartWith { kLast, kThisFolder };

QFormLayout* form() {
    auto* made = new QFormLayout;
    made->setContentsMargins(12, 12, 12, 12);
    made->setHorizontalSpacing(24);
    made->setVerticalSpacing(8);
    made->setFieldGrowthPolicy(QFormLayout::FieldsStayAtSizeHint);
    return made;
}

void addRow(QFormLayout* form, const QString& name, QWidget* field) {
    auto* label = fieldLabel(name, text_size::kBody);
    label->setFixedHeight(scaled(28));
    label->setMinimumWidth(scaled(144));
    if (field->accessibleName().isEmpty()) field->setAccessibleName(name);
    // As high as the label, so that the words of both stand on one line.
    if (qobject_cast<QCheckBox*>(field)) field->setFixedHeight(scaled(28));
    auto* place = row({field, nullptr});
    place->addStrut(scaled(28));
    form->addRow(label, place);
}

QComboBox* choice(const std::vector<std::pair<QString, QVariant>>& entries) {
    auto* made = new QComboBox;
    for (const auto& [name, value] : entries) made->addItem(name, value);
    made->setMinimumWidth(scaled(kFieldWidth));
    return made;
}

void select(QComboBox* box, const QVariant& value) {
    const int at = box->findData(value);
    box->setCurrentIndex(at < 0 ? 0 : at);
}

}  // namespace

PreferencesPage::PreferencesPage(Workspace& workspace, Actions& actions, PreferenceStore& preferences)
    : Page(workspace, actions), m_preferences(preferences) {
    auto* header = new PageHeader(tr("Preferences"));
    header->setFacts(tr("Every choice holds at once"));
    auto* panels = new QWidget;
    panels->setLayout(column({looksPanel(), startPanel(), workPanel(), nullptr}, 8, {12, 8, 12, 12}));
    auto* scroll = new QScrollArea;
    scroll->setFrameShape(QFrame::NoFrame);
    scroll->setWidgetResizable(true);
    scroll->setWidget(panels);
    scroll->setFocusPolicy(Qt::NoFocus);
    setLayout(column({header, LayoutItem(scroll, 1)}, 0));
    connect(&preferences, &PreferenceStore::changed, this, &PreferencesPage::showChosen);
    showChosen();
}

Panel* PreferencesPage::looksPanel() {
    auto* panel = new Panel(tr("Look and language"));
    panel->addTitleLine();
    panel->setMaximumWidth(scaled(kPanelWidth));
    m_theme = new SegmentedSwitch({tr("As the desktop"), tr("Light"), tr("Dark")}, tr("Theme"), ControlSize::Normal);
    std::vector<std::pair<QString, QVariant>> languages{{tr("As the desktop"), QString()}};
    for (const Language::Name& language : Language::available()) languages.push_back({language.name, language.code});
    m_language = choice(languages);
    m_text = choice({{tr("As the desktop"), 0},
                     {tr("%1 %").arg(100), 100},
                     {tr("%1 %").arg(125), 125},
                     {tr("%1 %").arg(150), 150},
                     {tr("%1 %").arg(175), 175},
                     {tr("%1 %").arg(200), 200}});
    m_motion = choice({{tr("As the desktop"), int(MotionChoice::System)},
                       {tr("Show movements"), int(MotionChoice::Full)},
                       {tr("Reduce movements"), int(MotionChoice::Reduced)}});
    auto* rows = form();
    addRow(rows, tr("Theme"), m_theme);
    addRow(rows, tr("Language"), m_language);
    addRow(rows, tr("Text size"), m_text);
    addRow(rows, tr("Movement"), m_motion);
    panel->setContent(rows);
    connect(m_theme, &SegmentedSwitch::chosen, this,
            [this](int index) { change([index](Preferences& p) { p.theme = ThemeChoice(index); }); });
    connect(m_language, &QComboBox::activated, this,
            [this] { change([this](Preferences& p) { p.language = m_language->currentData().toString(); }); });
    connect(m_text, &QComboBox::activated, this,
            [this] { change([this](Preferences& p) { p.textPercent = m_text->currentData().toInt(); }); });
    connect(m_motion, &QComboBox::activated, this,
            [this] { change([this](Preferences& p) { p.motion = MotionChoice(m_motion->currentData().toInt()); }); });
    return panel;
}

Panel* PreferencesPage::startPanel() {
    auto* panel = new Panel(tr("Start"));
    panel->addTitleLine();
    panel->setMaximumWidth(scaled(kPanelWidth));
    m_start = choice({{tr("The last workspace"), kLast}, {tr("This folder"), kThisFolder}});
    m_folder = new QLineEdit;
    m_folder->setReadOnly(true);
    m_folder->setMinimumWidth(scaled(kFieldWidth));
    m_folder->setAccessibleName(tr("Folder opened at start"));
    m_choose = button(tr("Choose…"));
    auto* folder = new QWidget;
    folder->setLayout(row({LayoutItem(m_folder, 1), m_choose}));
    m_engine = new QCheckBox(tr("Start the engine of a workspace when none runs"));
    auto* rows = form();
    addRow(rows, tr("Open"), m_start);
    addRow(rows, tr("Folder"), folder);
    addRow(rows, tr("Engine"), m_engine);
    // Below the form: a form leaves its fields at their hint, which cuts text that wraps.
    auto* goesOn =
        paragraph(tr("The engine goes on when the window closes; \"Stop the engine\" in the menu Tools ends it."),
                  text_size::kTable);
    panel->setContent(column({rows, row({LayoutItem(goesOn, 1)}, 0, {12, 0, 12, 12})}, 0));
    connect(m_start, &QComboBox::activated, this, [this](int index) {
        if (index == kLast)
            change([](Preferences& p) { p.workspace.clear(); });
        else if (engine().folder().isEmpty())
            chooseFolder();  // a server of a colleague is open: none of its folders is one of this machine
        else
            change([this](Preferences& p) { p.workspace = engine().folder(); });
        showChosen();
    });
    connect(m_choose, &QPushButton::clicked, this, &PreferencesPage::chooseFolder);
    connect(m_engine, &QCheckBox::clicked, this,
            [this](bool on) { change([on](Preferences& p) { p.startEngine = on; }); });
    return panel;
}

Panel* PreferencesPage::workPanel() {
    auto* panel = new Panel(tr("While it works"));
    panel->addTitleLine();
    panel->setMaximumWidth(scaled(kPanelWidth));
    m_refresh = choice({{tr("10 times a second"), 100},
                        {tr("4 times a second"), 250},
                        {tr("Once a second"), 1000},
                        {tr("Every two seconds"), 2000}});
    m_notify = new QCheckBox(tr("Tell the desktop when a job ends behind other windows"));
    auto* rows = form();
    addRow(rows, tr("Plots are drawn"), m_refresh);
    addRow(rows, tr("Notifications"), m_notify);
    panel->setContent(rows);
    connect(m_refresh, &QComboBox::activated, this,
            [this] { change([this](Preferences& p) { p.refreshMs = m_refresh->currentData().toInt(); }); });
    connect(m_notify, &QCheckBox::clicked, this, [this](bool on) { change([on](Preferences& p) { p.notify = on; }); });
    return panel;
}

void PreferencesPage::change(const std::function<void(Preferences&)>& edit) {
    Preferences wanted = m_preferences.now();
    edit(wanted);
    m_preferences.set(wanted);
}

void PreferencesPage::showChosen() {
    const Preferences& p = m_preferences.now();
    m_theme->setCurrent(int(p.theme));
    select(m_language, p.language);
    select(m_text, p.textPercent);
    select(m_motion, int(p.motion));
    select(m_refresh, p.refreshMs);
    m_start->setCurrentIndex(p.workspace.isEmpty() ? kLast : kThisFolder);
    m_folder->setText(p.workspace);
    m_folder->setEnabled(!p.workspace.isEmpty());
    m_choose->setEnabled(!p.workspace.isEmpty());
    m_engine->setChecked(p.startEngine);
    m_notify->setChecked(p.notify);
}

void PreferencesPage::chooseFolder() {
    auto* dialog = new QFileDialog(this, tr("The workspace opened at start"), m_preferences.now().workspace);
    dialog->setAttribute(Qt::WA_DeleteOnClose);
    dialog->setFileMode(QFileDialog::Directory);
    dialog->setOption(QFileDialog::ShowDirsOnly);
    connect(dialog, &QFileDialog::fileSelected, this,
            [this](const QString& folder) { change([&](Preferences& p) { p.workspace = folder; }); });
    dialog->open();
}

}  // namespace espalier::ui

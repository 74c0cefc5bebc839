// SPDX-License-Identifier: GPL-3.0-or-later
#include "ui/pages/address_dialog.h"

#include <QBoxLayout>
#include <QGridLayout>
#include <QSpinBox>

#include "ui/widgets/panel.h"

namespace espalier::ui {
namespace {

constexpr int kAddressWidth = 480;
enum Reach { kThisMachine, kNetwork };

TextLabel* label(const QString& text) {
    auto* made = new TextLabel(text, text_size::kBody, QFont::Normal, Tone::Secondary);
    made->setElide(Qt::ElideNone);
    return made;
}

}  // namespace

AddressDialog::AddressDialog(Workspace& workspace, PreferenceStore& preferences, QWidget* parent)
    : QDialog(parent),
      m_workspace(workspace),
      m_preferences(preferences),
      m_reach(new SegmentedSwitch({tr("This machine"), tr("This network")}, tr("Reached from"))),
      m_port(new QSpinBox),
      m_meaning(paragraph({})),
      m_error(new ErrorStrip),
      m_restart(button(tr("Restart the engine"), QStringLiteral("refresh-cw"), ButtonRole::Primary)) {
    setWindowTitle(tr("Port and exposure"));
    setFixedWidth(scaled(kAddressWidth));
    const ListenAt now = preferences.listenAt(workspace.engine().folder());
    m_reach->setCurrent(now.network ? kNetwork : kThisMachine);
    m_port->setRange(kLeastPort - 1, kMostPort);
    m_port->setSpecialValueText(tr("usual"));
    m_port->setGroupSeparatorShown(false);
    m_port->setValue(now.port > 0 ? now.port : kLeastPort - 1);
    m_port->setAccessibleName(tr("Port"));
    auto* cancel = button(tr("Cancel"));
    auto* form = new QGridLayout;
    form->setHorizontalSpacing(12);
    form->setVerticalSpacing(8);
    form->addWidget(label(tr("Reached from")), 0, 0);
    form->addLayout(row({m_reach, nullptr}), 0, 1);
    form->addWidget(label(tr("Port")), 1, 0);
    form->addLayout(row({m_port, nullptr}), 1, 1);
    form->setColumnStretch(1, 1);
    setLayout(column({form, m_meaning, m_error, row({nullptr, cancel, m_restart})}, 12, {16, 16, 16, 16}));
    connect(m_reach, &SegmentedSwitch::chosen, this, &AddressDialog::showChosen);
    connect(m_port, &QSpinBox::valueChanged, this, &AddressDialog::showChosen);
    connect(cancel, &QPushButton::clicked, this, &QDialog::reject);
    connect(m_restart, &QPushButton::clicked, this, &AddressDialog::restart);
    m_restart->setDefault(true);
    showChosen();
}

ListenAt AddressDialog::chosen() const {
    return {m_reach->current() == kNetwork, m_port->value() < kLeastPort ? 0 : m_port->value()};
}

void AddressDialog::showChosen() {
    const QString reach =
        chosen().network ? tr("Everybody who reaches this machine over the network and has the key can use the server. "
                              "The connection is not encrypted.")
                         : tr("Only programs on this machine reach the server.");
    m_meaning->setText(reach + QLatin1Char('\n') +
                       tr("The engine starts anew: answers that run are ended first; a job that runs is interrupted "
                          "and can be resumed."));
    layout()->activate();
    adjustSize();
}

void AddressDialog::restart() {
    m_error->clear();
    const QString folder = m_workspace.engine().folder();
    const ListenAt before = m_preferences.listenAt(folder);
    m_preferences.setListenAt(folder, chosen());
    m_restart->setEnabled(false);
    m_workspace.engine().restartEngine(this, [this, folder, before](const Result<Json>& done) {
        m_restart->setEnabled(true);
        if (done) return accept();
        m_preferences.setListenAt(folder, before);
        m_error->showError(tr("The engine was not restarted"), done.error());
        adjustSize();
    });
}

}  // namespace espalier::ui

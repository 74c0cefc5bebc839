// SPDX-License-Identifier: GPL-3.0-or-later
#include "ui/shell/attach_dialog.h"

#include <QBoxLayout>
#include <QFormLayout>
#include <QLineEdit>

#include "ui/widgets/controls.h"

namespace espalier::ui {

AttachDialog::AttachDialog(QWidget* parent) : QDialog(parent), m_url(new QLineEdit), m_key(new QLineEdit) {
    setWindowTitle(tr("Attach to a server"));
    setFixedWidth(480);
    m_url->setPlaceholderText(QStringLiteral("http://192.168.1.20:8420"));
    m_url->setAccessibleName(tr("Address"));
    m_key->setEchoMode(QLineEdit::Password);
    m_key->setAccessibleName(tr("Key"));
    m_key->setPlaceholderText(tr("the server's admin key"));
    auto* attach = button(tr("Attach"), QStringLiteral("plug"), ButtonRole::Primary);
    auto* cancel = button(tr("Cancel"));
    attach->setDefault(true);
    attach->setEnabled(false);
    auto* form = new QFormLayout;
    form->setHorizontalSpacing(12);
    form->setLabelAlignment(Qt::AlignLeft | Qt::AlignVCenter);
    const auto label = [](const QString& text) {
        auto* made = new TextLabel(text, text_size::kBody, QFont::Normal, Tone::Secondary);
        made->setElide(Qt::ElideNone);
        made->setFixedHeight(28);
        return made;
    };
    form->addRow(label(tr("Address")), m_url);
    form->addRow(label(tr("Key")), m_key);
    setLayout(column({form, row({nullptr, cancel, attach})}, 16, {16, 16, 16, 16}));
    connect(m_url, &QLineEdit::textChanged, attach,
            [this, attach] { attach->setEnabled(url().isValid() && !url().host().isEmpty()); });
    connect(attach, &QPushButton::clicked, this, &QDialog::accept);
    connect(cancel, &QPushButton::clicked, this, &QDialog::reject);
}

QUrl AttachDialog::url() const {
    QString text = m_url->text().trimmed();
    while (text.endsWith(QLatin1Char('/'))) text.chop(1);
    if (text.endsWith(QLatin1String("/v1"))) text.chop(3);
    if (!text.contains(QLatin1String("://"))) text.prepend(QStringLiteral("http://"));
    return QUrl(text, QUrl::StrictMode);
}

QString AttachDialog::key() const {
    return m_key->text().trimmed();
}

}  // namespace espalier::ui

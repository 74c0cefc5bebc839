// SPDX-License-Identifier: GPL-3.0-or-later
#include "ui/widgets/key_field.h"

#include <QApplication>
#include <QClipboard>

#include "ui/widgets/controls.h"

namespace espalier::ui {

KeyField::KeyField(QWidget* parent)
    : QWidget(parent),
      m_text(new TextLabel({}, text_size::kCaption, QFont::Normal, Tone::Secondary)),
      m_eye(toolButton(QStringLiteral("eye"), tr("Show the key"))),
      m_copy(toolButton(QStringLiteral("copy"), tr("Copy the key"))) {
    m_eye->setIconSize(QSize(14, 14));
    m_copy->setIconSize(QSize(14, 14));
    setLayout(row({m_text, m_eye, m_copy, nullptr}, 4));
    connect(m_eye, &QToolButton::clicked, this, [this] { reveal(!m_shown); });
    connect(m_copy, &QToolButton::clicked, this, [this] { QApplication::clipboard()->setText(m_key); });
    reveal(false);
}

void KeyField::setKey(const QString& key, const QString& file) {
    if (key == m_key && file == m_file) return;
    m_key = key;
    m_file = file;
    reveal(false);
}

void KeyField::reveal(bool shown) {
    m_shown = shown && !m_key.isEmpty();
    m_text->setText(m_key.isEmpty() ? QString() : m_shown ? m_key : tr("key ••••••••"));
    const QString name = m_shown ? tr("Hide the key") : tr("Show the key");
    m_eye->setIcon(icon(m_shown ? QStringLiteral("eye-off") : QStringLiteral("eye")));
    m_eye->setAccessibleName(name);
    m_eye->setToolTip(name);
    m_copy->setToolTip(m_file.isEmpty() ? tr("Copy the key") : tr("Copy the key; it is kept in %1").arg(m_file));
    for (QToolButton* each : {m_eye, m_copy}) each->setVisible(!m_key.isEmpty());
}

}  // namespace espalier::ui

// SPDX-License-Identifier: GPL-3.0-or-later
#include "ui/pages/key_dialog.h"

#include <QBoxLayout>
#include <QClipboard>
#include <QGuiApplication>
#include <QLineEdit>

#include "ui/widgets/controls.h"

namespace espalier::ui {
namespace {

constexpr int kKeyWidth = 480;

}  // namespace

KeyDialog::KeyDialog(const QString& tenant, const QString& key, QWidget* parent) : QDialog(parent) {
    setWindowTitle(tr("New key"));
    setFixedWidth(scaled(kKeyWidth));
    setAttribute(Qt::WA_DeleteOnClose);
    auto* field = new QLineEdit(key);
    field->setReadOnly(true);
    field->setFont(monoFont());
    field->setAccessibleName(tr("New key"));
    field->setCursorPosition(0);
    auto* copy = button(tr("Copy the key"), QStringLiteral("copy"));
    auto* copied = new TextLabel({}, text_size::kTable, QFont::Normal, Tone::Secondary);
    connect(copy, &QPushButton::clicked, this, [key, copied] {
        QGuiApplication::clipboard()->setText(key);
        copied->setText(tr("Copied"));
    });
    auto* done = button(tr("Done"), {}, ButtonRole::Primary);
    done->setDefault(true);
    connect(done, &QPushButton::clicked, this, &QDialog::accept);
    setLayout(
        column({paragraph(tr("This is the key of %1. It is shown this once: only a digest of it is kept.").arg(tenant),
                          text_size::kBody, Tone::Text),
                field, row({copy, copied, nullptr, done}, 8)},
               12, {16, 16, 16, 16}));
}

}  // namespace espalier::ui

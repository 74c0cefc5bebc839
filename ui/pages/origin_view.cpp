// SPDX-License-Identifier: GPL-3.0-or-later
#include "ui/pages/origin_view.h"

#include <QBoxLayout>
#include <QClipboard>
#include <QGridLayout>
#include <QGuiApplication>

#include "ui/models/format.h"

namespace espalier::ui {
namespace {

constexpr int kRowHeight = 24;

}  // namespace

OriginView::OriginView() : m_form(new QGridLayout) {
    setFrameShape(QFrame::NoFrame);
    setWidgetResizable(true);
    setHorizontalScrollBarPolicy(Qt::ScrollBarAlwaysOff);
    setFocusPolicy(Qt::NoFocus);
    setAccessibleName(tr("Origin"));
    m_form->setContentsMargins({});
    m_form->setHorizontalSpacing(12);
    m_form->setVerticalSpacing(4);
    m_form->setColumnStretch(1, 1);
    m_digest = addRow(tr("SHA-256"), true);
    m_verified = addRow(tr("Verified"), false);
    m_id = addRow(tr("Id"), true);
    m_folder = addRow(tr("Folder"), true);
    m_source = addRow(tr("Source"), true);
    m_licence = addRow(tr("Licence"), false);
    m_warningsName = new TextLabel(tr("Warnings at import"), text_size::kTable, QFont::Medium, Tone::Warn);
    m_warnings = paragraph({}, text_size::kTable, Tone::Text);
    m_warnings->setAccessibleName(tr("Warnings at import"));
    auto* content = new QWidget;
    content->setBackgroundRole(QPalette::Base);
    content->setLayout(column({LayoutItem(m_form), 8, m_warningsName, m_warnings, nullptr}, 4, {11, 8, 8, 8}));
    viewport()->setBackgroundRole(QPalette::Base);
    setWidget(content);
}

TextLabel* OriginView::addRow(const QString& name, bool isMono) {
    const int row = m_form->rowCount();
    m_form->setRowMinimumHeight(row, scaled(kRowHeight));
    m_form->addWidget(fieldLabel(name), row, 0);
    auto* value = new TextLabel({}, text_size::kTable);
    m_form->addWidget(value, row, 1);
    if (!isMono) return value;
    value->setMono();
    value->setElide(Qt::ElideMiddle);
    auto* copy = toolButton(QStringLiteral("copy"), tr("Copy: %1").arg(name));
    copy->setIconSize(QSize(14, 14));
    connect(copy, &QToolButton::clicked, value, [value] { QGuiApplication::clipboard()->setText(value->text()); });
    m_form->addWidget(copy, row, 2);
    return value;
}

void OriginView::show(const ModelRecord& model, qint64 verifiedAt) {
    m_digest->setText(text(model.digest).remove(QLatin1String("sha256:")));
    m_verified->setText(verifiedAt > 0 ? formatDay(verifiedAt) + QLatin1Char(' ') + formatClock(verifiedAt)
                                       : tr("not since the import"));
    m_id->setText(text(model.id));
    m_folder->setText(text(model.folder));
    m_source->setText(text(model.source));
    m_licence->setText(model.licence.empty() ? tr("the folder names none") : text(model.licence));
    QStringList warnings;
    for (const std::string& warning : model.warnings) warnings << text(warning);
    m_warnings->setText(warnings.join(QLatin1Char('\n')));
    m_warningsName->setVisible(!warnings.isEmpty());
    m_warnings->setVisible(!warnings.isEmpty());
}

}  // namespace espalier::ui

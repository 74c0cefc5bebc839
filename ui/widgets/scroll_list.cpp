// SPDX-License-Identifier: GPL-3.0-or-later
#include "ui/widgets/scroll_list.h"

#include <QBoxLayout>
#include <QEvent>

#include "ui/widgets/controls.h"

namespace espalier::ui {
namespace {

constexpr int kLeastHeight = 56;  // a row stays in sight

}  // namespace

ScrollList::ScrollList(QWidget* parent) : QScrollArea(parent), m_rows(column({}, 0)) {
    auto* content = new QWidget;
    content->setBackgroundRole(QPalette::Base);
    content->setLayout(column({LayoutItem(m_rows), nullptr}, 0));
    setFrameShape(QFrame::NoFrame);
    setWidgetResizable(true);
    setHorizontalScrollBarPolicy(Qt::ScrollBarAlwaysOff);
    setSizePolicy(QSizePolicy::Preferred, QSizePolicy::Maximum);
    setFocusPolicy(Qt::NoFocus);
    viewport()->setBackgroundRole(QPalette::Base);
    setWidget(content);
}

int ScrollList::contentHeight() const {
    const QLayout* layout = widget()->layout();
    const int width = viewport()->width();
    return layout->hasHeightForWidth() && width > 0 ? layout->heightForWidth(width) : layout->sizeHint().height();
}

QSize ScrollList::sizeHint() const {
    return {widget()->sizeHint().width(), contentHeight()};
}

QSize ScrollList::minimumSizeHint() const {
    return {widget()->minimumSizeHint().width(), qMin(contentHeight(), scaled(kLeastHeight))};
}

bool ScrollList::eventFilter(QObject* watched, QEvent* event) {
    const bool done = QScrollArea::eventFilter(watched, event);
    if (watched == widget() && (event->type() == QEvent::LayoutRequest || event->type() == QEvent::Resize))
        updateGeometry();
    return done;
}

}  // namespace espalier::ui

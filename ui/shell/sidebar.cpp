// SPDX-License-Identifier: GPL-3.0-or-later
#include "ui/shell/sidebar.h"

#include <QAction>
#include <QPainter>
#include <QVBoxLayout>
#include <algorithm>

#include "ui/widgets/controls.h"

namespace espalier::ui {
namespace {

constexpr int kSidebarWide = 184, kSidebarFolded = 48, kSidebarItem = 32, kSidebarIcon = 16;

}  // namespace

class SidebarItem : public QAbstractButton {
public:
    SidebarItem(const QString& name, const QString& iconName) : m_icon(iconName) {
        setText(name);
        setAccessibleName(name);
        setFocusPolicy(Qt::TabFocus);
        setAttribute(Qt::WA_Hover);
        setFixedHeight(scaled(kSidebarItem));
    }
    QSize sizeHint() const override {
        return QSize(m_folded ? kSidebarFolded : scaled(kSidebarWide), scaled(kSidebarItem));
    }

    void setFolded(bool folded) {
        m_folded = folded;
        setToolTip(folded || !m_shortcut.isEmpty()
                       ? text() + (m_shortcut.isEmpty() ? QString() : QStringLiteral("  ") + m_shortcut)
                       : QString());
        updateGeometry();
        update();
    }
    void setCurrent(bool current) {
        m_current = current;
        update();
    }
    void setTail(const QString& count, const QString& mark) {
        if (count == m_count && mark == m_mark) return;
        m_count = count;
        m_mark = mark;
        update();
    }
    void setShortcutText(const QString& shortcut) { m_shortcut = shortcut; }
    void setStrong(bool strong) { m_strong = strong; }

    QString m_count, m_mark;

protected:
    void paintEvent(QPaintEvent*) override {
        const ThemeColors& c = colorsOf(palette());
        QPainter painter(this);
        painter.setRenderHint(QPainter::Antialiasing);
        const QRectF ground = QRectF(rect()).adjusted(8, 1, -8, -1);
        if (m_current || underMouse() || isDown()) {
            painter.setPen(Qt::NoPen);
            painter.setBrush(QColor(m_current ? c.selection : c.hover));
            painter.drawRoundedRect(ground, 4, 4);
        }
        if (m_current) painter.fillRect(QRectF(0, 3, 3, height() - 6), QColor(c.accentText));
        if (hasFocus()) {
            painter.setPen(QPen(QColor(c.accentText), 2));
            painter.setBrush(Qt::NoBrush);
            painter.drawRoundedRect(ground.adjusted(1, 1, -1, -1), 4, 4);
        }
        const bool accent = m_current || m_strong;
        const int left = 16;
        painter.drawPixmap(QRect(left, (height() - kSidebarIcon) / 2, kSidebarIcon, kSidebarIcon),
                           iconPixmap(m_icon, accent ? c.accentText : c.text, kSidebarIcon, devicePixelRatioF()));
        if (m_folded) return;
        int right = width() - 16;
        if (!m_mark.isEmpty()) {
            painter.drawPixmap(QRect(right - 14, (height() - 14) / 2, 14, 14),
                               iconPixmap(m_mark, m_strong ? c.secondary : c.accentText, 14, devicePixelRatioF()));
            right -= 20;
        }
        if (!m_count.isEmpty()) {
            painter.setFont(uiFont(text_size::kCaption));
            painter.setPen(QColor(c.secondary));
            painter.drawText(QRect(0, 0, right, height()), Qt::AlignRight | Qt::AlignVCenter, m_count);
            right -= painter.fontMetrics().horizontalAdvance(m_count) + 8;
        }
        painter.setFont(uiFont(text_size::kBody, m_current || m_strong ? QFont::DemiBold : QFont::Normal));
        painter.setPen(QColor(c.text));
        const QRect textRect(left + kSidebarIcon + 12, 0, right - left - kSidebarIcon - 12, height());
        painter.drawText(textRect, Qt::AlignLeft | Qt::AlignVCenter,
                         painter.fontMetrics().elidedText(text(), Qt::ElideRight, textRect.width()));
    }

private:
    QString m_icon, m_shortcut;
    bool m_folded = false, m_current = false, m_strong = false;
};

Sidebar::Sidebar(QWidget* parent)
    : QWidget(parent),
      m_list(new QVBoxLayout),
      m_foot(new QVBoxLayout),
      m_workspace(new SidebarItem(tr("Workspace"), QStringLiteral("sprout"))) {
    m_workspace->setStrong(true);
    m_workspace->setTail({}, QStringLiteral("chevrons-up-down"));
    connect(m_workspace, &QAbstractButton::clicked, this, &Sidebar::workspaceClicked);
    m_list->setContentsMargins(0, 8, 0, 8);
    m_list->setSpacing(0);
    m_list->addWidget(m_workspace);
    m_list->addSpacing(8);
    auto* box = new QVBoxLayout(this);
    box->setContentsMargins({});
    box->addLayout(m_list);
    box->addStretch(1);
    box->addLayout(m_foot);
    m_foot->setContentsMargins(0, 8, 0, 8);
    m_foot->setSpacing(0);
    setFixedWidth(scaled(kSidebarWide));
    setAccessibleName(tr("Pages"));
}

void Sidebar::setWorkspace(const QString& name, const QString& where) {
    const QString shown = name.isEmpty() ? tr("No workspace") : name;
    if (m_workspace->text() == shown && m_workspace->toolTip() == where) return;
    m_workspace->setText(shown);
    m_workspace->setAccessibleName(tr("Workspace %1").arg(m_workspace->text()));
    m_workspace->setToolTip(where);
    m_workspace->update();
}

void Sidebar::addGroup(const QString& name) {
    auto* label = new TextLabel(name, text_size::kCaption, QFont::Normal, Tone::Secondary);
    auto* holder = new QWidget;
    holder->setFixedHeight(scaled(32));
    holder->setLayout(row({label, nullptr}, 0, {16, 8, 8, 0}));
    m_list->addWidget(holder);
    m_groups.push_back({holder, {}});
}

int Sidebar::addPage(QAction* action, const QString& name, const QString& iconName) {
    if (!m_groups.empty()) m_groups.back().actions.push_back(action);
    return add(m_list, action, name, iconName);
}

int Sidebar::addFootPage(QAction* action, const QString& name, const QString& iconName) {
    return add(m_foot, action, name, iconName);
}

int Sidebar::add(QVBoxLayout* list, QAction* action, const QString& name, const QString& iconName) {
    auto* item = new SidebarItem(name, iconName);
    item->setShortcutText(action->shortcut().toString(QKeySequence::NativeText));
    item->setFolded(m_folded);
    connect(item, &QAbstractButton::clicked, action, &QAction::trigger);
    connect(action, &QAction::changed, item, [this, item, action] {
        if (item->isHidden() != action->isVisible()) return;
        item->setVisible(action->isVisible());
        showGroups();
    });
    list->addWidget(item);
    m_pages.push_back(item);
    return int(m_pages.size()) - 1;
}

void Sidebar::showGroups() {
    for (const Group& group : m_groups)
        group.title->setVisible(std::any_of(group.actions.begin(), group.actions.end(),
                                            [](const QAction* action) { return action->isVisible(); }));
}

void Sidebar::setCurrent(int page) {
    for (int i = 0; i < int(m_pages.size()); ++i) m_pages[std::size_t(i)]->setCurrent(i == page);
}

void Sidebar::setCount(int page, const QString& count) {
    SidebarItem* item = m_pages[std::size_t(page)];
    if (item->m_count == count) return;
    item->setTail(count, item->m_mark);
    item->setAccessibleDescription(count);
}

void Sidebar::setMark(int page, const QString& iconName, const QString& description) {
    SidebarItem* item = m_pages[std::size_t(page)];
    if (item->m_mark == iconName) return;
    item->setTail(item->m_count, iconName);
    item->setAccessibleDescription(description);
}

void Sidebar::setFolded(bool folded) {
    if (m_folded == folded) return;
    m_folded = folded;
    setFixedWidth(folded ? kSidebarFolded : scaled(kSidebarWide));
    m_workspace->setFolded(folded);
    for (SidebarItem* item : m_pages) item->setFolded(folded);
    for (const Group& group : m_groups) {
        group.title->setFixedHeight(folded ? 12 : scaled(32));
        for (auto* label : group.title->findChildren<TextLabel*>()) label->setVisible(!folded);
    }
}

void Sidebar::paintEvent(QPaintEvent*) {
    const ThemeColors& c = colorsOf(palette());
    QPainter painter(this);
    painter.fillRect(rect(), QColor(c.side));
    painter.fillRect(QRect(width() - 1, 0, 1, height()), QColor(c.line));
}

}  // namespace espalier::ui

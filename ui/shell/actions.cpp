// SPDX-License-Identifier: GPL-3.0-or-later
#include "ui/shell/actions.h"

#include "core/base/check.h"

namespace espalier::ui {
namespace {

constexpr auto kPlaceProperty = "espalierPlace";
constexpr auto kIconProperty = "espalierIcon";
constexpr auto kGroupProperty = "espalierGroup";

}  // namespace

QAction* Actions::add(const QString& id, const QString& where, const QString& text, const QString& iconName,
                      const QKeySequence& shortcut, std::function<void()> run) {
    auto* action = new QAction(text, this);
    action->setObjectName(id);
    action->setProperty(kPlaceProperty, where);
    action->setProperty(kIconProperty, iconName);
    if (!iconName.isEmpty()) action->setIcon(icon(iconName));
    if (!shortcut.isEmpty()) action->setShortcut(shortcut);
    connect(action, &QAction::triggered, this, [run = std::move(run)] { run(); });
    m_all.push_back(action);
    m_byId.insert(id, action);
    return action;
}

QAction* Actions::get(const QString& id) const {
    QAction* action = m_byId.value(id);
    CHECK(action != nullptr);
    return action;
}

void Actions::setAvailable(const QString& id, bool available) {
    get(id)->setVisible(available);  // an invisible action is disabled too, with its shortcut
}

void Actions::beginGroup(const QString& id) {
    get(id)->setProperty(kGroupProperty, true);
}

bool Actions::beginsGroup(const QAction* action) {
    return action->property(kGroupProperty).toBool();
}

QString Actions::placeOf(const QAction* action) {
    return action->property(kPlaceProperty).toString();
}

namespace {

QPushButton* boundTo(QAction* action, QPushButton* made) {
    made->setEnabled(action->isEnabled());
    made->setToolTip(action->shortcut().toString(QKeySequence::NativeText));
    QObject::connect(made, &QPushButton::clicked, action, &QAction::trigger);
    QObject::connect(action, &QAction::changed, made, [made, action] {
        made->setEnabled(action->isEnabled());
        if (made->isHidden() == action->isVisible()) made->setVisible(action->isVisible());
    });
    return made;
}

}  // namespace

QPushButton* buttonFor(QAction* action, const QString& text, ButtonRole role, ControlSize size) {
    return boundTo(action, button(text, action->property(kIconProperty).toString(), role, size));
}

QPushButton* smallButtonFor(QAction* action, const QString& text) {
    return boundTo(action, button(text, {}, ButtonRole::Plain, ControlSize::Small));
}

}  // namespace espalier::ui

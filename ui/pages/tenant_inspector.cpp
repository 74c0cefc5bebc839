// SPDX-License-Identifier: GPL-3.0-or-later
#include "ui/pages/tenant_inspector.h"

#include <QApplication>
#include <QBoxLayout>
#include <QDateTime>
#include <QGridLayout>
#include <QKeyEvent>
#include <QScrollArea>
#include <QStackedLayout>
#include <algorithm>

#include "ui/models/format.h"
#include "ui/models/limit_text.h"
#include "ui/pages/limit_edit.h"
#include "ui/pages/model_choice.h"
#include "ui/pages/tenant_usage_view.h"
#include "ui/shell/actions.h"

namespace espalier::ui {
namespace {

constexpr int kBetweenFields = 8;

TextLabel* caption(const QString& text, bool givesWay = false) {
    auto* label = new TextLabel(text, text_size::kTable, QFont::Normal, Tone::Secondary);
    if (!givesWay) label->setElide(Qt::ElideNone);
    return label;
}

QWidget* partTitle(const QString& title, const QString& unit, QWidget* action = nullptr) {
    auto* bar = new QWidget;
    bar->setFixedHeight(scaled(32));
    auto* layout = row({new TextLabel(title, text_size::kTable, QFont::DemiBold), LayoutItem(caption(unit, true), 1)},
                       8, {12, 0, 8, 0});
    if (action) layout->addWidget(action);
    bar->setLayout(layout);
    return bar;
}

QString dayText(const std::optional<std::int64_t>& at) {
    if (!at) return QStringLiteral("–");
    const bool isToday = QDateTime::fromMSecsSinceEpoch(*at).date() == QDate::currentDate();
    return isToday ? formatClock(*at, false) : formatDay(*at);
}

}  // namespace

TenantInspector::TenantInspector(Workspace& workspace, Actions& actions)
    : m_models(new ModelChoice(workspace)), m_usage(new TenantUsageView) {
    auto* parts = new QWidget;
    auto* exportUsage = buttonFor(actions.get(action::kTenantExport), tr("Export usage"));
    exportUsage->setAccessibleName(tr("Export usage of this tenant"));
    auto* isolation = buttonFor(actions.get(action::kIsolationCheck), tr("Isolation check"));
    isolation->setToolTip(tr("Shows that nobody's answer depends on who else is served") + QStringLiteral(" (") +
                          isolation->toolTip() + QLatin1Char(')'));
    connect(m_usage, &TenantUsageView::hoursWanted, this, &TenantInspector::hoursWanted);
    parts->setLayout(column({titleRow(actions), horizontalLine(), keysPart(actions), horizontalLine(), limitsPart(),
                             horizontalLine(), m_models, horizontalLine(), m_usage, nullptr},
                            0));
    auto* scroll = new QScrollArea;
    scroll->setFrameShape(QFrame::NoFrame);
    scroll->setWidgetResizable(true);
    scroll->setHorizontalScrollBarPolicy(Qt::ScrollBarAlwaysOff);
    scroll->setFocusPolicy(Qt::NoFocus);
    scroll->setWidget(parts);
    scroll->viewport()->setBackgroundRole(QPalette::Base);  // a panel's ground, as beside it
    parts->setBackgroundRole(QPalette::Base);
    auto* full = new QWidget;
    full->setLayout(column(
        {LayoutItem(scroll, 1), horizontalLine(), row({isolation, nullptr, exportUsage}, 8, {12, 8, 12, 8})}, 0));
    auto* holder = new QWidget;
    m_stack = new QStackedLayout(holder);
    m_stack->addWidget(full);
    auto* add = buttonFor(actions.get(action::kNewTenant), tr("New tenant"));
    add->setAccessibleName(tr("Make a new tenant"));
    m_stack->addWidget(new EmptyView(QStringLiteral("users"), tr("Choose a tenant to see its keys and limits."), add));
    setContent(holder);
    setAccessibleName(tr("Tenant"));
    connect(m_models, &ModelChoice::edited, this, [this](const std::vector<std::string>& allowed) {
        emit limitEdited({{"models", m_tenant.limits.models}}, {{"models", allowed}});
    });
    show(nullptr, nullptr);
}

QWidget* TenantInspector::titleRow(Actions& actions) {
    m_back = button(tr("All tenants"), {}, ButtonRole::Plain, ControlSize::Small);
    m_back->setToolTip(QKeySequence(Qt::Key_Escape).toString(QKeySequence::NativeText));
    m_back->hide();
    connect(m_back, &QPushButton::clicked, this, &TenantInspector::left);
    m_name = new TextLabel({}, text_size::kTitle, QFont::DemiBold);
    m_badge = new Badge;
    m_facts = new TextLabel({}, text_size::kTable, QFont::Normal, Tone::Secondary);
    m_revoke = button({}, {}, ButtonRole::Plain, ControlSize::Small);
    m_revoke->setToolTip(actions.get(action::kTenantRevoke)->shortcut().toString(QKeySequence::NativeText));
    connect(m_revoke, &QPushButton::clicked, this, [this] { emit revokeWanted(!m_tenant.revokedAt); });
    auto* title = new QWidget;
    title->setLayout(column({row({m_back, m_name, m_badge, nullptr, m_revoke}, 8), m_facts}, 4, {12, 10, 8, 10}));
    return title;
}

QWidget* TenantInspector::keysPart(Actions& actions) {
    m_newKey = buttonFor(actions.get(action::kTenantKey), tr("New key"), ButtonRole::Plain, ControlSize::Small);
    m_keys = column({}, 0);
    auto* part = new QWidget;
    part->setLayout(column({partTitle(tr("Keys"), tr("shown once, stored hashed"), m_newKey), m_keys}, 0));
    return part;
}

QWidget* TenantInspector::limitsPart() {
    auto* grid = new QGridLayout;
    grid->setContentsMargins(12, 0, 12, 8);
    grid->setHorizontalSpacing(8);
    grid->setVerticalSpacing(8);
    int at = 0;
    for (const LimitField& limit : limitFields()) {
        auto* field = new LimitEdit;
        field->setAccessibleName(limit.name);
        const QString key = limit.key;
        m_fields[key] = field;
        connect(field, &LimitEdit::editingFinished, this, [this, key] { commit(key); });
        field->setUnit(limit.unit);
        const int column = 3 * (at % 2);
        grid->addWidget(caption(limit.label), at / 2, column);
        grid->addWidget(field, at / 2, column + 1);
        grid->setColumnStretch(column + 1, 1);
        ++at;
    }
    grid->setColumnMinimumWidth(2, kBetweenFields);
    auto* part = new QWidget;
    m_misread = paragraph({}, text_size::kTable, Tone::Error);
    m_misread->hide();
    part->setLayout(column({partTitle(tr("Limits"), tr("apply at once, undo with Ctrl+Z")), grid,
                            row({LayoutItem(m_misread, 1)}, 0, {12, 0, 12, 8})},
                           0));
    return part;
}

void TenantInspector::show(const TenantRecord* tenant, const TenantDays* days) {
    m_stack->setCurrentIndex(tenant ? 0 : 1);
    if (!tenant) {
        m_tenant = {};
        return;
    }
    const bool isAnother = m_tenant.name != tenant->name;
    m_tenant = *tenant;
    if (isAnother) {
        m_misread->hide();
        for (const auto& [key, field] : m_fields) field->hold(shownLimit(m_tenant.limits, key));
    }
    m_name->setText(text(tenant->name));
    m_badge->show(stateIcon(*tenant), stateText(*tenant), Tone(stateTone(*tenant)));
    m_facts->setText(tenant->createdAt == 0
                         ? tr("The admin key of the workspace")
                         : tr("Since %1, %2 refused today, prefix cache not shared")
                               .arg(formatDay(tenant->createdAt), formatCount(tenant->today.refused)));
    const bool isRevoked = tenant->revokedAt.has_value();
    m_revoke->setText(isRevoked ? tr("Restore") : tr("Revoke"));
    m_revoke->setAccessibleName(isRevoked ? tr("Restore the tenant") : tr("Revoke the tenant"));
    m_revoke->setVisible(tenant->name != kOwner);
    showKeys();
    showLimits();
    m_models->show(tenant->limits.models);
    m_usage->show(*tenant, days);
}

void TenantInspector::setInPlace(bool inPlace) {
    const bool isOpening = inPlace && m_back->isHidden();
    m_back->setVisible(inPlace);
    if (isOpening) m_back->setFocus(Qt::OtherFocusReason);
}

void TenantInspector::editLimits() {
    LimitEdit* field = m_fields.at(limitFields().front().key);
    field->setFocus(Qt::ShortcutFocusReason);
    field->selectAll();
}

void TenantInspector::rotateKey() {
    if (m_keyLines.size() == 1) return m_keyLines.front().rotate->click();
    if (!m_keyLines.empty()) m_keyLines.front().rotate->setFocus(Qt::ShortcutFocusReason);
}

void TenantInspector::revokeKey() {
    if (m_keyLines.size() == 1) return m_keyLines.front().revoke->click();
    if (!m_keyLines.empty()) m_keyLines.front().revoke->setFocus(Qt::ShortcutFocusReason);
}

void TenantInspector::chooseModels() {
    m_models->takeFocus();
}

void TenantInspector::toggleHours() {
    m_usage->toggle();
}

bool TenantInspector::isByHour() const {
    return m_usage->isByHour();
}

void TenantInspector::setHours(const std::vector<UsageRow>& rows, std::int64_t now) {
    m_usage->setHours(rows, now);
}

void TenantInspector::refuse() {
    for (const auto& [key, field] : m_fields) field->hold(shownLimit(m_tenant.limits, key));
    m_models->show(m_tenant.limits.models);
}

// Lines stay while the keys do: the focus may be on one of their buttons.
void TenantInspector::showKeys() {
    std::vector<const TenantKey*> live;
    for (const TenantKey& key : m_tenant.keys)
        if (!key.revokedAt) live.push_back(&key);
    const bool isSame = m_keyGrid && std::ranges::equal(
                                         live, m_keyLines, {}, [](const TenantKey* key) { return key->id; },
                                         [](const KeyLine& line) { return line.id; });
    if (!isSame) makeKeyLines(live);
    for (std::size_t i = 0; i < live.size(); ++i) m_keyLines[i].lastUsed->setText(dayText(live[i]->lastUsedAt));
}

void TenantInspector::makeKeyLines(const std::vector<const TenantKey*>& live) {
    const bool hadFocus = m_keyGrid && m_keyGrid->isAncestorOf(QApplication::focusWidget());
    if (hadFocus) m_newKey->setFocus(Qt::OtherFocusReason);
    delete m_keyGrid;
    m_keyGrid = new QWidget;
    m_keyLines.clear();
    auto* grid = new QGridLayout(m_keyGrid);
    grid->setContentsMargins(12, 0, 8, 6);
    grid->setHorizontalSpacing(12);
    grid->setVerticalSpacing(4);
    grid->setColumnStretch(3, 1);
    if (live.empty()) {
        grid->addWidget(caption(tr("No key opens anything for this tenant."), true), 0, 0);
    } else {
        const QStringList heads{tr("Key"), tr("Created"), tr("Last used")};
        for (int i = 0; i < int(heads.size()); ++i)
            grid->addWidget(new TextLabel(heads[i], text_size::kCaption, QFont::Medium, Tone::Secondary), 0, i);
    }
    for (const TenantKey* key : live) {
        const QString id = text(key->id), shown = text(key->prefix) + QStringLiteral("…");
        auto* prefix = new TextLabel(shown);
        prefix->setMono();
        prefix->setElide(Qt::ElideNone);
        auto* lastUsed = new TextLabel({}, text_size::kTable);
        auto* rotate = button(tr("Rotate"), {}, ButtonRole::Plain, ControlSize::Small);
        rotate->setAccessibleName(tr("Rotate %1").arg(shown));
        connect(rotate, &QPushButton::clicked, this, [this, id] { emit rotateWanted(id); });
        auto* revoke = button(tr("Revoke"), {}, ButtonRole::Plain, ControlSize::Small);
        revoke->setAccessibleName(tr("Revoke %1").arg(shown));
        connect(revoke, &QPushButton::clicked, this, [this, id] { emit keyRevokeWanted(id); });
        const int row = int(m_keyLines.size()) + 1;
        QWidget* const cells[]{
            prefix, new TextLabel(formatDay(key->createdAt), text_size::kTable), lastUsed, nullptr, rotate, revoke};
        for (int i = 0; i < int(std::size(cells)); ++i)
            if (cells[i]) grid->addWidget(cells[i], row, i);
        m_keyLines.push_back({key->id, lastUsed, rotate, revoke});
    }
    m_keys->addWidget(m_keyGrid);
}

void TenantInspector::showLimits() {
    for (const auto& [key, field] : m_fields)
        if (!field->isBeingEdited()) field->hold(shownLimit(m_tenant.limits, key));
}

void TenantInspector::commit(const QString& key) {
    LimitEdit* field = m_fields.at(key);
    const QString before = shownLimit(m_tenant.limits, key), typed = field->text().trimmed();
    if (m_tenant.name.empty()) return;
    m_misread->hide();
    if (typed == before) return field->hold(before);
    const std::string name = key.toStdString();
    const auto misread = [&] {
        m_misread->setText(tr("“%1” is not a number. 120, 30 k and 2 M are; so is none.").arg(typed));
        m_misread->show();
        field->hold(before);
    };
    if (key == QLatin1String("expires")) {
        const QString plain = typed.isEmpty() || typed == tr("never") ? QStringLiteral("never") : typed;
        emit limitEdited({{"expires_at", m_tenant.limits.expiresAt}}, {{name, plain.toStdString()}});
    } else if (key == QLatin1String("weight")) {
        const auto weight = weightFromText(typed);
        if (!weight) return misread();
        emit limitEdited({{name, m_tenant.limits.weight}}, {{name, *weight}});
    } else {
        const auto count = countFromText(typed);
        if (!count) return misread();
        if (*count == limitOf(m_tenant.limits, key)) return field->hold(before);
        emit limitEdited({{name, limitOf(m_tenant.limits, key)}}, {{name, *count}});
    }
    field->setModified(false);
}

void TenantInspector::keyPressEvent(QKeyEvent* event) {
    if (event->key() == Qt::Key_Escape) return emit left();
    Panel::keyPressEvent(event);
}

}  // namespace espalier::ui

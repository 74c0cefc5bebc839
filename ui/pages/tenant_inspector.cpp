// SPDX-License-Identifier: GPL-3.0-or-later
#include "ui/pages/tenant_inspector.h"

#include <QBoxLayout>
#include <QDateTime>
#include <QGridLayout>
#include <QKeyEvent>
#include <QLineEdit>
#include <QListWidget>
#include <QLocale>
#include <QRegularExpression>
#include <QScrollArea>
#include <QStackedLayout>
#include <cmath>

#include "ui/models/format.h"
#include "ui/widgets/plot.h"

namespace espalier::ui {
namespace {

constexpr int kModelRows = 4, kPlotHeight = 148;

struct LimitField {
    const char* key;
    QString label, unit, name;
};

std::vector<LimitField> limitFields() {
    return {{"requests_per_minute", TenantInspector::tr("Requests"), TenantInspector::tr("/ min"),
             TenantInspector::tr("Requests a minute")},
            {"tokens_per_minute", TenantInspector::tr("Tokens"), TenantInspector::tr("/ min"),
             TenantInspector::tr("Tokens a minute")},
            {"tokens_per_day", TenantInspector::tr("Per day"), TenantInspector::tr("tok"),
             TenantInspector::tr("Tokens a day")},
            {"max_concurrency", TenantInspector::tr("At once"), {}, TenantInspector::tr("Calls at once")},
            {"kv_pages", TenantInspector::tr("KV pages"), {}, TenantInspector::tr("KV pages")},
            {"first_token_ms", TenantInspector::tr("First token"), TenantInspector::tr("ms"),
             TenantInspector::tr("Longest wait for the first token")},
            {"weight", TenantInspector::tr("Weight"), {}, TenantInspector::tr("Weight")},
            {"expires", TenantInspector::tr("Expires"), {}, TenantInspector::tr("Expires")}};
}

std::int64_t limitOf(const TenantLimits& limits, const QString& key) {
    if (key == QLatin1String("requests_per_minute")) return limits.requestsPerMinute;
    if (key == QLatin1String("tokens_per_minute")) return limits.tokensPerMinute;
    if (key == QLatin1String("tokens_per_day")) return limits.tokensPerDay;
    if (key == QLatin1String("max_concurrency")) return limits.maxConcurrency;
    return key == QLatin1String("kv_pages") ? limits.kvPages : limits.firstTokenMs;
}

// Exact, so that reading it again gives the same: "120", "2,000,000".
QString shownLimit(const TenantLimits& limits, const QString& key) {
    if (key == QLatin1String("weight")) return QLocale::c().toString(limits.weight, 'g', 6);
    if (key == QLatin1String("expires"))
        return limits.expiresAt == 0 ? TenantInspector::tr("never")
                                     : QDateTime::fromMSecsSinceEpoch(limits.expiresAt, Qt::UTC)
                                           .toString(QStringLiteral("yyyy-MM-dd'T'HH:mm'Z'"));
    const std::int64_t limit = limitOf(limits, key);
    return limit > 0 ? formatCount(limit) : TenantInspector::tr("none");
}

TextLabel* caption(const QString& text) {
    auto* label = new TextLabel(text, text_size::kTable, QFont::Normal, Tone::Secondary);
    label->setElide(Qt::ElideNone);
    return label;
}

QWidget* partTitle(const QString& title, const QString& unit, QWidget* action = nullptr) {
    auto* bar = new QWidget;
    bar->setFixedHeight(32);
    auto* layout =
        row({new TextLabel(title, text_size::kTable, QFont::DemiBold), caption(unit), nullptr}, 8, {12, 0, 8, 0});
    if (action) layout->addWidget(action);
    bar->setLayout(layout);
    return bar;
}

QString dayText(const std::optional<std::int64_t>& at) {
    if (!at) return QStringLiteral("–");
    const bool isToday = QDateTime::fromMSecsSinceEpoch(*at).date() == QDate::currentDate();
    return isToday ? formatClock(*at, false) : formatDay(*at);
}

QString tokensText(double tokens) {
    return formatShort(tokens);
}

void empty(QLayout* layout) {
    while (QLayoutItem* item = layout->takeAt(0)) {
        if (item->widget()) item->widget()->deleteLater();
        delete item;
    }
}

}  // namespace

std::optional<std::int64_t> countFromText(const QString& text) {
    QString plain = text.trimmed().toLower();
    if (plain.isEmpty() || plain == TenantInspector::tr("none") || plain == QLatin1String("none")) return 0;
    double factor = 1;
    for (const auto& [suffix, times] : {std::pair('k', 1e3), {'m', 1e6}, {'b', 1e9}})
        if (plain.endsWith(QLatin1Char(suffix))) {
            factor = times;
            plain.chop(1);
        }
    plain.remove(QRegularExpression(QStringLiteral("[\\s,'\\x{00a0}\\x{202f}]")));
    bool isNumber = false;
    const double value = QLocale::c().toDouble(plain, &isNumber) * factor;
    if (!isNumber || !(value >= 0) || value > 1e15 || value != std::floor(value)) return std::nullopt;
    return std::int64_t(value);
}

TenantInspector::TenantInspector(Workspace& workspace) : m_workspace(workspace) {
    auto* parts = new QWidget;
    auto* exportUsage = button(tr("Export usage"), QStringLiteral("download"));
    exportUsage->setAccessibleName(tr("Export usage of this tenant"));
    connect(exportUsage, &QPushButton::clicked, this, &TenantInspector::exportWanted);
    parts->setLayout(column({titleRow(), horizontalLine(), keysPart(), horizontalLine(), limitsPart(), horizontalLine(),
                             modelsPart(), horizontalLine(), usagePart(), nullptr},
                            0));
    auto* scroll = new QScrollArea;
    scroll->setFrameShape(QFrame::NoFrame);
    scroll->setWidgetResizable(true);
    scroll->setHorizontalScrollBarPolicy(Qt::ScrollBarAlwaysOff);
    scroll->setFocusPolicy(Qt::NoFocus);
    scroll->setWidget(parts);
    auto* full = new QWidget;
    full->setLayout(
        column({LayoutItem(scroll, 1), horizontalLine(), row({nullptr, exportUsage}, 8, {12, 8, 12, 8})}, 0));
    auto* holder = new QWidget;
    m_stack = new QStackedLayout(holder);
    m_stack->addWidget(full);
    m_stack->addWidget(new EmptyView(QStringLiteral("users"), tr("Choose a tenant to see its keys and limits.")));
    setContent(holder);
    setAccessibleName(tr("Tenant"));
    connect(&workspace, &Workspace::modelsChanged, this, [this] {
        if (!m_tenant.name.empty()) showModels();
    });
    show(nullptr, nullptr);
}

QWidget* TenantInspector::titleRow() {
    m_name = new TextLabel({}, text_size::kTitle, QFont::DemiBold);
    m_badge = new Badge;
    m_facts = new TextLabel({}, text_size::kTable, QFont::Normal, Tone::Secondary);
    m_revoke = button({}, {}, ButtonRole::Plain, ControlSize::Small);
    connect(m_revoke, &QPushButton::clicked, this, [this] { emit revokeWanted(!m_tenant.revokedAt); });
    auto* title = new QWidget;
    title->setLayout(column({row({m_name, m_badge, nullptr, m_revoke}, 8), m_facts}, 4, {12, 10, 8, 10}));
    return title;
}

QWidget* TenantInspector::keysPart() {
    m_newKey = button(tr("New key"), QStringLiteral("key-round"), ButtonRole::Plain, ControlSize::Small);
    connect(m_newKey, &QPushButton::clicked, this, &TenantInspector::keyWanted);
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
        auto* field = new QLineEdit;
        field->setAccessibleName(limit.name);
        const QString key = QString::fromLatin1(limit.key);
        m_fields[key] = field;
        connect(field, &QLineEdit::editingFinished, this, [this, key] { commit(key); });
        const int column = 3 * (at % 2);
        grid->addWidget(caption(limit.label), at / 2, column);
        grid->addWidget(field, at / 2, column + 1);
        grid->addWidget(caption(limit.unit), at / 2, column + 2);
        grid->setColumnStretch(column + 1, 1);
        ++at;
    }
    auto* part = new QWidget;
    part->setLayout(column({partTitle(tr("Limits"), tr("apply at once, undo with Ctrl+Z")), grid}, 0));
    return part;
}

QWidget* TenantInspector::modelsPart() {
    m_models = new QListWidget;
    m_models->setAccessibleName(tr("Models allowed"));
    m_models->setFrameShape(QFrame::NoFrame);
    m_models->setFixedHeight(kModelRows * 24);
    connect(m_models, &QListWidget::itemChanged, this, [this] { commitModels(); });
    auto* part = new QWidget;
    part->setLayout(column(
        {partTitle(tr("Models allowed"), tr("none checked: all")), row({LayoutItem(m_models, 1)}, 0, {8, 0, 8, 8})},
        0));
    return part;
}

QWidget* TenantInspector::usagePart() {
    m_plot = new Plot(m_days, tr("Usage, tokens a day"));
    m_plot->setUnit(tr("tok"));
    m_plot->setFormat(tokensText);
    m_plot->setRange(1 - kUsageDays, 0);
    m_plot->setLines({{tr("Prompt"), 0, 0, true}, {tr("Completion"), 1, 1, false}});
    m_plot->setNoDataText(tr("Nothing was used in these 30 days"));
    m_plot->setFixedHeight(kPlotHeight);
    auto* part = new QWidget;
    part->setLayout(column(
        {partTitle(tr("Usage"), tr("tokens a day, of the last 30: prompt solid, completion dashed")), m_plot}, 0));
    return part;
}

void TenantInspector::show(const TenantRecord* tenant, const TenantDays* days) {
    m_stack->setCurrentIndex(tenant ? 0 : 1);
    if (!tenant) {
        m_tenant = {};
        return;
    }
    m_tenant = *tenant;
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
    m_newKey->setEnabled(!isRevoked && tenant->name != kOwner);
    showKeys();
    showLimits();
    showModels();
    showDays(days);
}

void TenantInspector::refuse() {
    for (const auto& [key, field] : m_fields) field->setText(shownLimit(m_tenant.limits, key));
    showModels();
}

void TenantInspector::showKeys() {
    empty(m_keys);
    for (const TenantKey& key : m_tenant.keys) {
        if (key.revokedAt) continue;
        const QString id = text(key.id), shown = text(key.prefix) + QStringLiteral("…");
        auto* prefix = new TextLabel(shown);
        prefix->setMono();
        prefix->setElide(Qt::ElideNone);
        auto* rotate = button(tr("Rotate"), {}, ButtonRole::Plain, ControlSize::Small);
        rotate->setAccessibleName(tr("Rotate %1").arg(shown));
        connect(rotate, &QPushButton::clicked, this, [this, id] { emit rotateWanted(id); });
        auto* revoke = button(tr("Revoke"), {}, ButtonRole::Plain, ControlSize::Small);
        revoke->setAccessibleName(tr("Revoke %1").arg(shown));
        connect(revoke, &QPushButton::clicked, this, [this, id] { emit keyRevokeWanted(id); });
        auto* line = new QWidget;
        line->setFixedHeight(32);
        line->setLayout(row({prefix, caption(tr("created %1").arg(formatDay(key.createdAt))),
                             caption(tr("last used %1").arg(dayText(key.lastUsedAt))), nullptr, rotate, revoke},
                            8, {12, 0, 8, 0}));
        m_keys->addWidget(line);
    }
}

void TenantInspector::showLimits() {
    for (const auto& [key, field] : m_fields)
        if (!field->hasFocus() || !field->isModified()) field->setText(shownLimit(m_tenant.limits, key));
}

void TenantInspector::showModels() {
    m_isShowing = true;
    std::vector<std::string> names = m_tenant.limits.models;
    for (const ModelRecord& model : m_workspace.models().models())
        if (std::find(names.begin(), names.end(), model.name) == names.end()) names.push_back(model.name);
    std::sort(names.begin(), names.end());
    QStringList wanted, here;
    for (const std::string& name : names) wanted << text(name);
    for (int i = 0; i < m_models->count(); ++i) here << m_models->item(i)->text();
    if (here != wanted) {
        m_models->clear();
        m_models->addItems(wanted);
    }
    const auto& allowed = m_tenant.limits.models;
    for (int i = 0; i < m_models->count(); ++i) {
        QListWidgetItem* item = m_models->item(i);
        const bool isAllowed = std::find(allowed.begin(), allowed.end(), item->text().toStdString()) != allowed.end();
        item->setCheckState(isAllowed ? Qt::Checked : Qt::Unchecked);
    }
    m_isShowing = false;
}

void TenantInspector::showDays(const TenantDays* days) {
    m_days.clear();
    for (int day = 0; days && day < kUsageDays; ++day) {
        const double values[] = {days->prompt[std::size_t(day)], days->generated[std::size_t(day)]};
        m_days.append(day - kUsageDays + 1, values);
    }
    const std::int64_t limit = m_tenant.limits.tokensPerDay;
    m_plot->setReference(limit > 0 ? std::optional(double(limit)) : std::nullopt,
                         limit > 0 ? tr("limit %1 a day").arg(formatShort(double(limit))) : QString());
    m_plot->refresh();
}

void TenantInspector::commit(const QString& key) {
    QLineEdit* field = m_fields.at(key);
    const QString before = shownLimit(m_tenant.limits, key), typed = field->text().trimmed();
    if (m_tenant.name.empty() || typed == before) return;
    const std::string name = key.toStdString();
    if (key == QLatin1String("expires")) {
        const QString plain = typed.isEmpty() || typed == tr("never") ? QStringLiteral("never") : typed;
        emit limitEdited({{"expires_at", m_tenant.limits.expiresAt}}, {{name, plain.toStdString()}});
    } else if (key == QLatin1String("weight")) {
        bool isNumber = false;
        const double weight = QLocale::c().toDouble(typed, &isNumber);
        if (!isNumber) return field->setText(before);
        emit limitEdited({{name, m_tenant.limits.weight}}, {{name, weight}});
    } else {
        const auto count = countFromText(typed);
        if (!count || *count == limitOf(m_tenant.limits, key)) return field->setText(before);
        emit limitEdited({{name, limitOf(m_tenant.limits, key)}}, {{name, *count}});
    }
    field->setModified(false);
}

void TenantInspector::commitModels() {
    if (m_isShowing) return;
    std::vector<std::string> allowed;
    for (int i = 0; i < m_models->count(); ++i)
        if (m_models->item(i)->checkState() == Qt::Checked) allowed.push_back(m_models->item(i)->text().toStdString());
    emit limitEdited({{"models", m_tenant.limits.models}}, {{"models", allowed}});
}

void TenantInspector::keyPressEvent(QKeyEvent* event) {
    if (event->key() == Qt::Key_Escape) return emit leftByEsc();
    Panel::keyPressEvent(event);
}

}  // namespace espalier::ui

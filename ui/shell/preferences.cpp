// SPDX-License-Identifier: GPL-3.0-or-later
#include "ui/shell/preferences.h"

#include <QDir>
#include <array>
#include <utility>

namespace espalier::ui {
namespace {

constexpr int kLeastRefreshMs = 100, kMostRefreshMs = 2000;
constexpr std::array kMotionNames{std::pair{MotionChoice::System, "system"}, std::pair{MotionChoice::Full, "full"},
                                  std::pair{MotionChoice::Reduced, "reduced"}};

MotionChoice motionFromName(const QString& name) {
    for (const auto& [choice, known] : kMotionNames)
        if (name == QLatin1String(known)) return choice;
    return MotionChoice::System;
}

QString motionName(MotionChoice choice) {
    for (const auto& [known, name] : kMotionNames)
        if (choice == known) return QString::fromLatin1(name);
    return {};
}

// What is out of range in a file that a person edited counts as not chosen.
Preferences read(const QSettings& settings) {
    const Preferences usual;
    Preferences p;
    p.theme = themeChoiceFromName(settings.value(QStringLiteral("window/theme")).toString());
    p.language = settings.value(QStringLiteral("preferences/language")).toString();
    p.motion = motionFromName(settings.value(QStringLiteral("preferences/motion")).toString());
    p.textPercent = settings.value(QStringLiteral("preferences/text-percent")).toInt();
    if (p.textPercent < kLeastTextPercent || p.textPercent > kMostTextPercent) p.textPercent = usual.textPercent;
    p.startEngine = settings.value(QStringLiteral("preferences/start-engine"), usual.startEngine).toBool();
    p.workspace = settings.value(QStringLiteral("preferences/workspace")).toString();
    p.refreshMs = settings.value(QStringLiteral("preferences/refresh-ms"), usual.refreshMs).toInt();
    if (p.refreshMs < kLeastRefreshMs || p.refreshMs > kMostRefreshMs) p.refreshMs = usual.refreshMs;
    p.notify = settings.value(QStringLiteral("preferences/notify"), usual.notify).toBool();
    return p;
}

void write(QSettings& settings, const Preferences& p) {
    settings.setValue(QStringLiteral("window/theme"), themeChoiceName(p.theme));
    settings.setValue(QStringLiteral("preferences/language"), p.language);
    settings.setValue(QStringLiteral("preferences/motion"), motionName(p.motion));
    settings.setValue(QStringLiteral("preferences/text-percent"), p.textPercent);
    settings.setValue(QStringLiteral("preferences/start-engine"), p.startEngine);
    settings.setValue(QStringLiteral("preferences/workspace"), p.workspace);
    settings.setValue(QStringLiteral("preferences/refresh-ms"), p.refreshMs);
    settings.setValue(QStringLiteral("preferences/notify"), p.notify);
}

}  // namespace

PreferenceStore::PreferenceStore(QSettings& settings, QObject* parent)
    : QObject(parent), m_settings(settings), m_now(read(settings)), m_kept(m_now) {}

void PreferenceStore::set(const Preferences& wanted) {
    if (wanted == m_now) return;
    const Preferences before = std::exchange(m_now, wanted);
    // What holds for now alone, and was not chosen here, stays as it was kept.
    const auto keep = [&](auto Preferences::*field) {
        if (wanted.*field != before.*field) m_kept.*field = wanted.*field;
    };
    keep(&Preferences::theme);
    keep(&Preferences::language);
    keep(&Preferences::motion);
    keep(&Preferences::textPercent);
    keep(&Preferences::startEngine);
    keep(&Preferences::workspace);
    keep(&Preferences::refreshMs);
    keep(&Preferences::notify);
    write(m_settings, m_kept);
    emit changed(before);
}

void PreferenceStore::setForNow(const Preferences& wanted) {
    if (wanted == m_now) return;
    const Preferences before = std::exchange(m_now, wanted);
    emit changed(before);
}

QStringList PreferenceStore::recentWorkspaces() const {
    return m_settings.value(QStringLiteral("recent-workspaces")).toStringList();
}

QStringList PreferenceStore::existing(const QStringList& folders) {
    QStringList there;
    for (const QString& folder : folders)
        if (QDir(folder).exists()) there << folder;
    return there;
}

void PreferenceStore::remember(const QString& workspace) {
    QStringList recent = m_settings.value(QStringLiteral("recent-workspaces")).toStringList();
    recent.removeAll(workspace);
    recent.prepend(workspace);
    m_settings.setValue(QStringLiteral("recent-workspaces"), QStringList(recent.mid(0, kMostRecent)));
    m_settings.setValue(QStringLiteral("workspace"), workspace);
    emit recentChanged();
}

void PreferenceStore::forget(const QString& workspace) {
    QStringList recent = m_settings.value(QStringLiteral("recent-workspaces")).toStringList();
    if (recent.removeAll(workspace) == 0) return;
    m_settings.setValue(QStringLiteral("recent-workspaces"), recent);
    emit recentChanged();
}

ListenAt PreferenceStore::listenAt(const QString& workspace) const {
    const QVariantMap kept = m_settings.value(QStringLiteral("listen")).toMap().value(workspace).toMap();
    const int port = kept.value(QStringLiteral("port")).toInt();
    return {kept.value(QStringLiteral("network")).toBool(), port >= kLeastPort && port <= kMostPort ? port : 0};
}

void PreferenceStore::setListenAt(const QString& workspace, const ListenAt& at) {
    QVariantMap all = m_settings.value(QStringLiteral("listen")).toMap();
    all.insert(workspace, QVariantMap{{QStringLiteral("network"), at.network}, {QStringLiteral("port"), at.port}});
    m_settings.setValue(QStringLiteral("listen"), all);
}

}  // namespace espalier::ui

// SPDX-License-Identifier: GPL-3.0-or-later
// The tour's states of Models, the import dialog and the Playground.
#include <QAbstractButton>
#include <QDialog>
#include <QPlainTextEdit>
#include <QTabBar>
#include <vector>

#include "app/screenshot_tour.h"
#include "ui/widgets/part_canvas.h"

namespace espalier::ui {

bool ScreenshotTour::press(const QString& accessibleName) {
    for (auto* button : window().findChildren<QAbstractButton*>()) {
        const QString name = button->accessibleName().isEmpty() ? button->text().trimmed() : button->accessibleName();
        if (name != accessibleName || !button->isVisible() || !button->isEnabled()) continue;
        button->click();
        return true;
    }
    return false;
}

void ScreenshotTour::showModelTab(const QString& name) {
    window().goTo(QStringLiteral("models"));
    auto* tabs = named<QTabBar>(said("Parts of the model"));
    for (int i = 0; tabs && i < tabs->count(); ++i)
        if (tabs->tabText(i) == name) tabs->setCurrentIndex(i);
}

// The first look, tenants with limits, a key that is shown this once, and the server with who uses it.
void ScreenshotTour::addTenantSteps() {
    const auto always = [] { return true; };
    const std::vector<Json> tenants{
        {{"tenant", "havel-legal"}, {"requests_per_minute", 120}, {"tokens_per_day", 2'000'000}, {"weight", 2}},
        {{"tenant", "lumen-telecom"}, {"max_concurrency", 16}, {"tokens_per_minute", 60'000}},
        {{"tenant", "orchard-support"}, {"max_concurrency", 12}, {"tokens_per_day", 3'000'000}},
        {{"tenant", "pinnacle-gym"}, {"expires", "1d"}},
        {{"tenant", "st-anne-clinic"}, {"tokens_per_minute", 30'000}, {"kv_pages", 512}}};
    step(
        QStringLiteral("tenants-empty"), [this] { window().goTo(QStringLiteral("tenants")); }, always, 800);
    step(
        QStringLiteral("tenants-made"),
        [this, tenants] {
            for (const Json& tenant : tenants)
                workspace().engine().call(QStringLiteral("tenant-create"), tenant, this,
                                          [this](const Result<Json>&) { ++m_made; });
            workspace().engine().call(QStringLiteral("tenant-limit"), {{"tenant", "owner"}, {"weight", 1.5}}, this,
                                      [this](const Result<Json>&) { ++m_made; });
        },
        [this, all = int(tenants.size()) + 1] { return m_made == all; }, 1200, false);
    step(
        QStringLiteral("tenants-light"), [this] { window().goTo(QStringLiteral("tenants")); }, always, 1200);
    step(
        QStringLiteral("tenants-key"), [this] { press(said("New key")); },
        [this] { return named<QDialog>(QString()) != nullptr; }, 600);
    step(
        QStringLiteral("tenants-key-done"), [this] { press(said("Done")); }, always, 0, false);
    step(
        QStringLiteral("tenants-isolation"), [this] { press(said("Isolation check")); },
        [this] { return !named<QAbstractButton>(said("Cancel the isolation check")); }, 400);
    step(
        QStringLiteral("serve-tenants"),
        [this] {
            window().goTo(QStringLiteral("serve"));
            press(said("What is shown below") + QStringLiteral(": ") + said("Tenants"));
        },
        always, 1500);
    step(
        QStringLiteral("serve-swap"),
        [this] {
            press(said("What is shown below") + QStringLiteral(": ") + said("Swap"));
            if (auto* timeline = named<PartCanvas>(said("Swap timeline"))) timeline->choose(0);
        },
        always, 1500);
    step(
        QStringLiteral("serve-requests"),
        [this] { press(said("What is shown below") + QStringLiteral(": ") + said("Requests")); }, always, 0, false);
}

void ScreenshotTour::addModelSteps(const QString& theme) {
    const auto always = [] { return true; };
    for (const char* tab : {"Layers", "Adapters", "Card", "Origin"})
        step(
            QStringLiteral("models-%1-%2").arg(QString::fromLatin1(tab).toLower(), theme),
            [this, tab] { showModelTab(said(tab)); }, always, 400);
    step(
        QStringLiteral("models-template-%1").arg(theme),
        [this] {
            showModelTab(said("Tensors"));
            press(said("Try out") + QStringLiteral(": ") + said("Chat template"));
        },
        always, 800);
    step(
        QStringLiteral("models-text-%1").arg(theme),
        [this] { press(said("Try out") + QStringLiteral(": ") + said("Text")); }, always, 0, false);
}

void ScreenshotTour::addModelTabsAt1024() {
    const auto always = [] { return true; };
    for (const char* tab : {"Tensors", "Adapters", "Memory", "Tokenizer", "Card"})
        step(
            QStringLiteral("models-%1-1024").arg(QString::fromLatin1(tab).toLower()),
            [this, tab] { showModelTab(said(tab)); }, always, 800);
}

void ScreenshotTour::addScanStep() {
    step(
        QStringLiteral("models-scanned"),
        [this] {
            showModelTab(said("Tensors"));
            press(said("Scan"));
        },
        [this] {
            const auto& jobs = workspace().jobs().jobs();
            return !jobs.empty() && jobs.front().kind == "scan" && jobs.front().state == JobState::Finished;
        },
        800);
}

void ScreenshotTour::addImportSteps() {
    step(
        QStringLiteral("import-mapping"),
        [this] {
            window().goTo(QStringLiteral("models"));
            const auto& models = workspace().models().models();
            if (!models.empty()) window().openImport(QString::fromStdString(models.front().folder));
        },
        [this] { return press(said("Tensors and their roles")); }, 300);
    step(
        QStringLiteral("import-refused"), [this] { window().openImport(QStringLiteral("/nowhere/model")); },
        [this] { return named<QFrame>(said("Error")) != nullptr; }, 300);
    step(
        QStringLiteral("import-closed"),
        [this] {
            for (auto* dialog : window().findChildren<QDialog*>()) dialog->close();
        },
        [] { return true; }, 0, false);
}

void ScreenshotTour::addPlaygroundSteps(const QString& name) {
    const auto answered = [this] {
        const auto* again = named<QAbstractButton>(said("Regenerate"));
        return again && again->isEnabled();
    };
    step(
        QStringLiteral("playground-%1").arg(name), [this] { ask(tr("Write about a garden in spring.")); }, answered,
        300);
    step(
        QStringLiteral("playground-settings-%1").arg(name),
        [this] {
            press(said("Add model"));
            press(said("More sampling settings"));
            press(said("Save as case"));
        },
        answered, 500);
    step(
        QStringLiteral("playground-cases-%1").arg(name), [this] { press(said("Run all")); },
        [this, answered] { return answered() && m_since.elapsed() > 2500; }, 500);
    step(
        QStringLiteral("playground-reset-%1").arg(name),
        [this] {
            press(said("Close this column"));
            press(said("More sampling settings"));
        },
        [] { return true; }, 0, false);
}

}  // namespace espalier::ui

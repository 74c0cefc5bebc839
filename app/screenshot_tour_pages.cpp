// SPDX-License-Identifier: GPL-3.0-or-later
// The tour's states of Models, the import dialog and the Playground.
#include <QAbstractButton>
#include <QApplication>
#include <QComboBox>
#include <QDialog>
#include <QKeyEvent>
#include <QPlainTextEdit>
#include <QTabBar>
#include <QTableView>
#include <QTextBrowser>

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

void ScreenshotTour::showNow(const char* view) {
    window().goTo(QStringLiteral("serve"));
    press(said("What is shown below") + QStringLiteral(": ") + said(view));
}

void ScreenshotTour::addTrafficSteps(const QString& name) {
    const auto always = [] { return true; };
    step(
        QStringLiteral("serve-tenants-%1").arg(name), [this] { showNow("Tenants"); }, always, 1500);
    step(
        QStringLiteral("serve-models-%1").arg(name), [this] { showNow("Models"); }, always, 600);
    step(
        QStringLiteral("serve-swap-%1").arg(name),
        [this] {
            showNow("Swap");
            if (auto* timeline = named<PartCanvas>(said("Swap timeline"))) timeline->choose(0);
        },
        always, 1500);
    step(
        QStringLiteral("serve-requests-%1").arg(name), [this] { showNow("Requests"); }, always, 0, false);
}

// Tenants with what they used, a key that is shown this once, the isolation check.
void ScreenshotTour::addTenantSteps() {
    const auto always = [] { return true; };
    step(
        QStringLiteral("tenants-light"), [this] { window().goTo(QStringLiteral("tenants")); }, always, 1800);
    step(
        QStringLiteral("tenants-key"), [this] { press(said("New key")); },
        [this] { return named<QDialog>(QString()) != nullptr; }, 600);
    step(
        QStringLiteral("tenants-key-done"), [this] { press(said("Done")); }, always, 0, false);
    step(
        QStringLiteral("tenants-isolation"), [this] { press(said("Isolation check")); },
        [this] { return !named<QAbstractButton>(said("Cancel the isolation check")); }, 400);
    step(
        QStringLiteral("tenants-isolation-done"), [this] { press(said("Close the isolation check")); }, always, 0,
        false);
}

// The inspector in the place of the list, as the chevron of a row opens it.
void ScreenshotTour::addTenantStepsAt1024() {
    const auto always = [] { return true; };
    step(
        QStringLiteral("tenants-inspector-1024"),
        [this] {
            window().goTo(QStringLiteral("tenants"));
            auto* list = named<QTableView>(said("Tenants"));
            if (list) emit list->activated(list->currentIndex());
        },
        always, 800);
    step(
        QStringLiteral("tenants-inspector-closed-1024"), [this] { press(said("All tenants")); }, always, 0, false);
}

void ScreenshotTour::addCompareSteps(const QString& name) {
    const auto answered = [this] {
        const auto* again = named<QAbstractButton>(said("Regenerate"));
        return again && again->isEnabled();
    };
    step(
        QStringLiteral("playground-columns-%1").arg(name),
        [this] {
            window().goTo(QStringLiteral("playground"));
            press(said("Add model"));
            press(said("Add model"));
        },
        [] { return true; }, 600, false);
    step(
        QStringLiteral("playground-adapters-%1").arg(name),
        [this] {
            std::size_t column = 0;
            const QStringList wanted{QStringLiteral("sample:gardener"), QStringLiteral("sample:harbour-master")};
            for (auto* box : window().findChildren<QComboBox*>()) {
                if (!box->isVisible() || box->accessibleName() != said("Model") || box->count() < 2) continue;
                if (column > 0 && column <= std::size_t(wanted.size())) {
                    box->setCurrentText(wanted[qsizetype(column) - 1]);
                    emit box->textActivated(box->currentText());
                }
                ++column;
            }
        },
        [] { return true; }, 200, false);
    step(
        QStringLiteral("playground-compare-%1").arg(name), [this] { ask(tr("When should I prune my pear tree?")); },
        answered, 600);
    step(
        QStringLiteral("playground-token-%1").arg(name),
        [this] {
            auto* answer = named<QTextBrowser>(said("Conversation"));
            if (!answer) return;
            answer->setFocus();
            answer->moveCursor(QTextCursor::End);
            for (int i = 0; i < 12; ++i) {
                QKeyEvent left(QEvent::KeyPress, Qt::Key_Left, {});
                QApplication::sendEvent(answer, &left);
            }
            QKeyEvent released(QEvent::KeyRelease, Qt::Key_Left, {});
            QApplication::sendEvent(answer, &released);
        },
        [] { return true; }, 500);
    step(
        QStringLiteral("playground-columns-closed-%1").arg(name), [this] { closeColumns(); }, [] { return true; }, 0,
        false);
}

void ScreenshotTour::closeColumns() {
    window().setFocus();
    while (press(said("Close this column"))) {
    }
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
    for (const char* tab : {"Layers", "Adapters", "Memory", "Tokenizer", "Card"})
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
            closeColumns();
            press(said("More sampling settings"));
        },
        [] { return true; }, 0, false);
}

}  // namespace espalier::ui

// SPDX-License-Identifier: GPL-3.0-or-later
#include "ui/pages/about_page.h"

#include <QBoxLayout>
#include <QFile>
#include <QPlainTextEdit>
#include <QStandardItemModel>
#include <array>

#include "ui/models/format.h"
#include "ui/models/record_table.h"
#include "ui/widgets/table_view.h"

namespace espalier::ui {
namespace {

// What this program contains or links, as Debian 12 and the folders of resources say. The text is in the program where
// the part itself is; a library of the system brings its own.
struct Library {
    const char *name, *use, *licence, *text;
};
constexpr std::array kParts{
    Library{"Espalier", QT_TRANSLATE_NOOP("espalier::ui::AboutPage", "this program"), "GPL-3.0-or-later",
            "GPL-3.0.txt"},
    Library{"Inter", QT_TRANSLATE_NOOP("espalier::ui::AboutPage", "the typeface, as Espalier Sans"), "OFL-1.1",
            "OFL-1.1.txt"},
    Library{"Lucide", QT_TRANSLATE_NOOP("espalier::ui::AboutPage", "the icons"), "ISC", "lucide.txt"},
    Library{"Qt 6", QT_TRANSLATE_NOOP("espalier::ui::AboutPage", "windows, network, drawing"), "LGPL-3.0", nullptr},
    Library{"QCustomPlot", QT_TRANSLATE_NOOP("espalier::ui::AboutPage", "plots"), "GPL-3.0-or-later", "GPL-3.0.txt"},
    Library{"Boost", QT_TRANSLATE_NOOP("espalier::ui::AboutPage", "the server's connections"), "BSL-1.0", nullptr},
    Library{"SQLite", QT_TRANSLATE_NOOP("espalier::ui::AboutPage", "the workspace's records"), "blessing", nullptr},
    Library{"PCRE2", QT_TRANSLATE_NOOP("espalier::ui::AboutPage", "patterns of tokenizers"), "BSD-3-Clause", nullptr},
    Library{"ICU", QT_TRANSLATE_NOOP("espalier::ui::AboutPage", "Unicode normalisation"), "Unicode-DFS-2016", nullptr},
    Library{"nlohmann/json", QT_TRANSLATE_NOOP("espalier::ui::AboutPage", "JSON"), "MIT", nullptr},
    Library{"libsodium", QT_TRANSLATE_NOOP("espalier::ui::AboutPage", "keys and digests"), "ISC", nullptr},
    Library{"OpenSSL", QT_TRANSLATE_NOOP("espalier::ui::AboutPage", "encrypted connections"), "Apache-2.0", nullptr},
    Library{"spdlog", QT_TRANSLATE_NOOP("espalier::ui::AboutPage", "the log"), "MIT", nullptr},
    Library{"CLI11", QT_TRANSLATE_NOOP("espalier::ui::AboutPage", "the command line"), "BSD-3-Clause", nullptr},
};

constexpr int kTextMargin = 4;  // so that the text begins where the title does

}  // namespace

AboutPage::AboutPage(Workspace& workspace, Actions& actions)
    : Page(workspace, actions),
      m_header(new PageHeader(tr("About Espalier"))),
      m_model(new QStandardItemModel(0, 3, this)) {
    m_header->add(buttonFor(actions.get(action::kCopyDiagnostics), tr("Copy diagnostics")));
    m_panels = row({LayoutItem(partsPanel(), 1), LayoutItem(licencePanel(), 1)}, 8, {12, 8, 12, 12});
    setLayout(column({m_header, LayoutItem(m_panels, 1)}, 0));
    m_header->setFacts(tr("Version %1, Qt %2. Free software under GPL-3.0-or-later, without any warranty.")
                           .arg(QStringLiteral(ESPALIER_VERSION), QString::fromLatin1(qVersion())));
    m_parts->selectRow(0);
}

Panel* AboutPage::partsPanel() {
    auto* panel = new Panel(tr("Made of"));
    m_model->setHorizontalHeaderLabels({tr("Part"), tr("Used for"), tr("Licence")});
    for (const Library& part : kParts) {
        auto* name = new QStandardItem(QString::fromLatin1(part.name));
        name->setData(true, StrongRole);
        auto* licence = new QStandardItem(QString::fromLatin1(part.licence));
        licence->setData(int(Tone::Secondary), ToneRole);
        QString use = tr(part.use);
        use[0] = use[0].toUpper();
        m_model->appendRow({name, new QStandardItem(use), licence});
    }
    m_parts = new TableView(m_model, tr("Made of"), kShortRow, {28, 46, 26});
    panel->setContent(column({LayoutItem(m_parts, 1)}, 0));
    connect(m_parts->selectionModel(), &QItemSelectionModel::selectionChanged, this, &AboutPage::showLicence);
    return panel;
}

Panel* AboutPage::licencePanel() {
    m_licence = new Panel(tr("Licence"));
    m_text = new QPlainTextEdit;
    m_text->setReadOnly(true);
    m_text->setTabChangesFocus(true);
    m_text->setFrameShape(QFrame::NoFrame);
    m_text->setFont(monoFont());
    m_text->setAccessibleName(tr("Text of the licence"));
    m_text->document()->setDocumentMargin(kTextMargin);
    m_licence->setContent(column({LayoutItem(m_text, 1)}, 0, {11 - kTextMargin, 0, 4, 4}));
    return m_licence;
}

void AboutPage::showLicence() {
    const int row = m_parts->currentRow();
    if (row < 0) return;
    const Library& part = kParts[std::size_t(row)];
    m_licence->setUnit(QString::fromLatin1(part.name) + QStringLiteral(", ") + QString::fromLatin1(part.licence));
    QFile file(QStringLiteral(":/licences/%1").arg(QLatin1String(part.text ? part.text : "")));
    if (part.text && file.open(QIODevice::ReadOnly))
        m_text->setPlainText(QString::fromUtf8(file.readAll()));
    else
        m_text->setPlainText(
            tr("A library of the system. Its licence is in the documentation of its package, on Debian "
               "in /usr/share/doc."));
}

void AboutPage::fold(Breadth breadth) {
    m_panels->setDirection(breadth == Breadth::Narrow ? QBoxLayout::TopToBottom : QBoxLayout::LeftToRight);
}

}  // namespace espalier::ui

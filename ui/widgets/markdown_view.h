// SPDX-License-Identifier: GPL-3.0-or-later
// MarkdownView: a document from outside, read only. Nothing in it is run or fetched: HTML stays text, pictures are
// their names, links open nothing. A long one is laid out in pieces between other events, so that the window stays
// quick.
//
// Thread: Qt.
#pragma once

#include <QTextBrowser>
#include <QTimer>

#include "ui/models/markdown.h"

namespace espalier::ui {

class MarkdownView : public QTextBrowser {
    Q_OBJECT
public:
    explicit MarkdownView(const QString& accessibleName, QWidget* parent = nullptr);
    // YAML between "---" lines at the start is left out.
    void showMarkdown(const QString& text);

protected:
    QVariant loadResource(int type, const QUrl& name) override;
    void changeEvent(QEvent* event) override;

private:
    void restart();
    void addSome();

    QString m_text;
    std::vector<MarkdownBlock> m_blocks;
    std::size_t m_next = 0;
    QTimer m_more;
};

// Where the text behind the front matter of a model card begins; 0 without any.
qsizetype frontMatterEnd(const QString& text);

}  // namespace espalier::ui

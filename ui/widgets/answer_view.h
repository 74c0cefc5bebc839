// SPDX-License-Identifier: GPL-3.0-or-later
// AnswerView: a conversation as it is read. Questions as they were typed, answers with their Markdown, code with a link
// that copies it, each token with its probability under the pointer or the caret. What an answer holds is never run:
// HTML is text, pictures are not fetched.
//
// While an answer grows only its last blocks are laid out again, so a frame costs the same at its end as at its start.
//
// Thread: Qt.
#pragma once

#include <QTextBrowser>

#include "ui/models/conversation.h"
#include "ui/models/markdown.h"
#include "ui/models/text_diff.h"

namespace espalier::ui {

class ProbabilityTip;

class AnswerView : public QTextBrowser {
    Q_OBJECT
public:
    // Of what is so unlikely that it is underlined twice, which Qt has no style for.
    static constexpr int kUnlikelyProperty = QTextFormat::UserProperty + 1;

    explicit AnswerView(QWidget* parent = nullptr);

    // Lays out only what is new when the turns go on from those shown. An unanswered last turn shows what grow() is
    // given.
    void showTurns(const std::vector<Turn>& turns, const QString& model);
    void settle(const std::vector<Turn>& turns);  // what is shown is these turns now: the last answer is whole
    // The answer of the last turn so far. Requires: a turn is shown and unanswered.
    void grow(const QString& text, std::shared_ptr<const TokenAlignment> tokens);
    void showDifference(const std::vector<DiffPiece>& pieces);  // until showTurns is called
    void setProbabilities(bool shown);

signals:
    void editRequested(int turn);  // its number

protected:
    QVariant loadResource(int type, const QUrl& name) override;
    void mouseMoveEvent(QMouseEvent* event) override;
    void leaveEvent(QEvent* event) override;
    void keyReleaseEvent(QKeyEvent* event) override;
    void changeEvent(QEvent* event) override;
    void paintEvent(QPaintEvent* event) override;

private:
    // A stretch of an answer's source as it stands in the document.
    struct Run {
        int position;  // in the document
        qsizetype source, length;
    };
    struct PlacedBlock {
        MarkdownBlock block;
        int position;  // in the document, where it begins
        std::size_t firstRun, firstCode;
    };
    struct Answer {
        std::shared_ptr<const TokenAlignment> tokens;  // null: none
        QString text;
        std::vector<PlacedBlock> blocks;
        std::vector<Run> runs;
    };

    void redraw();
    void redrawKeepingGrowth();
    void addTurn(const Turn& turn, bool isLast);
    void addDifference();
    void addHead(const QString& who, int editTurn);
    void addPlain(const QString& text);
    void render(Answer& answer, const QString& text);
    void addBlock(Answer& answer, const MarkdownBlock& block);
    void addSpan(Answer& answer, QTextCursor& cursor, const MarkdownSpan& span, const QTextCharFormat& plain);
    void insertRun(Answer& answer, QTextCursor& cursor, qsizetype begin, qsizetype end, const QTextCharFormat& format,
                   bool isCode);
    void follow(const QUrl& link);
    void showTipAt(int position, const QPoint& at);
    void hideTip();
    void paintUnlikely(QPainter& painter, const QRect& area);
    std::vector<QRectF> linesOf(int from, int to) const;

    std::vector<Turn> m_turns;
    QString m_model;
    std::vector<Answer> m_answers;
    std::vector<DiffPiece> m_difference;
    std::vector<QString> m_codes;  // of the copy links
    ProbabilityTip* m_tip = nullptr;
    std::pair<int, int> m_framed{0, 0};  // of the token the tip is about, in the document
    bool m_showsProbabilities = true;
};

}  // namespace espalier::ui

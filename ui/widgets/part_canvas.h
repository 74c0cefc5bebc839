// SPDX-License-Identifier: GPL-3.0-or-later
// PartCanvas: a painted widget made of parts, one of which can be chosen: by hovering, a click or the arrow keys. The
// chosen part says what it is, as tooltip and as accessible description. What the parts are, where they lie and how
// they look is the subclass's; each has a table twin beside it.
//
// Owner: a page. Thread: Qt.
#pragma once

#include <QWidget>

namespace espalier::ui {

class PartCanvas : public QWidget {
    Q_OBJECT
public:
    static constexpr int kNone = -1;

    int chosen() const { return m_chosen; }
    void choose(int part);                         // kNone: none
    virtual QString partText(int part) const = 0;  // empty: there is no such part
    virtual QRect partRect(int part) const = 0;    // null: it is not to be seen

signals:
    void partChosen(int part);  // also kNone

protected:
    explicit PartCanvas(const QString& accessibleName, QWidget* parent = nullptr);
    virtual int partAt(QPoint point) const = 0;  // kNone: none
    // Where an arrow key leads from `from`, which is kNone before anything was chosen; kNone: nowhere.
    virtual int partBeside(int from, int key) const = 0;
    // The parts are others now: a part that stays has a new number, kNone when it is gone. Says nothing.
    void renumber(int chosen);
    void paintFocus(QPainter& painter) const;  // the ring inside, while the keys go here

    bool event(QEvent* event) override;
    void mouseMoveEvent(QMouseEvent* event) override;
    void mousePressEvent(QMouseEvent* event) override;
    void leaveEvent(QEvent* event) override;
    void keyPressEvent(QKeyEvent* event) override;

private:
    int m_chosen = kNone;
};

}  // namespace espalier::ui

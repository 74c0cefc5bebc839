// SPDX-License-Identifier: GPL-3.0-or-later
// The small parts every page is put together from: labels in the sizes of the theme, buttons, layouts in one line,
// figures (caption over value), state badges, segmented switches.
#pragma once

#include <QFrame>
#include <QLabel>
#include <QPushButton>
#include <QToolButton>
#include <functional>
#include <initializer_list>

#include "ui/shell/icons.h"
#include "ui/shell/style.h"
#include "ui/shell/theme.h"

class QBoxLayout;
class QButtonGroup;
class QPlainTextEdit;

namespace espalier::ui {

// One line of text that gives way: cut with an ellipsis when space is short, and then its tooltip holds all of it.
class TextLabel : public QWidget {
    Q_OBJECT
public:
    explicit TextLabel(const QString& text = {}, int size = text_size::kBody, QFont::Weight weight = QFont::Normal,
                       Tone tone = Tone::Text, QWidget* parent = nullptr);
    void setText(const QString& text);
    QString text() const { return m_text; }
    void setTone(Tone tone);
    void setMono();
    void setAlignment(Qt::Alignment alignment);
    void setElide(Qt::TextElideMode mode);  // ElideNone: always as wide as its text
    QSize sizeHint() const override;
    QSize minimumSizeHint() const override;

protected:
    void paintEvent(QPaintEvent* event) override;
    void resizeEvent(QResizeEvent* event) override;

private:
    void refreshToolTip();

    QString m_text;
    Tone m_tone;
    Qt::Alignment m_alignment = Qt::AlignLeft | Qt::AlignVCenter;
    Qt::TextElideMode m_elide = Qt::ElideRight;
};

// The name of a field, secondary, never cut.
TextLabel* fieldLabel(const QString& text, int size = text_size::kTable);

// Sentences that wrap.
QLabel* paragraph(const QString& text, int size = text_size::kTable, Tone tone = Tone::Secondary);

QPushButton* button(const QString& text, const QString& iconName = {}, ButtonRole role = ButtonRole::Plain,
                    ControlSize size = ControlSize::Normal);
QPushButton* smallButton(const QString& text, const QString& iconName = {});  // plain, 24 px
QPlainTextEdit* monoView(const QString& name);                                // text to read and copy, as it is
QToolButton* toolButton(const QString& iconName,
                        const QString& name);  // 24 px; the name is tooltip and accessible name

// Layout in one line: widgets, a number is fixed space, nullptr a stretch. Space does not grow with the text: larger
// text leaves less room for it. Sizes of things that hold text do, see scaled().
class LayoutItem {
public:
    LayoutItem(QWidget* widget, int stretch = 0) : m_widget(widget), m_stretch(stretch) {}
    LayoutItem(QLayout* layout, int stretch = 0) : m_layout(layout), m_stretch(stretch) {}
    LayoutItem(int space) : m_space(space) {}
    LayoutItem(std::nullptr_t) : m_stretch(1), m_isStretch(true) {}
    void addTo(QBoxLayout* box) const;

private:
    QWidget* m_widget = nullptr;
    QLayout* m_layout = nullptr;
    int m_space = 0;
    int m_stretch = 0;
    bool m_isStretch = false;
};
QBoxLayout* row(std::initializer_list<LayoutItem> items, int spacing = 8, QMargins margins = {});
QBoxLayout* column(std::initializer_list<LayoutItem> items, int spacing = 8, QMargins margins = {});
QFrame* verticalLine();
QFrame* horizontalLine();

// A caption with a value under it; on Home the value is large.
class Figure : public QWidget {
    Q_OBJECT
public:
    Figure(const QString& caption, int valueSize = text_size::kTitle, QWidget* parent = nullptr);
    void setValue(const QString& value, const QString& unit = {});  // a dash has no unit

private:
    TextLabel* m_caption;
    TextLabel* m_value;
    TextLabel* m_unit;
};

// What state a thing is in: icon, word, ground. Nothing else is a badge.
class Badge : public QWidget {
    Q_OBJECT
public:
    explicit Badge(QWidget* parent = nullptr);
    void show(const QString& iconName, const QString& word, Tone tone);
    QString word() const { return m_word; }
    QSize sizeHint() const override;
    QSize minimumSizeHint() const override { return sizeHint(); }

protected:
    void paintEvent(QPaintEvent* event) override;

private:
    QString m_icon, m_word;
    Tone m_tone = Tone::Secondary;
};

// An icon that follows the theme; decoration, the word beside it carries the meaning.
class IconMark : public QWidget {
    Q_OBJECT
public:
    IconMark(const QString& name, int size, Tone tone, QWidget* parent = nullptr);

protected:
    void paintEvent(QPaintEvent* event) override;

private:
    QString m_name;
    Tone m_tone;
};

// One of a few, side by side.
class SegmentedSwitch : public QWidget {
    Q_OBJECT
public:
    // Normal where it stands among fields.
    SegmentedSwitch(const QStringList& names, const QString& accessibleName, ControlSize size = ControlSize::Small,
                    QWidget* parent = nullptr);
    int current() const;
    void setCurrent(int index);
    void setShown(int index, bool shown);

signals:
    void chosen(int index);

private:
    QButtonGroup* m_group;
};

// 4 px bar; the share is from 0 to 1.
class ProgressBar : public QWidget {
    Q_OBJECT
public:
    explicit ProgressBar(int height = 4, QWidget* parent = nullptr);
    void setShare(double share);
    void setTone(Tone tone);
    double share() const { return m_share; }
    QSize sizeHint() const override { return QSize(96, m_height); }
    QSize minimumSizeHint() const override { return QSize(24, m_height); }
    static void paint(QPainter* painter, const QRect& rect, double share, QRgb fill, QRgb ground);

protected:
    void paintEvent(QPaintEvent* event) override;

private:
    int m_height;
    double m_share = 0;
    Tone m_tone = Tone::Accent;
};

}  // namespace espalier::ui

// SPDX-License-Identifier: GPL-3.0-or-later
#include "ui/widgets/controls.h"

#include <QBoxLayout>
#include <QButtonGroup>
#include <QPainter>
#include <QPlainTextEdit>
#include <cmath>

namespace espalier::ui {
namespace {

constexpr int kBadgeHeight = 20;
constexpr int kBadgeIcon = 12;
constexpr int kRadius = 4;

QBoxLayout* fill(QBoxLayout* box, std::initializer_list<LayoutItem> items, int spacing, QMargins margins) {
    box->setSpacing(spacing);
    box->setContentsMargins(margins);
    for (const LayoutItem& item : items) item.addTo(box);
    return box;
}

// A hairline that takes its colour from the theme.
class RuleLine : public QFrame {
public:
    explicit RuleLine(Qt::Orientation orientation) {
        if (orientation == Qt::Horizontal) {
            setFixedHeight(1);
            setSizePolicy(QSizePolicy::Expanding, QSizePolicy::Fixed);
        } else {
            setFixedWidth(1);
            setSizePolicy(QSizePolicy::Fixed, QSizePolicy::Expanding);
        }
    }

protected:
    void paintEvent(QPaintEvent*) override { QPainter(this).fillRect(rect(), QColor(colorsOf(palette()).line)); }
};

// A segment paints itself: the group's outline is shared by its neighbours.
class Segment : public QPushButton {
public:
    using QPushButton::QPushButton;

protected:
    void paintEvent(QPaintEvent*) override {
        const ThemeColors& c = colorsOf(palette());
        QPainter painter(this);
        const QRect r = rect();
        // A rounded box that reaches past the sides where a neighbour follows.
        const bool first = x() == 0, last = geometry().right() == parentWidget()->rect().right();
        QRectF outline = QRectF(r).adjusted(0.5, 0.5, -0.5, -0.5);
        if (!first) outline.setLeft(-kRadius - 0.5);
        if (!last) outline.setRight(r.width() + kRadius);
        painter.setRenderHint(QPainter::Antialiasing);
        painter.setPen(QColor(c.control));
        painter.setBrush(QColor(isChecked() ? c.selection : underMouse() ? c.hover : c.button));
        painter.drawRoundedRect(outline, kRadius, kRadius);
        if (!last) painter.drawLine(QPointF(r.right() + 0.5, 0), QPointF(r.right() + 0.5, r.height()));
        painter.setFont(uiFont(text_size::kTable, isChecked() ? QFont::DemiBold : QFont::Normal));
        painter.setPen(QColor(isEnabled() ? c.text : c.disabledText));
        painter.drawText(r, Qt::AlignCenter, text());
    }
};

}  // namespace

TextLabel::TextLabel(const QString& text, int size, QFont::Weight weight, Tone tone, QWidget* parent)
    : QWidget(parent), m_text(text), m_tone(tone) {
    setFont(uiFont(size, weight));
    setSizePolicy(QSizePolicy::Preferred, QSizePolicy::Fixed);
    setAccessibleName(text);
}

void TextLabel::setText(const QString& text) {
    if (m_text == text) return;
    const bool wider = fontMetrics().horizontalAdvance(text) != fontMetrics().horizontalAdvance(m_text);
    m_text = text;
    setAccessibleName(text);
    if (wider) updateGeometry();
    refreshToolTip();
    update();
}

void TextLabel::setTone(Tone tone) {
    m_tone = tone;
    update();
}

void TextLabel::setMono() {
    setFont(monoFont());
    updateGeometry();
}

void TextLabel::setAlignment(Qt::Alignment alignment) {
    m_alignment = alignment;
    update();
}

void TextLabel::setElide(Qt::TextElideMode mode) {
    m_elide = mode;
    updateGeometry();
}

QSize TextLabel::sizeHint() const {
    return QSize(fontMetrics().horizontalAdvance(m_text) + 1, fontMetrics().height());
}

QSize TextLabel::minimumSizeHint() const {
    if (m_elide == Qt::ElideNone) return sizeHint();
    return QSize(qMin(sizeHint().width(), fontMetrics().averageCharWidth() * 4), fontMetrics().height());
}

void TextLabel::paintEvent(QPaintEvent*) {
    QPainter painter(this);
    const ThemeColors& c = colorsOf(palette());
    painter.setPen(QColor(isEnabled() ? toneColor(c, m_tone) : c.disabledText));
    painter.drawText(rect(), int(m_alignment), fontMetrics().elidedText(m_text, m_elide, width()));
}

void TextLabel::resizeEvent(QResizeEvent* event) {
    QWidget::resizeEvent(event);
    refreshToolTip();
}

void TextLabel::refreshToolTip() {
    setToolTip(fontMetrics().horizontalAdvance(m_text) > width() ? m_text : QString());
}

TextLabel* fieldLabel(const QString& text, int size) {
    auto* label = new TextLabel(text, size, QFont::Normal, Tone::Secondary);
    label->setElide(Qt::ElideNone);
    return label;
}

QLabel* paragraph(const QString& text, int size, Tone tone) {
    auto* label = new QLabel(text);
    label->setFont(uiFont(size));
    label->setTextFormat(Qt::PlainText);  // sentences come from files and servers too: nothing in them is markup
    label->setWordWrap(true);
    label->setTextInteractionFlags(Qt::TextSelectableByMouse);
    if (tone == Tone::Secondary) label->setForegroundRole(QPalette::PlaceholderText);
    if (tone == Tone::Error) label->setForegroundRole(QPalette::BrightText);
    return label;
}

QPushButton* button(const QString& text, const QString& iconName, ButtonRole role, ControlSize size) {
    auto* made = new QPushButton(text);
    made->setAutoDefault(false);
    if (!iconName.isEmpty()) {
        made->setIcon(icon(iconName, role == ButtonRole::Primary ? Tone::OnAccent : Tone::Text));
        made->setText(QStringLiteral(" ") + text);  // Fusion sets icon and text 4 px apart, the grid asks for 8
        made->setAccessibleName(text);
    }
    setButtonRole(made, role);
    setControlSize(made, size);
    const QFont::Weight weight =
        role == ButtonRole::Primary || size == ControlSize::Large ? QFont::DemiBold : QFont::Normal;
    made->setFont(uiFont(size == ControlSize::Small ? text_size::kTable : text_size::kBody, weight));
    if (size == ControlSize::Small) made->setIconSize(QSize(14, 14));
    return made;
}

QPushButton* smallButton(const QString& text, const QString& iconName) {
    return button(text, iconName, ButtonRole::Plain, ControlSize::Small);
}

QPlainTextEdit* monoView(const QString& name) {
    auto* view = new QPlainTextEdit;
    view->setReadOnly(true);
    view->setFont(monoFont());
    view->setAccessibleName(name);
    view->setTabChangesFocus(true);
    return view;
}

QToolButton* toolButton(const QString& iconName, const QString& name) {
    auto* made = new QToolButton;
    made->setIcon(icon(iconName));
    made->setToolTip(name);
    made->setAccessibleName(name);
    made->setAutoRaise(true);
    made->setFocusPolicy(Qt::TabFocus);
    return made;
}

void LayoutItem::addTo(QBoxLayout* box) const {
    if (m_widget)
        box->addWidget(m_widget, m_stretch);
    else if (m_layout)
        box->addLayout(m_layout, m_stretch);
    else if (m_isStretch)
        box->addStretch(1);
    else
        box->addSpacing(m_space);
}

QBoxLayout* row(std::initializer_list<LayoutItem> items, int spacing, QMargins margins) {
    return fill(new QHBoxLayout, items, spacing, margins);
}

QBoxLayout* column(std::initializer_list<LayoutItem> items, int spacing, QMargins margins) {
    return fill(new QVBoxLayout, items, spacing, margins);
}

QFrame* verticalLine() {
    return new RuleLine(Qt::Vertical);
}

QFrame* horizontalLine() {
    return new RuleLine(Qt::Horizontal);
}

Figure::Figure(const QString& caption, int valueSize, QWidget* parent)
    : QWidget(parent),
      m_caption(new TextLabel(caption, text_size::kCaption, QFont::Normal, Tone::Secondary)),
      m_value(new TextLabel(QStringLiteral("–"), valueSize, QFont::DemiBold)),
      m_unit(new TextLabel({}, text_size::kCaption, QFont::Normal, Tone::Secondary)) {
    for (TextLabel* label : {m_caption, m_value, m_unit}) label->setElide(Qt::ElideNone);
    setLayout(column({m_caption, row({m_value, m_unit, nullptr}, 4)}, 0));
    setSizePolicy(QSizePolicy::Fixed, QSizePolicy::Fixed);
}

void Figure::setValue(const QString& value, const QString& wantedUnit) {
    const QString unit = value == QStringLiteral("–") ? QString() : wantedUnit;
    const bool same = value == m_value->text() && unit == m_unit->text();
    if (same && !accessibleName().isEmpty()) return;  // ten times a second
    m_value->setText(value);
    m_unit->setText(unit);
    m_unit->setVisible(!unit.isEmpty());
    setAccessibleName(m_caption->text() + QLatin1Char(' ') + value + QLatin1Char(' ') + unit);
}

Badge::Badge(QWidget* parent) : QWidget(parent) {
    setFont(uiFont(text_size::kCaption, QFont::Medium));
    setSizePolicy(QSizePolicy::Fixed, QSizePolicy::Fixed);
}

void Badge::show(const QString& iconName, const QString& word, Tone tone) {
    if (m_icon == iconName && m_word == word && m_tone == tone) return;
    m_icon = iconName;
    m_word = word;
    m_tone = tone;
    setAccessibleName(word);
    updateGeometry();
    update();
}

QSize Badge::sizeHint() const {
    return QSize(6 + kBadgeIcon + 4 + fontMetrics().horizontalAdvance(m_word) + 8, scaled(kBadgeHeight));
}

void Badge::paintEvent(QPaintEvent*) {
    const ThemeColors& c = colorsOf(palette());
    QRgb ground = c.hover;
    if (m_tone == Tone::Accent) ground = c.selection;
    if (m_tone == Tone::Warn) ground = c.warnGround;
    if (m_tone == Tone::Error) ground = c.errorGround;
    const QRgb color = toneColor(c, m_tone);
    QPainter painter(this);
    painter.setRenderHint(QPainter::Antialiasing);
    painter.setPen(Qt::NoPen);
    painter.setBrush(QColor(ground));
    painter.drawRoundedRect(rect(), 4, 4);
    const int top = (height() - kBadgeIcon) / 2;
    painter.drawPixmap(QRect(6, top, kBadgeIcon, kBadgeIcon),
                       iconPixmap(m_icon, color, kBadgeIcon, devicePixelRatioF()));
    painter.setPen(QColor(color));
    painter.drawText(rect().adjusted(6 + kBadgeIcon + 4, 0, 0, 0), Qt::AlignVCenter | Qt::AlignLeft, m_word);
}

IconMark::IconMark(const QString& name, int size, Tone tone, QWidget* parent)
    : QWidget(parent), m_name(name), m_tone(tone) {
    setFixedSize(size, size);
}

void IconMark::paintEvent(QPaintEvent*) {
    const QRgb color = toneColor(colorsOf(palette()), m_tone);
    QPainter(this).drawPixmap(rect(), iconPixmap(m_name, color, width(), devicePixelRatioF()));
}

SegmentedSwitch::SegmentedSwitch(const QStringList& names, const QString& accessibleName, ControlSize size,
                                 QWidget* parent)
    : QWidget(parent), m_group(new QButtonGroup(this)) {
    auto* box = new QHBoxLayout(this);
    box->setContentsMargins({});
    box->setSpacing(0);
    for (int i = 0; i < names.size(); ++i) {
        auto* segment = new Segment(names[i]);
        segment->setCheckable(true);
        segment->setFixedHeight(scaled(size == ControlSize::Small ? 24 : 28));
        const int text = QFontMetrics(uiFont(text_size::kTable, QFont::DemiBold)).horizontalAdvance(names[i]);
        segment->setFixedWidth((text + 20 + 3) / 4 * 4);
        segment->setAccessibleName(accessibleName + QStringLiteral(": ") + names[i]);
        m_group->addButton(segment, i);
        box->addWidget(segment);
        // Tab goes to the chosen one, the arrow keys to the others; Qt itself sees to it only after the first focus.
        segment->setFocusPolicy(i == 0 ? Qt::StrongFocus : Qt::ClickFocus);
        connect(segment, &QPushButton::toggled, segment,
                [segment](bool on) { segment->setFocusPolicy(on ? Qt::StrongFocus : Qt::ClickFocus); });
    }
    setSizePolicy(QSizePolicy::Fixed, QSizePolicy::Fixed);
    connect(m_group, &QButtonGroup::idClicked, this, &SegmentedSwitch::chosen);
}

int SegmentedSwitch::current() const {
    return m_group->checkedId();
}

void SegmentedSwitch::setCurrent(int index) {
    QAbstractButton* segment = m_group->button(index);
    if (!segment) return;
    for (QAbstractButton* other : m_group->buttons()) other->setFocusPolicy(Qt::ClickFocus);
    segment->setChecked(true);
    segment->setFocusPolicy(Qt::StrongFocus);
}

void SegmentedSwitch::setShown(int index, bool shown) {
    m_group->button(index)->setVisible(shown);
    update();
}

ProgressBar::ProgressBar(int height, QWidget* parent) : QWidget(parent), m_height(height) {
    setFixedHeight(height);
    setSizePolicy(QSizePolicy::Expanding, QSizePolicy::Fixed);
}

void ProgressBar::setShare(double share) {
    share = std::isfinite(share) ? qBound(0.0, share, 1.0) : 0.0;
    if (qFuzzyCompare(share + 1, m_share + 1)) return;
    m_share = share;
    setAccessibleDescription(tr("%1 per cent").arg(qRound(share * 100)));
    update();
}

void ProgressBar::setTone(Tone tone) {
    m_tone = tone;
    update();
}

void ProgressBar::paint(QPainter* painter, const QRect& rect, double share, QRgb fill, QRgb ground) {
    painter->save();
    painter->setRenderHint(QPainter::Antialiasing);
    painter->setPen(Qt::NoPen);
    painter->setBrush(QColor(ground));
    painter->drawRoundedRect(rect, 2, 2);
    if (share > 0) {
        painter->setBrush(QColor(fill));
        painter->drawRoundedRect(QRectF(rect.x(), rect.y(), qMax(2.0, rect.width() * share), rect.height()), 2, 2);
    }
    painter->restore();
}

void ProgressBar::paintEvent(QPaintEvent*) {
    const ThemeColors& c = colorsOf(palette());
    QPainter painter(this);
    paint(&painter, rect(), m_share, toneColor(c, m_tone), c.line);
}

}  // namespace espalier::ui

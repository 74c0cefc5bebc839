// SPDX-License-Identifier: GPL-3.0-or-later
#include "ui/pages/home_adapters.h"

#include <QBoxLayout>
#include <QPainter>

#include "ui/models/format.h"
#include "ui/widgets/tier_mark.h"

namespace espalier::ui {
namespace {

constexpr int kFootHeight = 36;

class TierMark : public QWidget {
public:
    explicit TierMark(AdapterTier tier) : m_tier(tier) { setFixedSize(kSwatch, kSwatch); }

protected:
    void paintEvent(QPaintEvent*) override {
        QPainter painter(this);
        paintTierMark(painter, rect(), colorsOf(palette()), m_tier);
    }

private:
    AdapterTier m_tier;
};

TextLabel* figure() {
    auto* made = new TextLabel({}, text_size::kTable, QFont::DemiBold);
    made->setElide(Qt::ElideNone);
    return made;
}

}  // namespace

HomeAdapters::HomeAdapters() : m_all(figure()), m_device(figure()), m_memory(figure()), m_disk(figure()) {
    setFixedHeight(scaled(kFootHeight));
    setToolTip(tr("All lie on the disk; one that is used lies in memory and on the device as well"));
    const auto place = [](AdapterTier tier, const QString& name, TextLabel* count) {
        return LayoutItem(row({new TierMark(tier), fieldLabel(name), count}, 6));
    };
    auto* counts = row({m_all, nullptr, place(AdapterTier::Pool, tr("Device"), m_device),
                        place(AdapterTier::Host, tr("RAM"), m_memory), place(AdapterTier::Disk, tr("Disk"), m_disk)},
                       12, {11, 0, 11, 0});
    setLayout(column({horizontalLine(), LayoutItem(counts, 1)}, 0));
    hide();
}

void HomeAdapters::show(qint64 all, qint64 onDevice, qint64 inMemory) {
    setVisible(all > 0);
    m_all->setText(counted(all, tr("%1 adapter"), tr("%1 adapters")));
    m_device->setText(formatCount(onDevice));
    m_memory->setText(formatCount(inMemory));
    m_disk->setText(formatCount(all));
    const QString said =
        tr("%1: device %2, RAM %3, disk %4").arg(m_all->text(), m_device->text(), m_memory->text(), m_disk->text());
    if (said != accessibleName()) setAccessibleName(said);
}

}  // namespace espalier::ui

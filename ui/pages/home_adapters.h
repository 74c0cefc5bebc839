// SPDX-License-Identifier: GPL-3.0-or-later
// HomeAdapters: how many adapters there are, and how many copies of them lie where. All lie on the disk; one that is
// used lies in memory and on the device as well.
//
// Owner: HomePage. Thread: Qt.
#pragma once

#include "ui/widgets/controls.h"

namespace espalier::ui {

class HomeAdapters : public QWidget {
    Q_OBJECT
public:
    HomeAdapters();
    void show(qint64 all, qint64 onDevice, qint64 inMemory);  // none at all: hidden

private:
    TextLabel *m_all, *m_device, *m_memory, *m_disk;
};

}  // namespace espalier::ui

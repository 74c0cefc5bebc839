// SPDX-License-Identifier: GPL-3.0-or-later
// TourClients: programs of the owner and of every tenant, each with a key of its own, that ask the models and adapters
// they may use until they are stopped, so that pages about traffic have some to show.
//
// Owner: ScreenshotTour. Thread: Qt.
#pragma once

#include <QObject>
#include <QTimer>
#include <vector>

#include "ui/models/workspace.h"

namespace espalier::ui {

class TourClients : public QObject {
    Q_OBJECT
public:
    TourClients(Workspace& workspace, QObject* parent);
    void start();
    void stop();
    int answers() const { return m_answers; }

private:
    struct Client {
        EngineClient* engine = nullptr;
        QStringList models;
        int asked = 0;
    };
    void bringAnew(const AdapterRecord& adapter);
    void hire(const std::string& tenant);
    QStringList modelsOf(const std::string& tenant) const;
    void ask(std::size_t client);

    Workspace& m_workspace;
    std::vector<Client> m_clients;
    QTimer m_change;  // of an adapter's files, now and then
    std::size_t m_changed = 0;
    bool m_goesOn = false;
    int m_answers = 0;
};

}  // namespace espalier::ui

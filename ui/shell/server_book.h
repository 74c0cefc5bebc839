// SPDX-License-Identifier: GPL-3.0-or-later
// ServerBook: the servers of colleagues that were attached to by URL, with their keys. A key is kept only in a file of
// mode 0600 in a folder of mode 0700: never in QSettings, in a command line or in the log. A file that others may read
// is refused, as ssh does. The desktop's keyring is not asked: it may be locked or absent, and unlocking it opens a
// window from the background.
//
// Owner: main. Thread: Qt. Reads and writes one file of a few hundred bytes.
#pragma once

#include <QObject>
#include <QString>
#include <QUrl>
#include <vector>

#include "core/base/result.h"

namespace espalier::ui {

struct KnownServer {
    QUrl url;
    QString key;  // empty: asked for each time
};

class ServerBook : public QObject {
    Q_OBJECT
public:
    explicit ServerBook(const QString& folder, QObject* parent = nullptr);

    const std::vector<KnownServer>& servers() const { return m_servers; }  // newest first
    QString keyOf(const QUrl& url) const;
    // Puts the server first. An empty key forgets one that was kept. Errors: io_error names the file.
    Result<void> remember(const QUrl& url, const QString& key);
    Result<void> forget(const QUrl& url);
    const std::optional<Error>& trouble() const { return m_trouble; }  // of reading the file
    QString file() const;

    static constexpr std::size_t kMost = 16;

signals:
    void changed();

private:
    Result<void> read();
    Result<void> write();

    QString m_folder;
    std::vector<KnownServer> m_servers;
    std::optional<Error> m_trouble;
};

// What a person typed as an address: the scheme may be missing, "/v1" and slashes at the end are dropped. Invalid when
// there is no host or the scheme is neither http nor https.
QUrl serverUrl(const QString& typed);

}  // namespace espalier::ui

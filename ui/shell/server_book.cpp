// SPDX-License-Identifier: GPL-3.0-or-later
#include "ui/shell/server_book.h"

#include <QDir>
#include <QFile>
#include <QFileInfo>
#include <QSaveFile>
#include <algorithm>

#include "core/base/json.h"

namespace espalier::ui {
namespace {

constexpr qint64 kMostBytes = 256 << 10;
constexpr auto kOthers =
    QFile::ReadGroup | QFile::WriteGroup | QFile::ExeGroup | QFile::ReadOther | QFile::WriteOther | QFile::ExeOther;

Error ioError(const std::string& sentence, const QString& path) {
    return fail(ErrorCode::IoError, sentence, path.toStdString());
}

}  // namespace

ServerBook::ServerBook(const QString& folder, QObject* parent) : QObject(parent), m_folder(folder) {
    if (auto done = read(); !done) m_trouble = std::move(done).error();
}

QString ServerBook::file() const {
    return QDir(m_folder).filePath(QStringLiteral("servers.json"));
}

QString ServerBook::keyOf(const QUrl& url) const {
    for (const KnownServer& server : m_servers)
        if (server.url == url) return server.key;
    return {};
}

Result<void> ServerBook::remember(const QUrl& url, const QString& key) {
    std::erase_if(m_servers, [&](const KnownServer& server) { return server.url == url; });
    m_servers.insert(m_servers.begin(), {url, key});
    if (m_servers.size() > kMost) m_servers.resize(kMost);
    emit changed();
    return write();
}

Result<void> ServerBook::forget(const QUrl& url) {
    if (std::erase_if(m_servers, [&](const KnownServer& server) { return server.url == url; }) == 0) return {};
    emit changed();
    return write();
}

Result<void> ServerBook::read() {
    QFile source(file());
    if (!source.exists()) return {};
    if (source.permissions() & kOthers)
        return ioError(file().toStdString() + " may be read by others, so its keys are not used; set its mode to 0600",
                       file());
    if (!source.open(QIODevice::ReadOnly))
        return ioError(file().toStdString() + " cannot be read: " + source.errorString().toStdString(), file());
    const QByteArray bytes = source.read(kMostBytes);
    TRY_ASSIGN(const Json json, parseJson({bytes.constData(), std::size_t(bytes.size())}, file().toStdString()));
    const auto list = json.is_object() ? json.find("servers") : json.end();
    if (!json.is_object() || list == json.end() || !list->is_array())
        return fail(ErrorCode::CorruptFile, file().toStdString() + " has no list \"servers\"", file().toStdString());
    for (const Json& item : *list) {
        const JsonReader reader(item, "servers");
        if (!item.is_object()) continue;
        const QUrl url(QString::fromStdString(reader.stringOr("url", {}).value_or(std::string())));
        if (!url.isValid() || url.host().isEmpty() || m_servers.size() == kMost) continue;
        m_servers.push_back({url, QString::fromStdString(reader.stringOr("key", {}).value_or(std::string()))});
    }
    return {};
}

// A file that could not be read is not written over: it may hold keys that a person wants back. Once it was mended,
// what stands in it comes after what was added here.
Result<void> ServerBook::write() {
    if (m_trouble) {
        std::vector<KnownServer> added = std::exchange(m_servers, {});
        auto mended = read();
        for (KnownServer& known : m_servers) {
            const bool isNew =
                std::ranges::none_of(added, [&](const KnownServer& server) { return server.url == known.url; });
            if (isNew && added.size() < kMost) added.push_back(std::move(known));
        }
        m_servers = std::move(added);
        if (!mended) return mended;
        m_trouble.reset();
        emit changed();
    }
    if (!QDir().mkpath(m_folder)) return ioError("The folder " + m_folder.toStdString() + " cannot be made", m_folder);
    QFile::setPermissions(m_folder, QFile::ReadOwner | QFile::WriteOwner | QFile::ExeOwner);
    Json list = Json::array();
    for (const KnownServer& server : m_servers)
        list.push_back({{"url", server.url.toString().toStdString()}, {"key", server.key.toStdString()}});
    const std::string text = dumpJson({{"servers", list}}, 2) + "\n";
    QSaveFile out(file());
    out.setDirectWriteFallback(false);
    const bool written = out.open(QIODevice::WriteOnly) &&
                         out.setPermissions(QFile::ReadOwner | QFile::WriteOwner) &&  // before the first byte of a key
                         out.write(text.data(), qint64(text.size())) == qint64(text.size()) && out.commit();
    if (!written) return ioError(file().toStdString() + " was not written: " + out.errorString().toStdString(), file());
    return {};
}

QUrl serverUrl(const QString& typed) {
    QString text = typed.trimmed();
    while (text.endsWith(QLatin1Char('/')) && !text.endsWith(QLatin1String("://"))) text.chop(1);
    if (text.endsWith(QLatin1String("/v1"))) text.chop(3);
    if (text.isEmpty()) return {};
    if (!text.contains(QLatin1String("://"))) text.prepend(QStringLiteral("http://"));
    const QUrl url(text, QUrl::StrictMode);
    const bool web = url.scheme() == QLatin1String("http") || url.scheme() == QLatin1String("https");
    return url.isValid() && web && !url.host().isEmpty() ? url : QUrl();
}

}  // namespace espalier::ui

// SPDX-License-Identifier: GPL-3.0-or-later
#include "ui/widgets/plots_save.h"

#include <QCoreApplication>
#include <QDateTime>
#include <QDir>
#include <QImage>
#include <QPointer>
#include <QThreadPool>
#include <QTimer>
#include <map>
#include <memory>

#include "ui/widgets/plot.h"
#include "ui/widgets/plot_export.h"

namespace espalier::ui {
namespace {

struct Shot {
    QString stem;
    FrozenPlot values;
    QImage picture;
};

struct Work {
    std::vector<Plot*> left;  // to be taken, last first
    std::vector<Shot> shots;
    std::map<const SampleRing*, std::shared_ptr<const SampleRing>> rings;  // copied once for all plots over it
    QString folder;
    QPointer<QObject> guard;
    std::function<void(Result<QString>)> done;
};

Result<QString> write(const Work& work) {
    if (!QDir().mkpath(work.folder))
        return fail(ErrorCode::IoError, "The folder " + work.folder.toStdString() + " cannot be made",
                    work.folder.toStdString());
    for (const Shot& shot : work.shots) {
        const QString stem = QDir(work.folder).filePath(shot.stem);
        TRY(saveCsv(shot.values, stem + QStringLiteral(".csv")));
        TRY(savePicture(shot.picture, stem + QStringLiteral(".png")));
    }
    return work.folder;
}

void finish(const std::shared_ptr<Work>& work) {
    QThreadPool::globalInstance()->start([work] {
        const Result<QString> written = write(*work);
        QMetaObject::invokeMethod(
            qApp,
            [work, written] {
                if (work->guard) work->done(written);
            },
            Qt::QueuedConnection);
    });
}

void takeNext(const std::shared_ptr<Work>& work) {
    if (work->left.empty()) return finish(work);
    const Plot* plot = work->left.back();
    work->left.pop_back();
    std::shared_ptr<const SampleRing>& ring = work->rings[&plot->content().source];
    if (!ring) ring = std::make_shared<const SampleRing>(plot->content().source);
    work->shots.push_back({fileStem(plot->accessibleName()), frozen(plot->content(), ring), plot->picture().toImage()});
    QTimer::singleShot(0, work->guard, [work] { takeNext(work); });
}

}  // namespace

void savePlots(const std::vector<Plot*>& plots, const QString& folder, QObject* guard,
               std::function<void(Result<QString>)> done) {
    const QString name =
        QStringLiteral("espalier-plots-") + QDateTime::currentDateTime().toString(QStringLiteral("yyyyMMdd-HHmmss"));
    auto work = std::make_shared<Work>();
    work->left.assign(plots.rbegin(), plots.rend());
    work->folder = QDir(folder).filePath(name);
    work->guard = guard;
    work->done = std::move(done);
    takeNext(work);
}

}  // namespace espalier::ui

// SPDX-License-Identifier: GPL-3.0-or-later
#include <QTemporaryDir>
#include <QTest>
#include <fstream>

#include "core/base/file_system.h"
#include "tests/support/test_main.h"

using namespace espalier;

class TestFileSystem : public QObject {
    Q_OBJECT

    std::unique_ptr<FileSystem> m_files = makeFileSystem();
    std::unique_ptr<QTemporaryDir> m_folder;
    Path at(const char* name) const { return Path(m_folder->path().toStdString()) / name; }

private slots:
    void init() { m_folder = std::make_unique<QTemporaryDir>(); }

    void writeAtomically_replacesTheWholeFile() {
        QVERIFY(writeAtomically(*m_files, at("a"), "first, a long one"));
        QVERIFY(writeAtomically(*m_files, at("a"), "second"));
        QCOMPARE(*m_files->readText(at("a"), 100), std::string("second"));
        QCOMPARE(m_files->list(at(""))->size(), std::size_t{1});  // no temporary left
    }
    void writeAtomically_leavesTheOldFileWhenTheFolderIsGone() {
        const auto written = writeAtomically(*m_files, at("missing/a"), "x");
        QCOMPARE(written.error().code, ErrorCode::NotFound);
        QVERIFY(written.error().message.find("missing") != std::string::npos);
    }
    void open_refusesFoldersDevicesAndAbsentFiles() {
        QCOMPARE(m_files->open(at("")).error().code, ErrorCode::InvalidArgument);
        QCOMPARE(m_files->open("/dev/zero").error().code, ErrorCode::InvalidArgument);
        QCOMPARE(m_files->open(at("nothing")).error().code, ErrorCode::NotFound);
    }
    void open_readsAnEmptyFile() {
        std::ofstream(at("empty"));
        const auto opened = m_files->open(at("empty"));
        QVERIFY(opened);
        std::byte byte{};
        QCOMPARE(*(*opened)->read(0, {&byte, 1}), std::size_t{0});
    }
    void readText_statesItsLimit() {
        std::ofstream(at("big")) << std::string(101, 'x');
        QCOMPARE(m_files->readText(at("big"), 100).error().code, ErrorCode::TooLarge);
    }
    void aLinkThatPointsAtItselfIsAnError() {
        std::filesystem::create_symlink(at("loop"), at("loop"));
        QCOMPARE(m_files->open(at("loop")).error().code, ErrorCode::IoError);
        QVERIFY(m_files->list(at(""))->empty());  // and it is not listed
    }
    void removeTree_doesNotFollowLinks() {
        std::filesystem::create_directories(at("keep"));
        std::ofstream(at("keep/file")) << "x";
        std::filesystem::create_directories(at("tree"));
        std::filesystem::create_directory_symlink(at("keep"), at("tree/link"));
        QVERIFY(m_files->removeTree(at("tree")));
        QVERIFY(m_files->exists(at("keep/file")));
    }
    void removingWhatIsAbsentIsFine() { QVERIFY(m_files->remove(at("nothing"))); }
};
ESPALIER_TEST(tst_file_system, TestFileSystem)
#include "tst_file_system.moc"

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
    void createLarge_writesEveryLengthInAnyPieces_data() {
        QTest::addColumn<qulonglong>("bytes");
        for (const qulonglong bytes : {0u, 1u, 4095u, 4096u, 4097u, 2097151u, 2097152u, 2097153u, 5242999u})
            QTest::addRow("%llu", bytes) << bytes;
    }
    void createLarge_writesEveryLengthInAnyPieces() {
        QFETCH(const qulonglong, bytes);
        std::string text(bytes, ' ');
        for (std::size_t i = 0; i < text.size(); ++i) text[i] = static_cast<char>(i * 2654435761u >> 13);
        const QTemporaryDir memory("/dev/shm/espalier-XXXXXX");  // a file system that may not know O_DIRECT
        for (const Path& folder : {at(""), Path(memory.path().toStdString())})
            for (const std::size_t piece : {std::size_t{4096}, std::size_t{777777}, text.size() + 1}) {
                auto file = m_files->createLarge(folder / "large");
                QVERIFY(file);
                for (std::size_t done = 0; done < text.size(); done += piece)
                    QVERIFY((*file)->append(
                        std::as_bytes(std::span(text).subspan(done, std::min(piece, text.size() - done)))));
                QVERIFY((*file)->sync());
                QCOMPARE(m_files->stat(folder / "large")->bytes, text.size());  // nothing is held back
                QVERIFY((*file)->append(std::as_bytes(std::span(text))));       // and it goes on from there
                QVERIFY((*file)->close());
                QVERIFY(*m_files->readText(folder / "large", 1 << 24) == text + text);
            }
    }
    void createLarge_saysWhatIsWrong() {
        QCOMPARE(m_files->createLarge(at("missing/a")).error().code, ErrorCode::NotFound);
        const auto full = m_files->createLarge("/dev/full");
        QVERIFY(full);
        std::vector<std::byte> piece(1 << 20);
        Result<void> written;
        for (int i = 0; i < 4 && written; ++i) written = (*full)->append(piece);
        QCOMPARE(written.error().code, ErrorCode::DiskFull);
        QVERIFY(written.error().message.find("/dev/full") != std::string::npos);
    }
    void flush_makesMovesDurableAndNamesAFolderThatIsNotThere() {
        QVERIFY(writeAtomically(*m_files, at("a"), "text"));
        QVERIFY(m_files->move(at("a"), at("b")));
        QVERIFY(!m_files->exists(at("a")));
        QVERIFY(m_files->flush(at("")));
        QCOMPARE(m_files->move(at("a"), at("b")).error().code, ErrorCode::NotFound);
        QCOMPARE(m_files->flush(at("missing")).error().code, ErrorCode::NotFound);
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

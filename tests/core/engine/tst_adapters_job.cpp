// SPDX-License-Identifier: GPL-3.0-or-later
// Many adapters as one job: one line in the log, what fails fails alone, and a run that ended goes on where it was.
#include "core/engine/adapters_job.h"

#include <set>

#include "core/base/shell_text.h"
#include "tests/core/engine/adapter_fixture.h"
#include "tests/support/test_main.h"

using namespace espalier;
using namespace espalier::test;

namespace {

// The queue as a job sees it, kept in memory.
class RememberingContext final : public JobContext {
public:
    std::stop_source source;
    Json kept;
    int stopAfter = 1 << 20;  // checkpoints
    std::vector<std::string> steps;

    std::stop_token stop() const override { return source.get_token(); }
    void report(std::int64_t done, std::int64_t all, std::string_view step) override {
        QVERIFY(done >= 0 && done <= all);
        steps.emplace_back(step);
    }
    const Json& checkpoint() const override { return kept; }
    Result<void> saveCheckpoint(const Json& checkpoint) override {
        kept = checkpoint;
        if (--stopAfter == 0) source.request_stop();
        return {};
    }
};

// What is asked to come in.
struct Imports {
    std::vector<std::size_t> batches;
    std::vector<std::string> paths;
    std::set<std::string> here;
    std::size_t imported = 0;
    int ends = 0;

    AdapterImporter importer() {
        return {[this](std::span<const AdapterImport> requests) {
                    batches.push_back(requests.size());
                    std::vector<Result<AdapterRecord>> answers;
                    for (const AdapterImport& request : requests) {
                        paths.push_back(request.path);
                        answers.push_back(AdapterRecord());
                    }
                    return answers;
                },
                [this](const std::string& path) { return here.contains(path); },
                [this](std::size_t count, const std::vector<std::string>&) {
                    imported = count;
                    ++ends;
                }};
    }
};

void makeFolder(const Path& folder, std::string_view config = "{}") {
    std::filesystem::create_directories(folder);
    writeFile(folder / "adapter_config.json", config);
}

struct Folders : AdapterFixture {
    Path parent = root / "many";
    explicit Folders(int count) {
        for (int i = 0; i < count; ++i) makeFolder(parent / ("a" + std::to_string(1000 + i)));
    }
    AdaptersArguments arguments() const { return {"m-1", {}, {parent.string()}}; }
};

std::vector<std::string> linesOf(const Engine& engine, std::string_view part) {
    std::vector<std::string> lines;
    const auto events = engine.eventsAfter(0).value();
    for (const NumberedEvent& event : events)
        if (const auto* record = std::get_if<LogRecord>(&event.event))
            if (record->text.find(part) != std::string::npos) lines.push_back(record->text);
    return lines;
}

}  // namespace

class TestAdaptersJob : public QObject {
    Q_OBJECT

private slots:
    void aFolderOfAdaptersComesInWithOneLineInTheLog() {
        AdapterFixture fixture;
        VERIFY_OK(fixture.start());
        for (std::uint32_t i = 0; i < 70; ++i) fixture.makeAdapter("many/v" + std::to_string(i), {.seed = i});
        std::filesystem::create_directories(fixture.root / "many" / "notes");  // passed over
        const std::int64_t before = fixture.engine->lastSequence();
        const auto id = fixture.engine->startAdapterImport("tiny", {}, {(fixture.root / "many").string()});
        VERIFY_OK(id);
        const auto job = fixture.engine->waitJob(*id);
        VERIFY_OK(job);
        QVERIFY2(!job->error, job->error ? job->error->message.c_str() : "");
        QCOMPARE(job->title, std::string("Import adapters for tiny"));
        QCOMPARE(job->command, "espalierctl adapter import " + (fixture.root / "many").string() + " --all -m tiny");
        QCOMPARE(job->progress, 1.0);
        const Json result = parseJson(job->result, "result").value();
        QCOMPARE(result["imported"].get<int>(), 70);
        QVERIFY(result["failed"].empty());
        QCOMPARE(fixture.engine->adapters("tiny").size(), std::size_t{70});
        int lines = 0, changes = 0;
        const auto events = fixture.engine->eventsAfter(before).value();
        for (const NumberedEvent& event : events) {
            lines += std::holds_alternative<LogRecord>(event.event);
            changes += std::holds_alternative<AdapterChanged>(event.event);
        }
        QCOMPARE(lines, 1);
        QCOMPARE(changes, 70);  // whoever follows the adapters hears of each
        QCOMPARE(linesOf(*fixture.engine, "imported into"),
                 (std::vector<std::string>{"70 adapters were imported into tiny"}));
    }

    void manyInOneCallHaveOneLineTooAndOneAloneIsNamed() {
        AdapterFixture fixture;
        VERIFY_OK(fixture.start());
        const auto requests = fixture.requests(3);
        for (const auto& answer : fixture.engine->importAdapters(requests)) VERIFY_OK(answer);
        QCOMPARE(linesOf(*fixture.engine, "imported into"),
                 (std::vector<std::string>{"3 adapters were imported into tiny"}));
        QCOMPARE(linesOf(*fixture.engine, "adapter").size(), std::size_t{1});
        VERIFY_OK(fixture.import("alone"));
        QCOMPARE(linesOf(*fixture.engine, "\"alone\" of tiny was imported").size(), std::size_t{1});
    }

    void theCommandSaysTheSame() {
        AdapterFixture fixture;
        makeFolder(fixture.root / "it's law");
        const std::string law = (fixture.root / "it's law").string(), quoted = shellQuoted(law);
        QVERIFY(quoted.ends_with("/it'\\''s law'"));
        QCOMPARE(adaptersCommand(*fixture.files, {"m-1", "ada b", {law, law}}, "tiny"),
                 "espalierctl adapter import " + quoted + " " + quoted + " -m tiny --tenant 'ada b'");
        QCOMPARE(adaptersCommand(*fixture.files, {"m-1", {}, {law, fixture.root.string()}}, "tiny"),
                 "espalierctl adapter import " + quoted + " " + fixture.root.string() + " --all -m tiny");
    }

    void whatFailsFailsAloneAndIsNamed() {
        AdapterFixture fixture;
        VERIFY_OK(fixture.start());
        fixture.makeAdapter("many/good");
        makeFolder(fixture.root / "many" / "bad", "{");
        const auto id = fixture.engine->startAdapterImport("tiny", {}, {(fixture.root / "many").string()});
        VERIFY_OK(id);
        const auto job = fixture.engine->waitJob(*id);
        QCOMPARE(job->state, JobState::Finished);
        const Json result = parseJson(job->result, "result").value();
        QCOMPARE(result["imported"].get<int>(), 1);
        QCOMPARE(result["failed"].size(), std::size_t{1});
        QVERIFY(result["failed"][0].value("path", "").ends_with("many/bad"));
        const auto warning = linesOf(*fixture.engine, "1 adapter was not imported into tiny: ");
        QCOMPARE(warning.size(), std::size_t{1});
        QVERIFY2(warning[0].find("\"bad\"") != std::string::npos, warning[0].c_str());
    }

    void whereNoneComesInTheJobFails() {
        AdapterFixture fixture;
        VERIFY_OK(fixture.start());
        makeFolder(fixture.root / "many" / "bad", "{");
        std::filesystem::create_directories(fixture.root / "empty");
        for (const char* name : {"many", "empty"}) {
            const auto id = fixture.engine->startAdapterImport("tiny", {}, {(fixture.root / name).string()});
            VERIFY_OK(id);
            const auto job = fixture.engine->waitJob(*id);
            QCOMPARE(job->state, JobState::Failed);
            QVERIFY2(job->error->message.find(name == std::string("empty") ? "holds none" : "bad") != std::string::npos,
                     job->error->message.c_str());
        }
        QVERIFY(fixture.engine->adapters().empty());
        QCOMPARE(fixture.engine->startAdapterImport("tiny", {}, {}).error().code, ErrorCode::InvalidArgument);
        QCOMPARE(fixture.engine->startAdapterImport("none", {}, {"/tmp"}).error().code, ErrorCode::NotFound);
        QCOMPARE(fixture.engine->startAdapterImport("tiny", {}, {"/nowhere"}).error().code, ErrorCode::NotFound);
        QCOMPARE(fixture.engine->startAdapterImport("tiny", "nobody", {"/tmp"}).error().code, ErrorCode::NotFound);
    }

    void aStoppedRunGoesOnWhereItWas() {
        Folders fixture(150);
        Imports imports;
        RememberingContext context;
        context.stopAfter = 2;  // the folders found, and the first batch
        const auto stopped = makeAdaptersJob(*fixture.files, fixture.arguments(), imports.importer())->run(context);
        QCOMPARE(stopped.error().code, ErrorCode::Cancelled);
        QCOMPARE(imports.batches, (std::vector<std::size_t>{64}));
        QCOMPARE(imports.ends, 0);
        // A folder that comes meanwhile is not part of it any more.
        makeFolder(fixture.parent / "zz");
        RememberingContext again;
        again.kept = context.kept;
        VERIFY_OK(makeAdaptersJob(*fixture.files, fixture.arguments(), imports.importer())->run(again));
        QCOMPARE(imports.batches, (std::vector<std::size_t>{64, 64, 22}));
        QCOMPARE(std::set<std::string>(imports.paths.begin(), imports.paths.end()).size(), std::size_t{150});
        QCOMPARE(imports.imported, std::size_t{150});
        QCOMPARE(imports.ends, 1);
        QCOMPARE(again.steps.front(), std::string("64 of 150 adapters"));
    }

    // The process ended between the import of a batch and its checkpoint.
    void whatIsHereAlreadyIsCountedAndNotImportedAgain() {
        Folders fixture(10);
        Imports imports;
        RememberingContext first;
        first.stopAfter = 1;
        QVERIFY(!makeAdaptersJob(*fixture.files, fixture.arguments(), imports.importer())->run(first));
        QVERIFY(imports.batches.empty());
        for (const char* name : {"a1002", "a1007"}) imports.here.insert((fixture.parent / name).string());
        RememberingContext again;
        again.kept = first.kept;
        VERIFY_OK(makeAdaptersJob(*fixture.files, fixture.arguments(), imports.importer())->run(again));
        QCOMPARE(imports.batches, (std::vector<std::size_t>{8}));
        QCOMPARE(imports.imported, std::size_t{10});
        for (const std::string& path : imports.paths) QVERIFY(!imports.here.contains(path));
    }

    void argumentsAndCheckpointsAreReadStrictly() {
        const AdaptersArguments arguments{"m-1", "ada", {"/a", "/b"}};
        const auto read = adaptersArgumentsFromJson(toJson(arguments));
        VERIFY_OK(read);
        QCOMPARE(read->paths, arguments.paths);
        QCOMPARE(read->tenant, arguments.tenant);
        QCOMPARE(adaptersArgumentsFromJson(Json{{"model", "m"}, {"paths", {1}}}).error().code, ErrorCode::CorruptFile);
        Folders fixture(2);
        Imports imports;
        for (const Json& broken :
             {Json{{"paths", {"/a"}}, {"at", 2}, {"imported", 0}}, Json{{"paths", 1}}, Json("no")}) {
            RememberingContext context;
            context.kept = broken;
            const auto answer = makeAdaptersJob(*fixture.files, fixture.arguments(), imports.importer())->run(context);
            QCOMPARE(answer.error().code, ErrorCode::CorruptFile);
        }
        QVERIFY(imports.batches.empty());
    }
};

ESPALIER_TEST(tst_adapters_job, TestAdaptersJob)
#include "tst_adapters_job.moc"

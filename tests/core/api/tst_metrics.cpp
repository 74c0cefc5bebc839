// SPDX-License-Identifier: GPL-3.0-or-later
// GET /metrics as a scraper reads it: a strict reader of the exposition format, names that try to leave their quotes,
// and as many tenants as anybody has.
#include <QTest>
#include <map>
#include <set>

#include "core/api/metrics.h"
#include "core/api/prometheus_text.h"
#include "core/api/tenant_metrics.h"
#include "tests/support/test_main.h"

using namespace espalier;

namespace {

struct Sample {
    std::string name;
    std::map<std::string, std::string> labels;
    std::string number;
};

// Exposition format 0.0.4, strictly: every family begins with HELP and TYPE and stands together, no series twice.
class Scrape {
public:
    explicit Scrape(const std::string& text) {
        for (std::size_t at = 0; at < text.size() && problem.empty();) {
            const std::size_t end = text.find('\n', at);
            if (end == std::string::npos) {
                refuse("the last line does not end");
                break;
            }
            read(text.substr(at, end - at));
            at = end + 1;
        }
    }
    // Of the series with these labels; empty: there is none.
    std::string number(const std::string& name, const std::map<std::string, std::string>& labels = {}) const {
        for (const Sample& sample : samples)
            if (sample.name == name && sample.labels == labels) return sample.number;
        return {};
    }
    std::size_t seriesOf(const std::string& name) const {
        return static_cast<std::size_t>(std::ranges::count(samples, name, &Sample::name));
    }

    std::vector<Sample> samples;
    std::map<std::string, std::string> types;  // by family
    std::string problem;

private:
    void refuse(const std::string& why) { problem = why; }
    static bool isNameChar(char c) { return std::isalnum(static_cast<unsigned char>(c)) != 0 || c == '_' || c == ':'; }

    void read(const std::string& line) {
        if (line.starts_with("# HELP ")) {
            m_family = line.substr(7, line.find(' ', 7) - 7);
            if (types.contains(m_family)) refuse("the family stands twice: " + m_family);
            return;
        }
        if (line.starts_with("# TYPE ")) {
            const std::size_t space = line.find(' ', 7);
            if (line.substr(7, space - 7) != m_family) refuse("TYPE of another family: " + line);
            types[m_family] = line.substr(space + 1);
            return;
        }
        Sample sample;
        std::size_t at = 0;
        while (at < line.size() && isNameChar(line[at])) sample.name += line[at++];
        if (at < line.size() && line[at] == '{') at = readLabels(line, at, sample);
        if (at >= line.size() || line[at] != ' ') return refuse("no number: " + line);
        sample.number = line.substr(at + 1);
        char* end = nullptr;
        std::strtod(sample.number.c_str(), &end);
        if (sample.number.empty() || *end != '\0') return refuse("not a number: " + line);
        if (!types.contains(m_family)) return refuse("no TYPE before " + line);
        const bool isHistogram = types[m_family] == "histogram";
        const bool fits = sample.name == m_family ||
                          (isHistogram && (sample.name == m_family + "_bucket" || sample.name == m_family + "_sum" ||
                                           sample.name == m_family + "_count"));
        if (!fits) return refuse(sample.name + " stands in the family " + m_family);
        if (!m_seen.insert({sample.name, sample.labels}).second) return refuse("the series stands twice: " + line);
        samples.push_back(std::move(sample));
    }

    // Gives the place after the closing brace; beyond the line when there is none.
    static std::size_t readLabels(const std::string& line, std::size_t at, Sample& sample) {
        do {
            std::string name, value;
            for (++at; at < line.size() && isNameChar(line[at]); ++at) name += line[at];
            if (line.substr(at, 2) != "=\"") return line.size();
            for (at += 2; at < line.size() && line[at] != '"'; ++at) {
                if (line[at] != '\\') {
                    value += line[at];
                    continue;
                }
                if (++at == line.size()) return line.size();
                if (line[at] != 'n' && line[at] != '\\' && line[at] != '"') return line.size();
                value += line[at] == 'n' ? '\n' : line[at];
            }
            if (at == line.size() || !sample.labels.emplace(name, value).second) return line.size();
            ++at;
        } while (at < line.size() && line[at] == ',');
        return at < line.size() && line[at] == '}' ? at + 1 : line.size();
    }

    std::string m_family;
    std::set<std::pair<std::string, std::map<std::string, std::string>>> m_seen;
};

Scrape scrapeOf(const Snapshot& snapshot, const Tenants::Counters& counters = {}) {
    std::string text = RequestMetrics().text(snapshot);
    printTenantMetrics(text, counters, snapshot);
    return Scrape(text);
}

TenantLoad load(std::string name) {
    TenantLoad load;
    load.name = std::move(name);
    return load;
}

const std::vector<std::string> kHostile = {"\"} 1\nespalier:num_requests_running 999",
                                           "back\\slash",
                                           "back\\",
                                           "\\n",
                                           "line\nbreak",
                                           "quote\"",
                                           "{tenant=\"x\"}",
                                           "a,b=\"c\"",
                                           "# HELP espalier:x y",
                                           " ",
                                           "",
                                           "Grüße \xf0\x9f\x8c\xb1",
                                           "\r\t"};

}  // namespace

class TestMetrics : public QObject {
    Q_OBJECT
private slots:
    void anEmptyEngine_hasEveryFamilyAndNoTenant() {
        const Scrape scrape = scrapeOf({});
        QVERIFY2(scrape.problem.empty(), scrape.problem.c_str());
        const std::map<std::string, std::string> expected = {
            {"espalier:tenant_requests_total", "counter"},
            {"espalier:tenant_refused_total", "counter"},
            {"espalier:tenant_prompt_tokens_total", "counter"},
            {"espalier:tenant_cached_tokens_total", "counter"},
            {"espalier:tenant_generation_tokens_total", "counter"},
            {"espalier:tenant_requests_running", "gauge"},
            {"espalier:tenant_requests_waiting", "gauge"},
            {"espalier:tenant_kv_pages", "gauge"},
            {"espalier:tenant_recent_time_to_first_token_seconds", "gauge"},
            {"espalier:tenant_recent_time_per_output_token_seconds", "gauge"},
            {"espalier:tenant_adapter_tier", "gauge"},
            {"espalier:model_requests", "gauge"},
            {"espalier:adapter_pages", "gauge"},
            {"espalier:time_to_first_token_seconds", "histogram"}};
        for (const auto& [name, type] : expected) {
            QVERIFY2(scrape.types.contains(name), name.c_str());
            QCOMPARE(scrape.types.at(name), type);
        }
        for (const auto& [name, type] : scrape.types) {
            QVERIFY2(name.starts_with("espalier:"), name.c_str());
            QVERIFY2(type != "counter" || name.ends_with("_total"), name.c_str());
        }
        QCOMPARE(scrape.number("espalier:tenant_requests_total", {{"tenant", "(others)"}}), std::string("0"));
        QCOMPARE(scrape.seriesOf("espalier:tenant_recent_time_to_first_token_seconds"), std::size_t{0});
    }
    void theReader_seesWhatIsWrong() {
        const std::string head = "# HELP a b\n# TYPE a gauge\n";
        QVERIFY(Scrape(head + "a{b=\"c\"} 1\n").problem.empty());
        for (const std::string& wrong :
             {head + "a 1", head + "b 1\n", head + "a x\n", head + "a{b=\"c} 1\n", head + "a{b=\"\\x\"} 1\n",
              head + "a 1\na 2\n", head + head, std::string("a 1\n"), head + "a{b=\"c\"d\"} 1\n"})
            QVERIFY2(!Scrape(wrong).problem.empty(), wrong.c_str());
    }
    void latenciesOfATenant_areSecondsByQuantile() {
        Snapshot snapshot;
        snapshot.tenants = {load("ada"), load("bo")};
        snapshot.tenants[0].ttftMs = {.p50 = 12.5, .p95 = 250, .p99 = 900, .samples = 7};
        snapshot.tenants[0].tpotMs = {.p50 = 4, .p95 = 8, .p99 = 9, .samples = 70};
        const Scrape scrape = scrapeOf(snapshot);
        QVERIFY2(scrape.problem.empty(), scrape.problem.c_str());
        const auto of = [&](const char* what, const char* tenant, const char* quantile) {
            return scrape.number("espalier:tenant_recent_" + std::string(what) + "_seconds",
                                 {{"tenant", tenant}, {"quantile", quantile}});
        };
        QCOMPARE(of("time_to_first_token", "ada", "0.5"), std::string("0.0125"));
        QCOMPARE(of("time_to_first_token", "ada", "0.95"), std::string("0.25"));
        QCOMPARE(of("time_per_output_token", "ada", "0.5"), std::string("0.004"));
        QCOMPARE(of("time_per_output_token", "ada", "0.95"), std::string("0.008"));
        QCOMPARE(scrape.seriesOf("espalier:tenant_recent_time_to_first_token_seconds"), std::size_t{2});  // bo: none
        QCOMPARE(scrape.seriesOf("espalier:tenant_recent_time_per_output_token_seconds"), std::size_t{2});
    }
    void theTierOfATenantsAdapter_isOneOfThree() {
        Snapshot snapshot;
        snapshot.tenants = {load("ada"), load("bo"), load("cy"), load("di")};
        const AdapterTier tiers[] = {AdapterTier::Pool, AdapterTier::Host, AdapterTier::Disk};
        for (std::size_t i = 0; i < 3; ++i) {
            snapshot.tenants[i].adapter = kHostile[i];  // whose name is no label
            snapshot.tenants[i].adapterTier = tiers[i];
        }
        const Scrape scrape = scrapeOf(snapshot);
        QVERIFY2(scrape.problem.empty(), scrape.problem.c_str());
        const char* names[] = {"ada", "bo", "cy"};
        for (std::size_t who = 0; who < 3; ++who)
            for (std::size_t tier = 0; tier < 3; ++tier)
                QCOMPARE(scrape.number("espalier:tenant_adapter_tier",
                                       {{"tenant", names[who]}, {"tier", std::string(adapterTierName(tiers[tier]))}}),
                         std::string(who == tier ? "1" : "0"));
        QCOMPARE(scrape.seriesOf("espalier:tenant_adapter_tier"), std::size_t{9});  // di named none
    }
    void namesStayInTheirQuotes() {
        Snapshot snapshot;
        Tenants::Counters counters;
        for (const std::string& name : kHostile) {
            TenantLoad& row = snapshot.tenants.emplace_back(load(name));
            row.adapter = name;
            row.ttftMs = row.tpotMs = {.p50 = 1, .p95 = 2, .p99 = 3, .samples = 1};
            counters.named.push_back({name, {.requests = 5}});
            LoadedModel& model = snapshot.models.emplace_back();
            model.name = name;
            model.running = 3;
        }
        const Scrape scrape = scrapeOf(snapshot, counters);
        QVERIFY2(scrape.problem.empty(), scrape.problem.c_str());
        for (const std::string& name : kHostile) {
            QCOMPARE(scrape.number("espalier:tenant_requests_total", {{"tenant", name}}), std::string("5"));
            QCOMPARE(scrape.number("espalier:tenant_requests_running", {{"tenant", name}}), std::string("0"));
            QCOMPARE(scrape.number("espalier:tenant_recent_time_to_first_token_seconds",
                                   {{"tenant", name}, {"quantile", "0.95"}}),
                     std::string("0.002"));
            QCOMPARE(scrape.number("espalier:tenant_adapter_tier", {{"tenant", name}, {"tier", "disk"}}),
                     std::string(name.empty() ? "" : "1"));  // its adapter's name is empty, too: it named none
            QCOMPARE(scrape.number("espalier:model_requests", {{"model_name", name}, {"state", "running"}}),
                     std::string("3"));
        }
        QCOMPARE(scrape.number("espalier:num_requests_running"), std::string("0"));
    }
    // They ask once each, then some of them again and again: the number of series stays, no counter goes down, nothing
    // that was counted is lost.
    void tenThousandTenants_areTwentySeriesAndOneForTheOthers() {
        constexpr int kMany = 10'000;
        ManualClock clock;
        const auto tenants = std::move(Tenants::open(nullptr, clock,
                                                     {.changed = [](const TenantChanged&) {},
                                                      .audit = [](const std::string&) {},
                                                      .cancel = [](RequestId) {}}))
                                 .value();
        const auto name = [](int i) { return "tenant-" + std::to_string(i); };
        std::map<std::string, double> last;
        int calls = 0;
        const auto scrape = [&](const Snapshot& snapshot) {
            const Scrape now = scrapeOf(snapshot, tenants->counters());
            QVERIFY2(now.problem.empty(), now.problem.c_str());
            QVERIFY2(now.samples.size() < 600, std::to_string(now.samples.size()).c_str());
            QCOMPARE(now.seriesOf("espalier:tenant_requests_total"), kNamedTenants + 1);
            double sum = 0;
            for (const Sample& sample : now.samples) {
                if (sample.name != "espalier:tenant_requests_total") continue;
                double& before = last[sample.labels.at("tenant")];
                const double value = std::stod(sample.number);
                QVERIFY2(value >= before, sample.labels.at("tenant").c_str());
                before = value;
            }
            for (const auto& [tenant, value] : last) sum += value;  // those that have no series now keep theirs
            QCOMPARE(static_cast<int>(sum), calls);
        };
        for (int i = 0; i < kMany; ++i) {
            QVERIFY(tenants->create(name(i), {}));
            const std::string who = name(i);
            QVERIFY(tenants->admit({.tenant = who, .model = "m", .promptTokens = 1}));
            ++calls;
            if (i % 2500 == 100) scrape({});
        }
        for (int round = 0; round < 4; ++round) {
            for (int i = 0; i < 400; ++i) {
                const std::string who = name((round * 37 + i * i) % 60);
                QVERIFY(tenants->admit({.tenant = who, .model = "m", .promptTokens = 1}));
                ++calls;
            }
            scrape({});
        }
        // As many rows as the loops could ever hand over, and what is left of them.
        Snapshot snapshot;
        for (int i = 0; i < kMany; ++i) {
            TenantLoad& row = snapshot.tenants.emplace_back(load(name(i)));
            row.running = 1 + i % 3;
            row.kvPages = 2;
            row.ttftMs = row.tpotMs = {.p50 = 1, .p95 = 2, .p99 = 3, .samples = 1};
            row.adapter = "a";
            snapshot.running += row.running;
        }
        scrape(snapshot);
        tenants->fill(snapshot.tenants, [](const AdapterSource&) { return AdapterLocation{}; });
        QCOMPARE(snapshot.tenants.size(), kMostTenantLoads);
        scrape(snapshot);
        const Scrape now = scrapeOf(snapshot, tenants->counters());
        QCOMPARE(now.seriesOf("espalier:tenant_requests_running"), kNamedTenants + 1);
        double running = 0;
        for (const Sample& sample : now.samples)
            if (sample.name == "espalier:tenant_requests_running") running += std::stod(sample.number);
        QCOMPARE(static_cast<std::int32_t>(running), snapshot.running);  // nobody is left out of the sum
    }
    void numbers_areWholeWhereTheyAre() {
        QCOMPARE(metricNumber(0), std::string("0"));
        QCOMPARE(metricNumber(12345678901234), std::string("12345678901234"));
        QCOMPARE(metricNumber(-3), std::string("-3"));
        QCOMPARE(metricNumber(0.1), std::string("0.1"));
        QCOMPARE(metricNumber(1e300), std::string("1e+300"));
        QCOMPARE(metricNumber(1.0 / 3.0), std::string("0.3333333333"));
    }
};
ESPALIER_TEST(tst_metrics, TestMetrics)
#include "tst_metrics.moc"

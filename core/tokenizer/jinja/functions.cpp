// SPDX-License-Identifier: GPL-3.0-or-later
// Functions that every template sees.
#include <array>
#include <ctime>

#include "core/tokenizer/jinja/builtins.h"
#include "core/tokenizer/utf8.h"

namespace espalier::jinja {
namespace {

constexpr std::size_t kMaxSentence = 4096;  // of raise_exception

using Call = Result<Value> (*)(Runtime&, const Arguments&);

Result<Value> range(Runtime& runtime, const Arguments& arguments) {
    std::array<std::int64_t, 3> bounds{0, 0, 1};
    const std::size_t count = arguments.positional.size();
    if (count < 1 || count > 3 || !arguments.named.empty())
        return fail(ErrorCode::InvalidArgument, "range takes one to three integers");
    for (std::size_t i = 0; i < count; ++i) {
        if (!arguments.positional[i].isInteger())
            return wrongType("an argument of range", "an integer", arguments.positional[i]);
        bounds[count == 1 ? 1 : i] = arguments.positional[i].integer();
    }
    const auto [start, stop, step] = bounds;
    if (step == 0) return fail(ErrorCode::InvalidArgument, "the step of range must not be zero");
    std::vector<Value> items;
    for (std::int64_t at = start; step > 0 ? at < stop : at > stop;) {
        if (items.size() >= static_cast<std::size_t>(kMaxRange))
            return fail(ErrorCode::TooLarge, "a range of more than " + std::to_string(kMaxRange) + " numbers");
        items.emplace_back(at);
        if (__builtin_add_overflow(at, step, &at)) break;
    }
    TRY(runtime.payForItems(items.size()));  // a few megabytes at most until here
    return runtime.list(std::move(items));
}

// dict(a=1), dict(other, a=1), dict([["a", 1]])
Result<DictValue> madeDict(Runtime& runtime, const Arguments& arguments) {
    if (arguments.positional.size() > 1) return fail(ErrorCode::InvalidArgument, "dict takes one value");
    DictValue dict;
    if (!arguments.positional.empty()) {
        const Value& source = arguments.positional.front();
        if (source.dict()) {
            TRY(runtime.spend(source.dict()->entries().size() * kStepsPerEntry));
            dict = *source.dict();
        } else {
            TRY_ASSIGN(const List pairs, listOf(runtime, source));
            TRY(runtime.spend(pairs->items.size() * kStepsPerEntry));
            for (const Value& pair : pairs->items) {
                if (!pair.list() || pair.list()->items.size() != 2 || !pair.list()->items[0].text())
                    return wrongType("an item of dict", "a pair of a string and a value", pair);
                dict.set(*pair.list()->items[0].get<Text>(), pair.list()->items[1]);
            }
        }
    }
    for (const auto& [name, value] : arguments.named) dict.set(*makeText(name).get<Text>(), value);
    TRY(runtime.spend(dict.entries().size()));
    return dict;
}

Result<Value> dict(Runtime& runtime, const Arguments& arguments) {
    TRY_ASSIGN(DictValue made, madeDict(runtime, arguments));
    return makeDict(std::move(made));
}

Result<Value> makeNamespace(Runtime& runtime, const Arguments& arguments) {
    TRY_ASSIGN(DictValue made, madeDict(runtime, arguments));
    if (made.holdsReference())
        return fail(ErrorCode::Unsupported, "a namespace that holds functions or namespaces is not supported");
    return Value(NamespacePtr(std::make_shared<Namespace>(Namespace{std::move(made)})));
}

Result<Value> raiseException(Runtime&, const Arguments& arguments) {
    const Value* message = arguments.find(0, "message");
    std::string sentence = message ? str(*message).text : "the template refused the messages";
    if (sentence.size() > kMaxSentence) {
        sentence.resize(kMaxSentence);
        sentence.resize(completeUtf8(sentence));
    }
    return fail(ErrorCode::InvalidArgument, std::move(sentence), "chat template");
}

void appendPadded(std::string& out, int number, int width, char fill = '0') {
    const std::string digits = std::to_string(number);
    out.append(static_cast<std::size_t>(std::max(0, width - static_cast<int>(digits.size()))), fill);
    out += digits;
}

// strftime in the C locale, whatever the program's is. False for a letter it does not know.
bool appendTime(std::string& out, char letter, bool padded, const std::tm& t) {
    static constexpr std::array<std::string_view, 7> kDays{"Sunday",   "Monday", "Tuesday", "Wednesday",
                                                           "Thursday", "Friday", "Saturday"};
    static constexpr std::array<std::string_view, 12> kMonths{"January",   "February", "March",    "April",
                                                              "May",       "June",     "July",     "August",
                                                              "September", "October",  "November", "December"};
    const int width = padded ? 2 : 1;
    const int hour12 = t.tm_hour % 12 == 0 ? 12 : t.tm_hour % 12;
    switch (letter) {
        case 'Y':
            appendPadded(out, t.tm_year + 1900, 4);
            return true;
        case 'y':
            appendPadded(out, t.tm_year % 100, 2);
            return true;
        case 'm':
            appendPadded(out, t.tm_mon + 1, width);
            return true;
        case 'd':
            appendPadded(out, t.tm_mday, width);
            return true;
        case 'e':
            appendPadded(out, t.tm_mday, 2, ' ');
            return true;
        case 'H':
            appendPadded(out, t.tm_hour, width);
            return true;
        case 'I':
            appendPadded(out, hour12, width);
            return true;
        case 'M':
            appendPadded(out, t.tm_min, width);
            return true;
        case 'S':
            appendPadded(out, t.tm_sec, width);
            return true;
        case 'j':
            appendPadded(out, t.tm_yday + 1, padded ? 3 : 1);
            return true;
        case 'p':
            out += t.tm_hour < 12 ? "AM" : "PM";
            return true;
        case 'A':
            out += kDays[static_cast<std::size_t>(t.tm_wday)];
            return true;
        case 'a':
            out += kDays[static_cast<std::size_t>(t.tm_wday)].substr(0, 3);
            return true;
        case 'B':
            out += kMonths[static_cast<std::size_t>(t.tm_mon)];
            return true;
        case 'b':
            out += kMonths[static_cast<std::size_t>(t.tm_mon)].substr(0, 3);
            return true;
        case 'Z':
            out += "UTC";
            return true;
        case 'z':
            out += "+0000";
            return true;
        case '%':
            out += '%';
            return true;
        case 'F':
            return appendTime(out, 'Y', true, t) && (out += '-', appendTime(out, 'm', true, t)) &&
                   (out += '-', appendTime(out, 'd', true, t));
        case 'T':
            return appendTime(out, 'H', true, t) && (out += ':', appendTime(out, 'M', true, t)) &&
                   (out += ':', appendTime(out, 'S', true, t));
        default:
            return false;
    }
}

Result<Value> strftimeNow(Runtime& runtime, const Arguments& arguments) {
    const Value* format = arguments.find(0, "format");
    if (!format || !format->text()) return fail(ErrorCode::InvalidArgument, "strftime_now needs a format");
    const std::time_t seconds = static_cast<std::time_t>(*runtime.unixSeconds());
    std::tm time{};
    if (!gmtime_r(&seconds, &time)) return fail(ErrorCode::InvalidArgument, "a time beyond the calendar");
    const std::string_view pattern = format->text()->text;
    std::string out;
    for (std::size_t i = 0; i < pattern.size(); ++i) {
        if (pattern[i] != '%' || i + 1 == pattern.size()) {
            out += pattern[i];
            continue;
        }
        const bool padded = pattern[i + 1] != '-' || i + 2 == pattern.size();
        i += padded ? 1 : 2;
        if (!appendTime(out, pattern[i], padded, time))
            return fail(ErrorCode::Unsupported,
                        std::string("the time format \"%") + pattern[i] + "\" is not supported");
    }
    return runtime.text(out);
}

struct FunctionRow {
    std::string_view name;
    Call call;
};
constexpr FunctionRow kFunctions[] = {
    {"range", range},
    {"dict", dict},
    {"namespace", makeNamespace},
    {"raise_exception", raiseException},
    {"strftime_now", strftimeNow},
};

}  // namespace

Value globalFunction(Runtime& runtime, std::string_view name) {
    for (const FunctionRow& row : kFunctions) {
        if (row.name != name || (row.call == strftimeNow && !runtime.unixSeconds())) continue;
        return Value(FunctionPtr(std::make_shared<Function>(Function{std::string(name), row.call})));
    }
    return Value(Undefined{std::string(name)});
}

}  // namespace espalier::jinja

// SPDX-License-Identifier: GPL-3.0-or-later
// Records as JSON and back, for every type that has a visitFields (record_fields.h).
#pragma once

#include <limits>
#include <map>
#include <optional>
#include <string>
#include <type_traits>
#include <vector>

#include "core/api/protocol.h"

namespace espalier {

struct FieldWriter;
struct FieldReader;
template <class T>
concept HasFields = requires(T& record, FieldWriter& writer) {
    visitFields(record, writer);
};

// An object of the members; records inside are objects, too.
struct FieldWriter {
    Json object = Json::object();

    template <class T>
    void operator()(const char* key, const T& value) {
        object[key] = encode(value);
    }
    // A JSON text inside the engine is a JSON value outside.
    void parsed(const char* key, const std::string& text) {
        auto value = parseJson(text, key);
        object[key] = value ? std::move(*value) : Json();
    }
    template <class T>
    static Json encode(const T& value) {
        return value;
    }
    static Json encode(ErrorCode code) { return codeName(code); }
    static Json encode(JobState state) { return jobStateName(state); }
    static Json encode(ServeState state) { return serveStateName(state); }
    static Json encode(AdapterTier tier) { return adapterTierName(tier); }
    static Json encode(MoveCause cause) { return moveCauseName(cause); }
    static Json encode(const ArchSpec& spec) { return toJson(spec); }
    template <class T>
    static Json encode(const std::optional<T>& value) {
        return value ? encode(*value) : Json();
    }
    template <HasFields T>
    static Json encode(const T& record);
    template <HasFields T>
    static Json encode(const std::vector<T>& records) {
        Json array = Json::array();
        for (const T& record : records) array.push_back(encode(record));
        return array;
    }
};

template <HasFields T>
Json FieldWriter::encode(const T& record) {
    FieldWriter writer;
    visitFields(record, writer);
    return std::move(writer.object);
}

// Fills members from an object. Absent and null keep the member's default; a wrong type is the error.
struct FieldReader {
    const Json& object;
    std::string where;
    std::optional<Error> error;

    template <class T>
    void operator()(const char* key, T& member) {
        if (error) return;
        const auto found = object.find(key);
        if (found == object.end() || found->is_null()) return;
        const std::string expected = decode(*found, member);
        if (!expected.empty())
            error = fail(ErrorCode::CorruptFile, where + ": \"" + key + "\" must be " + expected, where);
    }

    void parsed(const char* key, std::string& member) {
        const auto found = object.find(key);
        if (found != object.end() && !found->is_null()) member = dumpJson(*found);
    }

    // What was expected when the value does not fit; empty when it does.
    std::string decode(const Json& value, std::string& member) {
        if (!value.is_string()) return "a string";
        member = value.get_ref<const std::string&>();
        return {};
    }
    std::string decode(const Json& value, bool& member) {
        if (!value.is_boolean()) return "true or false";
        member = value.get<bool>();
        return {};
    }
    std::string decode(const Json& value, double& member) {
        if (!value.is_number()) return "a number";
        member = value.get<double>();
        return {};
    }
    template <class T>
    requires std::is_same_v<T, std::int32_t> || std::is_same_v<T, std::int64_t> std::string decode(const Json& value,
                                                                                                   T& member) {
        if (!value.is_number_integer()) return "an integer";
        const bool huge = value.is_number_unsigned() &&
                          value.get<std::uint64_t>() > static_cast<std::uint64_t>(std::numeric_limits<T>::max());
        const auto number = value.get<std::int64_t>();
        if (huge || number < std::numeric_limits<T>::min() || number > std::numeric_limits<T>::max())
            return "an integer in range";
        member = static_cast<T>(number);
        return {};
    }
    std::string decode(const Json& value, ErrorCode& member) {
        const auto code = value.is_string() ? codeFromName(value.get_ref<const std::string&>()) : std::nullopt;
        member = code.value_or(ErrorCode::Internal);  // a newer daemon may know more codes
        return value.is_string() ? "" : "a string";
    }
    std::string decode(const Json& value, JobState& member) {
        return decodeName(value, member, jobStateName, JobState::Cancelled);
    }
    std::string decode(const Json& value, ServeState& member) {
        return decodeName(value, member, serveStateName, ServeState::Draining);
    }
    std::string decode(const Json& value, AdapterTier& member) {
        return decodeName(value, member, adapterTierName, AdapterTier::Pool);
    }
    std::string decode(const Json& value, MoveCause& member) {
        return decodeName(value, member, moveCauseName, MoveCause::Unload);
    }
    template <class Enum>
    std::string decodeName(const Json& value, Enum& member, std::string_view (*name)(Enum), Enum last) {
        std::string names;
        for (int i = 0; i <= static_cast<int>(last); ++i) {
            const auto candidate = static_cast<Enum>(i);
            if (value.is_string() && value.get_ref<const std::string&>() == name(candidate)) {
                member = candidate;
                return {};
            }
            names += (i == 0 ? "" : ", ") + std::string(name(candidate));
        }
        return "one of " + names;
    }
    std::string decode(const Json& value, ArchSpec& member) {
        auto spec = archSpecFromJson(value, where);
        if (!spec) return "an architecture (" + spec.error().message + ")";
        member = std::move(*spec);
        return {};
    }
    std::string decode(const Json& value, std::map<std::string, double>& member) {
        if (!value.is_object()) return "an object of numbers";
        for (const auto& [name, number] : value.items())
            if (number.is_number()) member[name] = number.get<double>();
        return {};
    }
    template <class T>
    std::string decode(const Json& value, std::optional<T>& member) {
        return decode(value, member.emplace());
    }
    template <class T>
    std::string decode(const Json& value, std::vector<T>& member) {
        if (!value.is_array()) return "an array";
        for (const Json& item : value)
            if (auto expected = decode(item, member.emplace_back()); !expected.empty())
                return "an array of " + expected;
        return {};
    }
    template <class T>
    requires HasFields<T> std::string decode(const Json& value, T& member) {
        if (!value.is_object()) return "an object";
        FieldReader inner{value, where, std::nullopt};
        visitFields(member, inner);
        return inner.error ? "as expected (" + inner.error->message + ")" : "";
    }
};

// Errors: corrupt_file.
template <class T>
Result<T> readRecord(const Json& json, const char* where) {
    if (!json.is_object()) return fail(ErrorCode::CorruptFile, std::string(where) + " must be a JSON object", where);
    T record{};
    FieldReader reader{json, where, std::nullopt};
    visitFields(record, reader);
    if (reader.error) return std::move(*reader.error);
    return record;
}

// What must at least have `key`.
template <class T>
Result<T> readNamed(const Json& json, const char* where, const char* key) {
    if (!json.is_object() || !json.contains(key))
        return fail(ErrorCode::CorruptFile, std::string(where) + ": \"" + key + "\" is missing", where);
    return readRecord<T>(json, where);
}

}  // namespace espalier

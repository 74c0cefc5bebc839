// SPDX-License-Identifier: GPL-3.0-or-later
// Values as text: str(), repr() and json.dumps as Python writes them.
#include <unicode/uchar.h>

#include <algorithm>
#include <charconv>
#include <cmath>

#include "core/tokenizer/jinja/value.h"
#include "core/tokenizer/utf8.h"

namespace espalier::jinja {
namespace {

void appendHex(std::string& out, std::string_view prefix, std::uint32_t code, int digits) {
    out += prefix;
    for (int shift = 4 * (digits - 1); shift >= 0; shift -= 4) out += "0123456789abcdef"[(code >> shift) & 15];
}

// 'text' with the quotes and escapes that repr() chooses.
void appendQuoted(std::string& out, std::string_view text) {
    const bool single = text.find('\'') == std::string_view::npos || text.find('"') != std::string_view::npos;
    const char quote = single ? '\'' : '"';
    out += quote;
    for (std::size_t at = 0; at < text.size() && out.size() <= kMaxTextBytes;) {
        const Utf8Char c = decodeUtf8(text, at);
        const auto code = static_cast<std::uint32_t>(c.code);
        if (code == '\\' || code == static_cast<std::uint32_t>(quote)) {
            (out += '\\') += static_cast<char>(code);
        } else if (code == '\n') {
            out += "\\n";
        } else if (code == '\r') {
            out += "\\r";
        } else if (code == '\t') {
            out += "\\t";
        } else if (code == ' ' || (u_isprint(static_cast<UChar32>(code)) && !u_isspace(static_cast<UChar32>(code)))) {
            out += text.substr(at, c.bytes);
        } else if (code < 0x100) {
            appendHex(out, "\\x", code, 2);
        } else if (code < 0x10000) {
            appendHex(out, "\\u", code, 4);
        } else {
            appendHex(out, "\\U", code, 8);
        }
        at += c.bytes;
    }
    out += quote;
}

void appendRepr(std::string& out, const Value& value) {
    if (const MarkedText* text = value.text()) return appendQuoted(out, text->text);
    if (const ListValue* list = value.list()) {
        out += list->isTuple ? '(' : '[';
        for (std::size_t i = 0; i < list->items.size() && out.size() <= kMaxTextBytes; ++i) {
            if (i > 0) out += ", ";
            appendRepr(out, list->items[i]);
        }
        if (list->isTuple && list->items.size() == 1) out += ',';
        out += list->isTuple ? ')' : ']';
        return;
    }
    if (const DictValue* dict = value.dict()) {
        out += '{';
        for (std::size_t i = 0; i < dict->entries().size() && out.size() <= kMaxTextBytes; ++i) {
            if (i > 0) out += ", ";
            appendQuoted(out, dict->entries()[i].key->text);
            out += ": ";
            appendRepr(out, dict->entries()[i].value);
        }
        out += '}';
        return;
    }
    if (value.is<None>())
        out += "None";
    else if (const bool* truth = value.get<bool>())
        out += *truth ? "True" : "False";
    else if (value.is<std::int64_t>())
        out += std::to_string(value.integer());
    else if (value.is<double>())
        out += numberText(value.number());
    else if (value.is<Undefined>())
        out += "Undefined";
    else
        out += "<" + typeName(value) + ">";
}

class JsonWriter {
public:
    explicit JsonWriter(const JsonStyle& style) : m_style(style) {}

    Result<void> write(const Value& value) {
        if (const MarkedText* text = value.text()) {
            writeString(text->text);
        } else if (const ListValue* list = value.list()) {
            return writeItems('[', ']', list->items.size(), [&](std::size_t i) { return write(list->items[i]); });
        } else if (const DictValue* dict = value.dict()) {
            return writeDict(*dict);
        } else if (value.is<None>()) {
            m_out += "null";
        } else if (const bool* truth = value.get<bool>()) {
            m_out += *truth ? "true" : "false";
        } else if (value.is<std::int64_t>()) {
            m_out += std::to_string(value.integer());
        } else if (value.is<double>()) {
            const double number = value.number();
            m_out += std::isnan(number)   ? "NaN"
                     : std::isinf(number) ? (number > 0 ? "Infinity" : "-Infinity")
                                          : numberText(number);
        } else {
            return fail(ErrorCode::InvalidArgument,
                        "a value of type " + typeName(value) + " cannot be written as JSON");
        }
        return {};
    }
    std::string take() { return std::move(m_out); }

private:
    Result<void> writeDict(const DictValue& dict) {
        std::vector<const DictValue::Entry*> entries;
        for (const auto& entry : dict.entries()) entries.push_back(&entry);
        if (m_style.sortKeys)
            std::sort(entries.begin(), entries.end(), [](auto* a, auto* b) { return a->key->text < b->key->text; });
        return writeItems('{', '}', entries.size(), [&](std::size_t i) {
            writeString(entries[i]->key->text);
            m_out += m_style.keySeparator;
            return write(entries[i]->value);
        });
    }

    template <class WriteItem>
    Result<void> writeItems(char open, char close, std::size_t count, WriteItem&& writeItem) {
        m_out += open;
        ++m_level;
        for (std::size_t i = 0; i < count; ++i) {
            if (i > 0) m_out += m_style.itemSeparator;
            newLine();
            TRY(writeItem(i));
            if (m_out.size() > kMaxTextBytes)
                return fail(ErrorCode::TooLarge, "a text of more than " + std::to_string(kMaxTextBytes) + " bytes");
        }
        --m_level;
        if (count > 0) newLine();
        m_out += close;
        return {};
    }

    void newLine() {
        if (m_style.indent < 0) return;
        m_out += '\n';
        m_out.append(static_cast<std::size_t>(m_style.indent) * static_cast<std::size_t>(m_level), ' ');
    }

    void writeString(std::string_view text) {
        m_out += '"';
        for (std::size_t at = 0; at < text.size() && m_out.size() <= kMaxTextBytes;) {
            const Utf8Char c = decodeUtf8(text, at);
            writeCharacter(static_cast<std::uint32_t>(c.code), text.substr(at, c.bytes));
            at += c.bytes;
        }
        m_out += '"';
    }

    void writeCharacter(std::uint32_t code, std::string_view bytes) {
        switch (code) {
            case '"':
                m_out += "\\\"";
                return;
            case '\\':
                m_out += "\\\\";
                return;
            case '\n':
                m_out += "\\n";
                return;
            case '\r':
                m_out += "\\r";
                return;
            case '\t':
                m_out += "\\t";
                return;
            case '\f':
                m_out += "\\f";
                return;
            case '\b':
                m_out += "\\b";
                return;
            default:
                break;
        }
        if (code < 0x20 || (m_style.asciiOnly && code >= 0x7F && code < 0x10000)) {
            appendHex(m_out, "\\u", code, 4);
        } else if (m_style.asciiOnly && code >= 0x10000) {
            appendHex(m_out, "\\u", 0xD800 + ((code - 0x10000) >> 10), 4);
            appendHex(m_out, "\\u", 0xDC00 + ((code - 0x10000) & 0x3FF), 4);
        } else {
            m_out += bytes;
        }
    }

    const JsonStyle& m_style;
    std::string m_out;
    int m_level = 0;
};

}  // namespace

std::string numberText(double number) {
    if (std::isnan(number)) return "nan";
    if (std::isinf(number)) return number > 0 ? "inf" : "-inf";
    char buffer[64];
    const double size = std::fabs(number);
    const bool scientific = size != 0 && (size < 1e-4 || size >= 1e16);
    const auto end = std::to_chars(buffer, buffer + sizeof buffer, number,
                                   scientific ? std::chars_format::scientific : std::chars_format::fixed);
    std::string text(buffer, end.ptr);
    if (!scientific && text.find('.') == std::string::npos) text += ".0";
    return text;
}

MarkedText str(const Value& value) {
    if (const MarkedText* text = value.text()) return *text;
    MarkedText out;
    if (!value.is<Undefined>()) out.append(repr(value), holdsVerbatim(value));
    return out;
}

std::string repr(const Value& value) {
    std::string out;
    appendRepr(out, value);
    return out;
}

bool holdsVerbatim(const Value& value) {
    if (const MarkedText* text = value.text()) return !text->verbatim.empty();
    if (const ListValue* list = value.list()) return std::any_of(list->items.begin(), list->items.end(), holdsVerbatim);
    if (const DictValue* dict = value.dict())
        return std::any_of(dict->entries().begin(), dict->entries().end(), [](const DictValue::Entry& entry) {
            return !entry.key->verbatim.empty() || holdsVerbatim(entry.value);
        });
    return false;
}

Result<std::string> toJson(const Value& value, const JsonStyle& style) {
    JsonWriter writer(style);
    TRY(writer.write(value));
    return writer.take();
}

}  // namespace espalier::jinja

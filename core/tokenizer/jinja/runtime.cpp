// SPDX-License-Identifier: GPL-3.0-or-later
#include "core/tokenizer/jinja/runtime.h"

#include <algorithm>
#include <cmath>

#include "core/tokenizer/jinja/ast.h"
#include "core/tokenizer/jinja/builtins.h"
#include "core/tokenizer/utf8.h"

namespace espalier::jinja {
namespace {

Error wrongOperands(std::string_view op, const Value& left, const Value& right) {
    for (const Value* value : {&left, &right})
        if (value->is<Undefined>()) return isUndefined(*value);
    return fail(ErrorCode::InvalidArgument, "\"" + std::string(op) + "\" does not take values of type " +
                                                typeName(left) + " and " + typeName(right));
}

Result<Value> repeated(Runtime& runtime, const Value& value, std::int64_t times) {
    const std::size_t count = times > 0 ? static_cast<std::size_t>(times) : 0;
    if (const MarkedText* text = value.text()) {
        if (count > 0 && text->text.size() > kMaxTextBytes / count)
            return fail(ErrorCode::TooLarge, "a text of more than " + std::to_string(kMaxTextBytes) + " bytes");
        MarkedText out;
        for (std::size_t i = 0; i < count && !text->text.empty(); ++i) out.append(*text);
        return runtime.text(std::move(out));
    }
    const ListValue& list = *value.list();
    TRY(runtime.payForItems(std::min<std::size_t>(count, kMaxSteps) * list.items.size()));
    std::vector<Value> items;
    if (!list.items.empty()) items.reserve(count * list.items.size());
    for (std::size_t i = 0; i < count && !list.items.empty(); ++i)
        items.insert(items.end(), list.items.begin(), list.items.end());
    return runtime.list(std::move(items), list.isTuple);
}

Result<Value> integerResult(Operator op, std::int64_t a, std::int64_t b) {
    std::int64_t result = 0;
    bool overflow = false;
    switch (op) {
        case Operator::Add:
            overflow = __builtin_add_overflow(a, b, &result);
            break;
        case Operator::Subtract:
            overflow = __builtin_sub_overflow(a, b, &result);
            break;
        case Operator::Multiply:
            overflow = __builtin_mul_overflow(a, b, &result);
            break;
        case Operator::Power:
            if (b < 0) return Value(std::pow(static_cast<double>(a), static_cast<double>(b)));
            result = 1;
            for (std::int64_t i = 0; i < b && !overflow && result != 0 && !(a == 1); ++i) {
                if (a == -1 && i >= 2) {
                    result = b % 2 == 0 ? 1 : -1;
                    break;
                }
                overflow = __builtin_mul_overflow(result, a, &result);
            }
            break;
        default:  // floor division and modulo
            if (b == 0) return fail(ErrorCode::InvalidArgument, "division by zero");
            if (b == -1) {
                if (op == Operator::FloorDivide) overflow = __builtin_sub_overflow(std::int64_t{0}, a, &result);
                break;
            }
            result = op == Operator::FloorDivide ? a / b : a % b;
            if (a % b != 0 && (a < 0) != (b < 0)) result += op == Operator::FloorDivide ? -1 : b;
    }
    if (overflow) return fail(ErrorCode::TooLarge, "an integer beyond 64 bits");
    return Value(result);
}

Result<Value> numberResult(Operator op, double a, double b) {
    switch (op) {
        case Operator::Add:
            return Value(a + b);
        case Operator::Subtract:
            return Value(a - b);
        case Operator::Multiply:
            return Value(a * b);
        case Operator::Power:
            return Value(std::pow(a, b));
        default:
            break;
    }
    if (b == 0) return fail(ErrorCode::InvalidArgument, "division by zero");
    if (op == Operator::Divide) return Value(a / b);
    if (op == Operator::FloorDivide) return Value(std::floor(a / b));
    const double rest = std::fmod(a, b);
    return Value(rest != 0 && (rest < 0) != (b < 0) ? rest + b : rest);
}

std::string_view spelling(Operator op) {
    static constexpr std::string_view kNames[] = {
        "+", "-", "*", "/", "//", "%", "**", "==", "!=", "<", "<=", ">", ">=", "in", "not in"};
    return kNames[static_cast<int>(op)];
}

Result<bool> contains(Runtime& runtime, const Value& whole, const Value& part) {
    TRY(runtime.spend(whole.weight() / 16));
    if (const MarkedText* text = whole.text()) {
        if (!part.text()) return wrongType("the left side of \"in\"", "a string", part);
        return text->text.find(part.text()->text) != std::string::npos;
    }
    if (const DictValue* dict = whole.dict()) return part.text() && dict->find(part.text()->text);
    TRY_ASSIGN(const List list, listOf(runtime, whole));
    return std::ranges::any_of(list->items, [&](const Value& item) { return equal(item, part); });
}

// Python's clamping of a slice bound.
Result<std::int64_t> bound(const Value& value, std::int64_t length, std::int64_t step, bool isStart) {
    if (value.is<None>()) return step > 0 ? (isStart ? 0 : length) : (isStart ? length - 1 : -1);
    if (!value.isInteger()) return wrongType("a slice bound", "an integer", value);
    std::int64_t at = value.integer();
    if (at < 0) at += length;
    return step > 0 ? std::clamp<std::int64_t>(at, 0, length) : std::clamp<std::int64_t>(at, -1, length - 1);
}

// Where each character of a text begins, and where the last one ends.
class Characters {
public:
    explicit Characters(std::string_view text) {
        m_begins.reserve(countUtf8(text) + 1);
        for (std::size_t at = 0; at < text.size(); at += decodeUtf8(text, at).bytes)
            m_begins.push_back(static_cast<std::uint32_t>(at));
        m_begins.push_back(static_cast<std::uint32_t>(text.size()));
    }
    std::size_t size() const { return m_begins.size() - 1; }
    TextRange operator[](std::size_t i) const { return {m_begins[i], m_begins[i + 1]}; }

private:
    std::vector<std::uint32_t> m_begins;
};
static_assert(kMaxTextBytes < UINT32_MAX);

Value loopAttribute(const LoopState& loop, std::string_view name) {
    const auto count = static_cast<std::int64_t>(loop.items->items.size());
    const auto index = static_cast<std::int64_t>(loop.index);
    if (name == "index") return Value(index + 1);
    if (name == "index0") return Value(index);
    if (name == "revindex") return Value(count - index);
    if (name == "revindex0") return Value(count - index - 1);
    if (name == "first") return Value(index == 0);
    if (name == "last") return Value(index + 1 == count);
    if (name == "length") return Value(count);
    if (name == "depth") return Value(std::int64_t{loop.depth});
    if (name == "depth0") return Value(std::int64_t{loop.depth - 1});
    if (name == "previtem" && index > 0) return loop.items->items[loop.index - 1];
    if (name == "nextitem" && index + 1 < count) return loop.items->items[loop.index + 1];
    return Value(Undefined{"loop." + std::string(name)});
}

}  // namespace

Error isUndefined(const Value& value) {
    return fail(ErrorCode::InvalidArgument, "'" + value.get<Undefined>()->name + "' is undefined");
}

Error wrongType(std::string_view what, std::string_view expected, const Value& found) {
    if (found.is<Undefined>()) return isUndefined(found);
    return fail(ErrorCode::InvalidArgument,
                std::string(what) + " must be " + std::string(expected) + ", found a value of type " + typeName(found));
}

Result<void> Runtime::spend(std::size_t steps) {
    if (steps > static_cast<std::size_t>(m_steps))
        return fail(ErrorCode::TooLarge, "the template takes more than " + std::to_string(kMaxSteps) + " steps");
    m_steps -= static_cast<std::int64_t>(steps);
    return {};
}

Result<Value> Runtime::text(MarkedText text) {
    if (text.text.size() > kMaxTextBytes)
        return fail(ErrorCode::TooLarge, "a text of more than " + std::to_string(kMaxTextBytes) + " bytes");
    TRY(spend(text.text.size() / kBytesPerStep + text.verbatim.size() * kStepsPerItem + kStepsPerValue));
    return makeText(std::move(text));
}

Result<MarkedText> Runtime::str(const Value& value) {
    TRY(spend(value.weight() / 16));
    if (!value.text() && value.weight() > kMaxTextBytes)
        return fail(ErrorCode::TooLarge, "a text of more than " + std::to_string(kMaxTextBytes) + " bytes");
    return jinja::str(value);
}

Result<Value> Runtime::text(std::string_view text, bool isVerbatim) {
    MarkedText marked;
    marked.append(text, isVerbatim);
    return this->text(std::move(marked));
}

Result<Value> Runtime::list(std::vector<Value> items, bool isTuple) {
    TRY(spend(items.size() / 16 + kStepsPerValue));
    return makeList(std::move(items), isTuple);
}

Result<Value> binary(Runtime& runtime, Operator op, const Value& left, const Value& right) {
    if (op == Operator::Add && left.text() && right.text()) {
        MarkedText joined = *left.text();
        joined.append(*right.text());
        return runtime.text(std::move(joined));
    }
    if (op == Operator::Add && left.list() && right.list() && left.list()->isTuple == right.list()->isTuple) {
        TRY(runtime.payForItems(left.list()->items.size() + right.list()->items.size()));
        std::vector<Value> items;
        items.reserve(left.list()->items.size() + right.list()->items.size());
        items = left.list()->items;
        items.insert(items.end(), right.list()->items.begin(), right.list()->items.end());
        return runtime.list(std::move(items), left.list()->isTuple);
    }
    if (op == Operator::Multiply && (left.text() || left.list()) && right.isInteger())
        return repeated(runtime, left, right.integer());
    if (op == Operator::Multiply && left.isInteger() && (right.text() || right.list()))
        return repeated(runtime, right, left.integer());
    if (op == Operator::Modulo && left.text())
        return fail(ErrorCode::Unsupported, "text formatting with \"%\" is not supported");
    if (!left.isNumber() || !right.isNumber()) return wrongOperands(spelling(op), left, right);
    if (left.isInteger() && right.isInteger() && op != Operator::Divide)
        return integerResult(op, left.integer(), right.integer());
    return numberResult(op, left.number(), right.number());
}

Result<bool> compareWith(Runtime& runtime, Operator op, const Value& left, const Value& right) {
    TRY(runtime.spend(std::min(left.weight(), right.weight()) / 16));
    switch (op) {
        case Operator::Equal:
            return equal(left, right);
        case Operator::NotEqual:
            return !equal(left, right);
        case Operator::In:
            return contains(runtime, right, left);
        case Operator::NotIn: {
            TRY_ASSIGN(const bool found, contains(runtime, right, left));
            return !found;
        }
        default:
            break;
    }
    for (const Value* value : {&left, &right})
        if (value->is<Undefined>()) return isUndefined(*value);
    TRY_ASSIGN(const int order, compare(left, right));
    if (op == Operator::Less) return order < 0;
    if (op == Operator::LessEqual) return order <= 0;
    return op == Operator::Greater ? order > 0 : order >= 0;
}

Result<Value> negative(const Value& value, bool negate) {
    if (!value.isNumber()) return wrongType("the operand of a sign", "a number", value);
    if (!value.isInteger()) return Value(negate ? -value.number() : value.number());
    return integerResult(negate ? Operator::Subtract : Operator::Add, 0, value.integer());
}

Result<std::vector<Value>> itemsOf(Runtime& runtime, const Value& value) {
    std::vector<Value> items;
    if (const ListValue* list = value.list()) {
        TRY(runtime.payForItems(list->items.size()));
        return list->items;
    }
    if (const DictValue* dict = value.dict()) {
        TRY(runtime.payForItems(dict->entries().size()));
        for (const auto& entry : dict->entries()) items.push_back(Value(entry.key));
        return items;
    }
    if (const MarkedText* text = value.text()) {
        TRY(runtime.spend(kStepsPerPiece * countUtf8(text->text) + text->text.size() / 16));
        const Characters characters(text->text);
        items.reserve(characters.size());
        for (std::size_t i = 0; i < characters.size(); ++i) items.push_back(makeText(text->slice(characters[i])));
        return items;
    }
    if (value.is<Undefined>()) return items;
    return fail(ErrorCode::InvalidArgument, "a value of type " + typeName(value) + " cannot be iterated over");
}

Result<List> listOf(Runtime& runtime, const Value& value) {
    if (const List* list = value.get<List>()) return *list;
    TRY_ASSIGN(std::vector<Value> items, itemsOf(runtime, value));
    TRY_ASSIGN(const Value list, runtime.list(std::move(items)));
    return *list.get<List>();
}

Result<std::int64_t> lengthOf(Runtime& runtime, const Value& value) {
    if (const ListValue* list = value.list()) return static_cast<std::int64_t>(list->items.size());
    if (const DictValue* dict = value.dict()) return static_cast<std::int64_t>(dict->entries().size());
    if (const MarkedText* text = value.text()) {
        TRY(runtime.spend(text->text.size() / 16));
        return static_cast<std::int64_t>(countUtf8(text->text));
    }
    if (value.is<Undefined>()) return std::int64_t{0};
    return fail(ErrorCode::InvalidArgument, "a value of type " + typeName(value) + " has no length");
}

Result<Value> attribute(const Value& value, std::string_view name) {
    if (value.is<Undefined>()) return isUndefined(value);
    if (value.is<NamespacePtr>()) {
        const Value* found = (*value.get<NamespacePtr>())->attributes.find(name);
        return found ? *found : nothingCalled(name);
    }
    if (value.is<LoopPtr>()) return loopAttribute(**value.get<LoopPtr>(), name);
    if (Value found = method(value, name); !found.is<Undefined>()) return found;
    if (const DictValue* dict = value.dict())
        if (const Value* found = dict->find(name)) return *found;
    return nothingCalled(name);
}

Result<Value> item(Runtime& runtime, const Value& value, const Value& index) {
    if (value.is<Undefined>()) return isUndefined(value);
    TRY(runtime.spend(index.weight() / 16));  // what is not there is called by its name
    if (index.text()) {
        const std::string& name = index.text()->text;
        if (const DictValue* dict = value.dict())
            if (const Value* found = dict->find(name)) return *found;
        return attribute(value, name);
    }
    const Value nothing = nothingCalled(index.list() || index.dict() ? typeName(index) : jinja::str(index).text);
    if (!index.isInteger()) return nothing;
    std::int64_t at = index.integer();
    if (const ListValue* list = value.list()) {
        const auto length = static_cast<std::int64_t>(list->items.size());
        if (at < 0) at += length;
        return at >= 0 && at < length ? list->items[static_cast<std::size_t>(at)] : Value(nothing);
    }
    const MarkedText* text = value.text();
    if (!text) return Value(nothing);
    TRY(runtime.spend(text->text.size() / 16 + 1));
    const Characters characters(text->text);
    const auto length = static_cast<std::int64_t>(characters.size());
    if (at < 0) at += length;
    if (at < 0 || at >= length) return Value(nothing);
    return runtime.text(text->slice(characters[static_cast<std::size_t>(at)]));
}

Result<Value> slice(Runtime& runtime, const Value& value, const Value& start, const Value& stop, const Value& step) {
    const MarkedText* text = value.text();
    const ListValue* list = value.list();
    if (!text && !list) return wrongType("what is sliced", "a string or a list", value);
    if (!step.is<None>() && !step.isInteger()) return wrongType("a slice step", "an integer", step);
    const std::int64_t stride = step.is<None>() ? 1 : std::clamp<std::int64_t>(step.integer(), -kMaxSteps, kMaxSteps);
    if (stride == 0) return fail(ErrorCode::InvalidArgument, "a slice step must not be zero");
    TRY(runtime.spend(text ? text->text.size() / 4 : 1));
    const Characters characters(text ? std::string_view(text->text) : std::string_view());
    const auto length = static_cast<std::int64_t>(text ? characters.size() : list->items.size());
    TRY_ASSIGN(const std::int64_t first, bound(start, length, stride, true));
    TRY_ASSIGN(const std::int64_t last, bound(stop, length, stride, false));
    MarkedText cut;
    std::vector<Value> items;
    const std::int64_t count = stride > 0 ? (last - first + stride - 1) / stride : (last - first + stride + 1) / stride;
    if (list && count > 0) {
        TRY(runtime.payForItems(static_cast<std::size_t>(count)));
        items.reserve(static_cast<std::size_t>(count));
    }
    for (std::int64_t at = first; stride > 0 ? at < last : at > last; at += stride) {
        if (text)
            cut.append(*text, characters[static_cast<std::size_t>(at)]);
        else
            items.push_back(list->items[static_cast<std::size_t>(at)]);
    }
    if (text) return runtime.text(std::move(cut));
    return runtime.list(std::move(items), list->isTuple);
}

Result<Value> call(Runtime& runtime, const Value& function, const Arguments& arguments) {
    if (!function.is<FunctionPtr>()) return wrongType("what is called", "a function", function);
    TRY(runtime.spend(1));
    return (*function.get<FunctionPtr>())->call(runtime, arguments);
}

}  // namespace espalier::jinja

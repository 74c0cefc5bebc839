// SPDX-License-Identifier: GPL-3.0-or-later
#include "core/tokenizer/jinja/expression_parser.h"

#include <algorithm>
#include <array>
#include <charconv>
#include <optional>

#include "core/tokenizer/jinja/builtins.h"

namespace espalier::jinja {
namespace {

template <class... Parts>
std::vector<ExprPtr> partsOf(Parts... parts) {
    std::vector<ExprPtr> list;
    (list.push_back(std::move(parts)), ...);
    return list;
}

std::optional<Operator> comparisonOf(const Token& token) {
    static constexpr std::array<std::pair<std::string_view, Operator>, 6> kNames{{{"==", Operator::Equal},
                                                                                  {"!=", Operator::NotEqual},
                                                                                  {"<", Operator::Less},
                                                                                  {"<=", Operator::LessEqual},
                                                                                  {">", Operator::Greater},
                                                                                  {">=", Operator::GreaterEqual}}};
    if (token.kind != Token::Kind::Operator) return std::nullopt;
    for (const auto& [name, op] : kNames)
        if (token.text == name) return op;
    return std::nullopt;
}

}  // namespace

Result<ExprPtr> ExpressionParser::made(Expr::Kind kind, int line, std::vector<ExprPtr> parts, std::string name) {
    auto node = std::make_unique<Expr>();
    node->kind = kind;
    node->line = line;
    node->name = std::move(name);
    for (const ExprPtr& part : parts)
        if (part) node->height = std::max(node->height, part->height + 1);
    node->parts = std::move(parts);
    if (node->height > kMaxHeight) return templateError(ErrorCode::TooLarge, line, "an expression of too many steps");
    return node;
}

Result<ExprPtr> ExpressionParser::binary(Operator op, int line, ExprPtr left, ExprPtr right) {
    TRY_ASSIGN(ExprPtr node, made(Expr::Kind::Binary, line, partsOf(std::move(left), std::move(right))));
    node->operators = {op};
    return node;
}

Result<ExprPtr> ExpressionParser::constant(int line, Value value) {
    TRY_ASSIGN(ExprPtr node, made(Expr::Kind::Constant, line, {}));
    node->constant = std::move(value);
    return node;
}

Result<ExprPtr> ExpressionParser::expression() {
    if (m_nesting >= kMaxNesting)
        return templateError(ErrorCode::TooLarge, m_cursor.line(), "an expression nested too deeply");
    ++m_nesting;
    const int line = m_cursor.line();
    TRY_ASSIGN(ExprPtr value, unconditional());
    while (m_cursor.skipName("if")) {
        TRY_ASSIGN(ExprPtr condition, unconditional());
        ExprPtr otherwise;
        if (m_cursor.skipName("else")) {
            TRY_ASSIGN(otherwise, expression());
        }
        TRY_ASSIGN(value, made(Expr::Kind::Conditional, line,
                               partsOf(std::move(value), std::move(condition), std::move(otherwise))));
    }
    --m_nesting;
    return value;
}

Result<ExprPtr> ExpressionParser::unconditional() {
    const int line = m_cursor.line();
    TRY_ASSIGN(ExprPtr left, conjunction());
    while (m_cursor.skipName("or")) {
        TRY_ASSIGN(ExprPtr right, conjunction());
        TRY_ASSIGN(left, made(Expr::Kind::Or, line, partsOf(std::move(left), std::move(right))));
    }
    return left;
}

Result<ExprPtr> ExpressionParser::conjunction() {
    const int line = m_cursor.line();
    TRY_ASSIGN(ExprPtr left, negation());
    while (m_cursor.skipName("and")) {
        TRY_ASSIGN(ExprPtr right, negation());
        TRY_ASSIGN(left, made(Expr::Kind::And, line, partsOf(std::move(left), std::move(right))));
    }
    return left;
}

Result<ExprPtr> ExpressionParser::negation() {
    const int line = m_cursor.line();
    int count = 0;
    while (m_cursor.skipName("not")) ++count;
    TRY_ASSIGN(ExprPtr node, comparison());
    for (; count > 0; --count) {
        TRY_ASSIGN(node, made(Expr::Kind::Not, line, partsOf(std::move(node))));
    }
    return node;
}

Result<ExprPtr> ExpressionParser::comparison() {
    const int line = m_cursor.line();
    TRY_ASSIGN(ExprPtr first, sum());
    std::vector<ExprPtr> parts = partsOf(std::move(first));
    std::vector<Operator> operators;
    while (true) {
        if (const auto op = comparisonOf(m_cursor.peek())) {
            m_cursor.take();
            operators.push_back(*op);
        } else if (m_cursor.skipName("in")) {
            operators.push_back(Operator::In);
        } else if (m_cursor.peek().isName("not") && m_cursor.peek(1).isName("in")) {
            m_cursor.take();
            m_cursor.take();
            operators.push_back(Operator::NotIn);
        } else {
            break;
        }
        TRY_ASSIGN(ExprPtr right, sum());
        parts.push_back(std::move(right));
    }
    if (operators.empty()) return std::move(parts.front());
    TRY_ASSIGN(ExprPtr node, made(Expr::Kind::Compare, line, std::move(parts)));
    node->operators = std::move(operators);
    return node;
}

Result<ExprPtr> ExpressionParser::sum() {
    const int line = m_cursor.line();
    TRY_ASSIGN(ExprPtr left, concatenation());
    while (m_cursor.peek().isOperator("+") || m_cursor.peek().isOperator("-")) {
        const Operator op = m_cursor.take().text == "+" ? Operator::Add : Operator::Subtract;
        TRY_ASSIGN(ExprPtr right, concatenation());
        TRY_ASSIGN(left, binary(op, line, std::move(left), std::move(right)));
    }
    return left;
}

Result<ExprPtr> ExpressionParser::concatenation() {
    const int line = m_cursor.line();
    TRY_ASSIGN(ExprPtr first, product());
    if (!m_cursor.peek().isOperator("~")) return first;
    std::vector<ExprPtr> parts = partsOf(std::move(first));
    while (m_cursor.skipOperator("~")) {
        TRY_ASSIGN(ExprPtr next, product());
        parts.push_back(std::move(next));
    }
    return made(Expr::Kind::Concat, line, std::move(parts));
}

Result<ExprPtr> ExpressionParser::product() {
    static constexpr std::array<std::pair<std::string_view, Operator>, 4> kNames{
        {{"*", Operator::Multiply}, {"/", Operator::Divide}, {"//", Operator::FloorDivide}, {"%", Operator::Modulo}}};
    const int line = m_cursor.line();
    TRY_ASSIGN(ExprPtr left, power());
    while (true) {
        const auto found = std::find_if(kNames.begin(), kNames.end(),
                                        [&](const auto& entry) { return m_cursor.peek().isOperator(entry.first); });
        if (found == kNames.end()) return left;
        m_cursor.take();
        TRY_ASSIGN(ExprPtr right, power());
        TRY_ASSIGN(left, binary(found->second, line, std::move(left), std::move(right)));
    }
}

Result<ExprPtr> ExpressionParser::power() {
    const int line = m_cursor.line();
    TRY_ASSIGN(ExprPtr left, unary(true));
    while (m_cursor.skipOperator("**")) {
        TRY_ASSIGN(ExprPtr right, unary(true));
        TRY_ASSIGN(left, binary(Operator::Power, line, std::move(left), std::move(right)));
    }
    return left;
}

Result<ExprPtr> ExpressionParser::unary(bool withFilters) {
    const int line = m_cursor.line();
    ExprPtr node;
    if (m_cursor.peek().isOperator("-") || m_cursor.peek().isOperator("+")) {
        if (m_nesting >= kMaxNesting)
            return templateError(ErrorCode::TooLarge, line, "an expression nested too deeply");
        const auto kind = m_cursor.take().text == "-" ? Expr::Kind::Negative : Expr::Kind::Positive;
        ++m_nesting;
        TRY_ASSIGN(ExprPtr operand, unary(false));
        --m_nesting;
        TRY_ASSIGN(node, made(kind, line, partsOf(std::move(operand))));
    } else {
        TRY_ASSIGN(node, primary());
    }
    TRY_ASSIGN(node, postfix(std::move(node)));
    if (withFilters) {
        TRY_ASSIGN(node, filters(std::move(node)));
    }
    return node;
}

Result<ExprPtr> ExpressionParser::primary() {
    const Token& token = m_cursor.peek();
    if (token.kind == Token::Kind::Name) {
        const std::string name = m_cursor.take().text;
        if (name == "true" || name == "True") return constant(token.line, Value(true));
        if (name == "false" || name == "False") return constant(token.line, Value(false));
        if (name == "none" || name == "None") return constant(token.line, Value(None{}));
        return made(Expr::Kind::Name, token.line, {}, name);
    }
    if (token.isOperator("(")) return parenthesised();
    if (token.isOperator("[")) return listLiteral();
    if (token.isOperator("{")) return dictLiteral();
    return literal();
}

Result<ExprPtr> ExpressionParser::literal() {
    const Token& token = m_cursor.peek();
    if (token.kind == Token::Kind::String) {
        std::string text;
        while (m_cursor.peek().kind == Token::Kind::String) text += m_cursor.take().text;
        return constant(token.line, makeText(text));
    }
    if (token.kind == Token::Kind::Float) {
        double number = 0;
        std::from_chars(token.text.data(), token.text.data() + token.text.size(), number);
        m_cursor.take();
        return constant(token.line, Value(number));
    }
    if (token.kind != Token::Kind::Integer) return m_cursor.unexpected("an expression");
    std::int64_t number = 0;
    const auto read = std::from_chars(token.text.data(), token.text.data() + token.text.size(), number);
    if (read.ec != std::errc()) return m_cursor.wrong("an integer beyond 64 bits");
    m_cursor.take();
    return constant(token.line, Value(number));
}

bool ExpressionParser::endsTuple() const {
    const Token& token = m_cursor.peek();
    return token.kind == Token::Kind::BlockEnd || token.kind == Token::Kind::OutputEnd || token.isOperator(")");
}

Result<ExprPtr> ExpressionParser::tuple() {
    const int line = m_cursor.line();
    TRY_ASSIGN(ExprPtr first, expression());
    if (!m_cursor.peek().isOperator(",")) return first;
    std::vector<ExprPtr> parts = partsOf(std::move(first));
    while (m_cursor.skipOperator(",")) {
        if (endsTuple()) break;
        TRY_ASSIGN(ExprPtr next, expression());
        parts.push_back(std::move(next));
    }
    return made(Expr::Kind::Tuple, line, std::move(parts));
}

Result<ExprPtr> ExpressionParser::parenthesised() {
    const int line = m_cursor.take().line;
    if (m_cursor.skipOperator(")")) return made(Expr::Kind::Tuple, line, {});
    TRY_ASSIGN(ExprPtr node, tuple());
    TRY(m_cursor.expectOperator(")"));
    return node;
}

Result<ExprPtr> ExpressionParser::listLiteral() {
    const int line = m_cursor.take().line;
    std::vector<ExprPtr> parts;
    while (!m_cursor.peek().isOperator("]")) {
        if (!parts.empty()) TRY(m_cursor.expectOperator(","));
        if (m_cursor.peek().isOperator("]")) break;
        TRY_ASSIGN(ExprPtr item, expression());
        parts.push_back(std::move(item));
    }
    TRY(m_cursor.expectOperator("]"));
    return made(Expr::Kind::List, line, std::move(parts));
}

Result<ExprPtr> ExpressionParser::dictLiteral() {
    const int line = m_cursor.take().line;
    std::vector<ExprPtr> parts;
    while (!m_cursor.peek().isOperator("}")) {
        if (!parts.empty()) TRY(m_cursor.expectOperator(","));
        if (m_cursor.peek().isOperator("}")) break;
        TRY_ASSIGN(ExprPtr key, expression());
        TRY(m_cursor.expectOperator(":"));
        TRY_ASSIGN(ExprPtr value, expression());
        parts.push_back(std::move(key));
        parts.push_back(std::move(value));
    }
    TRY(m_cursor.expectOperator("}"));
    return made(Expr::Kind::Dict, line, std::move(parts));
}

Result<ExprPtr> ExpressionParser::postfix(ExprPtr node) {
    while (true) {
        const int line = m_cursor.line();
        if (m_cursor.skipOperator(".")) {
            if (m_cursor.peek().kind == Token::Kind::Integer) {
                TRY_ASSIGN(ExprPtr index, literal());
                TRY_ASSIGN(node, made(Expr::Kind::Item, line, partsOf(std::move(node), std::move(index))));
                continue;
            }
            TRY_ASSIGN(std::string name, m_cursor.name("a name after \".\""));
            TRY_ASSIGN(node, made(Expr::Kind::Attribute, line, partsOf(std::move(node)), std::move(name)));
        } else if (m_cursor.peek().isOperator("[")) {
            TRY_ASSIGN(node, subscript(std::move(node)));
        } else if (m_cursor.peek().isOperator("(")) {
            TRY_ASSIGN(node, made(Expr::Kind::Call, line, partsOf(std::move(node))));
            TRY(callArguments(*node));
        } else {
            return node;
        }
    }
}

Result<ExprPtr> ExpressionParser::subscript(ExprPtr node) {
    const int line = m_cursor.take().line;
    std::array<ExprPtr, 3> bounds;
    std::size_t at = 0;
    bool isSlice = false;
    while (!m_cursor.peek().isOperator("]")) {
        if (m_cursor.skipOperator(":")) {
            isSlice = true;
            if (++at >= bounds.size()) return m_cursor.unexpected("\"]\"");
            continue;
        }
        if (bounds[at]) return m_cursor.unexpected("\"]\"");
        TRY_ASSIGN(bounds[at], expression());
    }
    m_cursor.take();
    if (!isSlice && !bounds[0]) return m_cursor.unexpected("an index");
    if (!isSlice) return made(Expr::Kind::Item, line, partsOf(std::move(node), std::move(bounds[0])));
    return made(Expr::Kind::Slice, line,
                partsOf(std::move(node), std::move(bounds[0]), std::move(bounds[1]), std::move(bounds[2])));
}

Result<void> ExpressionParser::callArguments(Expr& call) {
    TRY(m_cursor.expectOperator("("));
    bool first = true;
    while (!m_cursor.peek().isOperator(")")) {
        if (!first) TRY(m_cursor.expectOperator(","));
        first = false;
        if (m_cursor.peek().isOperator(")")) break;
        if (m_cursor.peek().isOperator("*") || m_cursor.peek().isOperator("**"))
            return templateError(ErrorCode::Unsupported, m_cursor.line(), "unpacked arguments are not supported");
        ExprPtr value;
        if (m_cursor.peek().kind == Token::Kind::Name && m_cursor.peek(1).isOperator("=")) {
            std::string name = m_cursor.take().text;
            m_cursor.take();
            TRY_ASSIGN(value, expression());
            call.height = std::max(call.height, value->height + 1);
            call.keywords.emplace_back(std::move(name), std::move(value));
            continue;
        }
        if (!call.keywords.empty()) return m_cursor.wrong("an unnamed argument after a named one");
        TRY_ASSIGN(value, expression());
        call.height = std::max(call.height, value->height + 1);
        call.parts.push_back(std::move(value));
    }
    TRY(m_cursor.expectOperator(")"));
    if (call.height > kMaxHeight)
        return templateError(ErrorCode::TooLarge, call.line, "an expression of too many steps");
    return {};
}

Result<ExprPtr> ExpressionParser::filters(ExprPtr node) {
    while (true) {
        const int line = m_cursor.line();
        if (m_cursor.skipOperator("|")) {
            TRY_ASSIGN(node, filter(std::move(node)));
        } else if (m_cursor.skipName("is")) {
            TRY_ASSIGN(node, test(std::move(node)));
        } else if (m_cursor.peek().isOperator("(")) {
            TRY_ASSIGN(node, made(Expr::Kind::Call, line, partsOf(std::move(node))));
            TRY(callArguments(*node));
        } else {
            return node;
        }
    }
}

Result<ExprPtr> ExpressionParser::filter(ExprPtr node) {
    const int line = m_cursor.line();
    TRY_ASSIGN(std::string name, m_cursor.name("the name of a filter"));
    if (!isFilter(name))
        return templateError(ErrorCode::Unsupported, line, "the filter \"" + name + "\" is not supported");
    TRY_ASSIGN(ExprPtr applied, made(Expr::Kind::Filter, line, partsOf(std::move(node)), std::move(name)));
    if (m_cursor.peek().isOperator("(")) TRY(callArguments(*applied));
    return applied;
}

Result<ExprPtr> ExpressionParser::filterChain() {
    TRY_ASSIGN(ExprPtr node, filter(nullptr));
    while (m_cursor.skipOperator("|")) {
        TRY_ASSIGN(node, filter(std::move(node)));
    }
    return node;
}

Result<ExprPtr> ExpressionParser::test(ExprPtr node) {
    const int line = m_cursor.line();
    const bool negated = m_cursor.skipName("not");
    TRY_ASSIGN(std::string name, m_cursor.name("the name of a test"));
    if (!isTest(name)) return templateError(ErrorCode::Unsupported, line, "the test \"" + name + "\" is not supported");
    TRY_ASSIGN(ExprPtr result, made(Expr::Kind::Test, line, partsOf(std::move(node)), std::move(name)));
    const Token& next = m_cursor.peek();
    const bool isWord = next.kind == Token::Kind::Name && !next.isName("else") && !next.isName("or") &&
                        !next.isName("and") && !next.isName("if") && !next.isName("in") && !next.isName("not") &&
                        !next.isName("is");
    if (next.isOperator("(")) {
        TRY(callArguments(*result));
    } else if (isWord || next.kind == Token::Kind::String || next.kind == Token::Kind::Integer ||
               next.kind == Token::Kind::Float || next.isOperator("[") || next.isOperator("{")) {
        TRY_ASSIGN(ExprPtr argument, primary());
        TRY_ASSIGN(argument, postfix(std::move(argument)));
        result->height = std::max(result->height, argument->height + 1);
        result->parts.push_back(std::move(argument));
    }
    if (!negated) return result;
    return made(Expr::Kind::Not, line, partsOf(std::move(result)));
}

Result<std::vector<Parameter>> ExpressionParser::parameters() {
    std::vector<Parameter> list;
    TRY(m_cursor.expectOperator("("));
    while (!m_cursor.peek().isOperator(")")) {
        if (!list.empty()) TRY(m_cursor.expectOperator(","));
        if (m_cursor.peek().isOperator(")")) break;
        Parameter parameter;
        TRY_ASSIGN(parameter.name, m_cursor.name("the name of a parameter"));
        if (m_cursor.skipOperator("=")) {
            TRY_ASSIGN(parameter.fallback, expression());
        } else if (!list.empty() && list.back().fallback) {
            return m_cursor.wrong("a parameter without a default after one with it");
        }
        list.push_back(std::move(parameter));
    }
    TRY(m_cursor.expectOperator(")"));
    return list;
}

}  // namespace espalier::jinja

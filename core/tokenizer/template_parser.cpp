// SPDX-License-Identifier: GPL-3.0-or-later
#include <algorithm>
#include <array>
#include <charconv>

#include "core/tokenizer/template_lexer.h"
#include "core/tokenizer/template_syntax.h"

namespace espalier::templates {
namespace {

constexpr std::size_t kMaxSource = 1 << 20;
constexpr int kMaxDepth = 100;

class Parser {
public:
    Parser(std::vector<Token> tokens, std::string where) : m_tokens(std::move(tokens)), m_where(std::move(where)) {}

    Result<Block> run() {
        TRY_ASSIGN(Block block, blockUntil({}));
        return block;
    }

private:
    // One level deeper for as long as it lives.
    struct Level {
        explicit Level(int& depth) : depth(++depth) {}
        ~Level() { --depth; }
        int& depth;
    };

    const Token& peek(std::size_t ahead = 0) const { return m_tokens[std::min(m_at + ahead, m_tokens.size() - 1)]; }
    const Token& take() { return m_tokens[std::min(m_at++, m_tokens.size() - 1)]; }
    bool isSymbol(std::string_view text) const { return peek().kind == TokenKind::Symbol && peek().text == text; }
    bool isName(std::string_view text) const { return peek().kind == TokenKind::Name && peek().text == text; }
    bool accept(std::string_view symbol) {
        if (!isSymbol(symbol)) return false;
        ++m_at;
        return true;
    }
    bool acceptName(std::string_view name) {
        if (!isName(name)) return false;
        ++m_at;
        return true;
    }
    Error wrong(const std::string& what, ErrorCode code = ErrorCode::CorruptFile) const {
        return fail(code, m_where + ", line " + std::to_string(peek().line) + ": " + what, m_where);
    }
    Result<void> expect(std::string_view symbol) {
        if (accept(symbol)) return {};
        return wrong("expected \"" + std::string(symbol) + "\", found \"" + peek().text + "\"");
    }
    Result<std::string> name() {
        if (peek().kind != TokenKind::Name) return wrong("expected a name, found \"" + peek().text + "\"");
        return take().text;
    }
    Result<void> tagEnd() {
        if (peek().kind != TokenKind::TagEnd) return wrong("unexpected \"" + peek().text + "\" in a tag");
        ++m_at;
        return {};
    }
    std::unique_ptr<Expression> make(ExpressionKind kind) const {
        auto expression = std::make_unique<Expression>();
        expression->kind = kind;
        expression->line = peek().line;
        return expression;
    }

    // statements
    Result<Block> blockUntil(std::initializer_list<std::string_view> ends);
    Result<void> statement(Block& block);
    Result<Statement> ifStatement();
    Result<Statement> forStatement();
    Result<Statement> setStatement();
    Result<Statement> macroStatement();
    Result<void> endTag(std::string_view name);
    Result<std::vector<std::string>> targets();

    // expressions, loosest first
    Result<ExpressionPtr> expression();
    Result<ExpressionPtr> orExpression();
    Result<ExpressionPtr> andExpression();
    Result<ExpressionPtr> notExpression();
    Result<ExpressionPtr> comparison();
    Result<ExpressionPtr> leftToRight(std::size_t level);
    Result<ExpressionPtr> power();
    Result<ExpressionPtr> unary(bool withFilters);
    Result<ExpressionPtr> primary();
    Result<ExpressionPtr> sequence(std::string_view closing, ExpressionKind kind);
    Result<ExpressionPtr> dictionary();
    Result<ExpressionPtr> postfix(ExpressionPtr base);
    Result<ExpressionPtr> subscript(ExpressionPtr base);
    Result<ExpressionPtr> filtersAndTests(ExpressionPtr base);
    Result<std::vector<Argument>> arguments();
    Result<ExpressionPtr> binary(std::string operation, ExpressionPtr left, Result<ExpressionPtr> right);

    const std::vector<Token> m_tokens;
    const std::string m_where;
    std::size_t m_at = 0;
    int m_depth = 0;
    int m_loops = 0;
};

// Reads statements up to a tag whose name is in `ends`; that tag's begin stays unread.
Result<Block> Parser::blockUntil(std::initializer_list<std::string_view> ends) {
    const Level level(m_depth);
    if (m_depth > kMaxDepth) return wrong("nested deeper than " + std::to_string(kMaxDepth) + " levels", ErrorCode::TooLarge);
    Block block;
    for (;;) {
        if (peek().kind == TokenKind::End) {
            if (ends.size() == 0) return block;
            return wrong("the template ends before \"" + std::string(*ends.begin()) + "\"");
        }
        if (peek().kind == TokenKind::TagBegin && peek(1).kind == TokenKind::Name &&
            std::find(ends.begin(), ends.end(), peek(1).text) != ends.end())
            return block;
        TRY(statement(block));
    }
}

Result<void> Parser::endTag(std::string_view name) {
    ++m_at;  // TagBegin
    if (!acceptName(name)) return wrong("expected \"" + std::string(name) + "\"");
    if (name == "endmacro" && peek().kind == TokenKind::Name) ++m_at;  // {% endmacro name %}
    return tagEnd();
}

Result<void> Parser::statement(Block& block) {
    Statement made;
    made.line = peek().line;
    if (peek().kind == TokenKind::Text) {
        made.text = take().text;
        block.push_back(std::move(made));
        return {};
    }
    if (peek().kind == TokenKind::OutputBegin) {
        ++m_at;
        made.kind = StatementKind::Output;
        TRY_ASSIGN(made.expression, expression());
        if (peek().kind != TokenKind::OutputEnd) return wrong("unexpected \"" + peek().text + "\" in {{ }}");
        ++m_at;
        block.push_back(std::move(made));
        return {};
    }
    ++m_at;  // TagBegin
    TRY_ASSIGN(const std::string tag, name());
    if (tag == "if") {
        TRY_ASSIGN(made, ifStatement());
    } else if (tag == "for") {
        TRY_ASSIGN(made, forStatement());
    } else if (tag == "set") {
        TRY_ASSIGN(made, setStatement());
    } else if (tag == "macro") {
        TRY_ASSIGN(made, macroStatement());
    } else if (tag == "break" || tag == "continue") {
        if (m_loops == 0) return wrong("\"" + tag + "\" outside a loop");
        made.kind = tag == "break" ? StatementKind::Break : StatementKind::Continue;
        TRY(tagEnd());
    } else if (tag == "generation" || tag == "endgeneration") {
        return tagEnd();  // marks what a trainer scores; rendering ignores it
    } else {
        static constexpr std::array<std::string_view, 9> kJinja = {"include", "import", "from",   "extends", "block",
                                                                   "call",    "filter", "with", "autoescape"};
        const bool known = std::find(kJinja.begin(), kJinja.end(), tag) != kJinja.end();
        return wrong("the tag \"" + tag + "\" is " + (known ? "not supported in chat templates" : "unknown"),
                     known ? ErrorCode::Unsupported : ErrorCode::CorruptFile);
    }
    block.push_back(std::move(made));
    return {};
}

Result<Statement> Parser::ifStatement() {
    Statement made;
    made.kind = StatementKind::If;
    made.line = peek().line;
    for (;;) {
        Branch branch;
        TRY_ASSIGN(branch.condition, expression());
        TRY(tagEnd());
        TRY_ASSIGN(branch.body, blockUntil({"endif", "elif", "else"}));
        made.branches.push_back(std::move(branch));
        if (peek(1).text != "elif") break;
        m_at += 2;
    }
    if (peek(1).text == "else") {
        TRY(endTag("else"));
        Branch branch;
        TRY_ASSIGN(branch.body, blockUntil({"endif"}));
        made.branches.push_back(std::move(branch));
    }
    TRY(endTag("endif"));
    return made;
}

Result<std::vector<std::string>> Parser::targets() {
    const bool isWrapped = accept("(");
    std::vector<std::string> found;
    do {
        TRY_ASSIGN(std::string target, name());
        if (accept(".")) {
            TRY_ASSIGN(const std::string field, name());
            target += "." + field;
        }
        found.push_back(std::move(target));
    } while (accept(","));
    if (isWrapped) TRY(expect(")"));
    return found;
}

Result<Statement> Parser::forStatement() {
    Statement made;
    made.kind = StatementKind::For;
    made.line = peek().line;
    TRY_ASSIGN(made.targets, targets());
    if (!acceptName("in")) return wrong("expected \"in\"");
    TRY_ASSIGN(made.expression, orExpression());  // no inline if: `if` is the loop's filter
    if (acceptName("if")) {
        TRY_ASSIGN(made.filter, expression());
    }
    if (isName("recursive")) return wrong("recursive loops are not supported", ErrorCode::Unsupported);
    TRY(tagEnd());
    ++m_loops;
    auto body = blockUntil({"endfor", "else"});
    --m_loops;
    if (!body) return std::move(body).error();
    made.body = std::move(*body);
    if (peek(1).text == "else") {
        TRY(endTag("else"));
        TRY_ASSIGN(made.otherwise, blockUntil({"endfor"}));
    }
    TRY(endTag("endfor"));
    return made;
}

Result<Statement> Parser::setStatement() {
    Statement made;
    made.line = peek().line;
    TRY_ASSIGN(made.targets, targets());
    if (accept("=")) {
        made.kind = StatementKind::Set;
        TRY_ASSIGN(made.expression, expression());
        if (isSymbol(",")) {  // a tuple without brackets
            auto list = make(ExpressionKind::List);
            list->children.push_back(std::move(made.expression));
            while (accept(",")) {
                TRY_ASSIGN(ExpressionPtr item, expression());
                list->children.push_back(std::move(item));
            }
            made.expression = std::move(list);
        }
        TRY(tagEnd());
        return made;
    }
    if (isSymbol("|")) return wrong("filters on a block set are not supported", ErrorCode::Unsupported);
    made.kind = StatementKind::SetBlock;
    TRY(tagEnd());
    TRY_ASSIGN(made.body, blockUntil({"endset"}));
    TRY(endTag("endset"));
    return made;
}

Result<Statement> Parser::macroStatement() {
    Statement made;
    made.kind = StatementKind::Macro;
    made.line = peek().line;
    auto macro = std::make_shared<Macro>();
    TRY_ASSIGN(macro->name, name());
    TRY(expect("("));
    while (!isSymbol(")")) {
        Macro::Parameter parameter;
        TRY_ASSIGN(parameter.name, name());
        if (accept("=")) {
            TRY_ASSIGN(parameter.fallback, expression());
        }
        macro->parameters.push_back(std::move(parameter));
        if (!accept(",")) break;
    }
    TRY(expect(")"));
    TRY(tagEnd());
    const int loops = std::exchange(m_loops, 0);
    auto body = blockUntil({"endmacro"});
    m_loops = loops;
    if (!body) return std::move(body).error();
    macro->body = std::move(*body);
    TRY(endTag("endmacro"));
    made.macro = std::move(macro);
    return made;
}

Result<ExpressionPtr> Parser::binary(std::string operation, ExpressionPtr left, Result<ExpressionPtr> right) {
    if (!right) return std::move(right).error();
    auto made = make(ExpressionKind::Binary);
    made->name = std::move(operation);
    made->children.push_back(std::move(left));
    made->children.push_back(std::move(*right));
    return ExpressionPtr(std::move(made));
}

Result<ExpressionPtr> Parser::expression() {
    const Level level(m_depth);
    if (m_depth > kMaxDepth) return wrong("nested deeper than " + std::to_string(kMaxDepth) + " levels", ErrorCode::TooLarge);
    TRY_ASSIGN(ExpressionPtr value, orExpression());
    while (acceptName("if")) {
        auto made = make(ExpressionKind::Condition);
        TRY_ASSIGN(ExpressionPtr condition, orExpression());
        ExpressionPtr otherwise;
        if (acceptName("else")) {
            TRY_ASSIGN(otherwise, expression());
        }
        made->children.push_back(std::move(value));
        made->children.push_back(std::move(condition));
        made->children.push_back(std::move(otherwise));
        value = std::move(made);
    }
    return value;
}

Result<ExpressionPtr> Parser::orExpression() {
    TRY_ASSIGN(ExpressionPtr left, andExpression());
    while (acceptName("or")) {
        TRY_ASSIGN(left, binary("or", std::move(left), andExpression()));
    }
    return left;
}

Result<ExpressionPtr> Parser::andExpression() {
    TRY_ASSIGN(ExpressionPtr left, notExpression());
    while (acceptName("and")) {
        TRY_ASSIGN(left, binary("and", std::move(left), notExpression()));
    }
    return left;
}

Result<ExpressionPtr> Parser::notExpression() {
    const Level level(m_depth);
    if (m_depth > kMaxDepth) return wrong("nested deeper than " + std::to_string(kMaxDepth) + " levels", ErrorCode::TooLarge);
    if (!acceptName("not")) return comparison();
    auto made = make(ExpressionKind::Unary);
    made->name = "not";
    TRY_ASSIGN(ExpressionPtr operand, notExpression());
    made->children.push_back(std::move(operand));
    return ExpressionPtr(std::move(made));
}

Result<ExpressionPtr> Parser::comparison() {
    TRY_ASSIGN(ExpressionPtr left, leftToRight(0));
    for (;;) {
        std::string operation;
        for (const std::string_view symbol : {"==", "!=", "<=", ">=", "<", ">"})
            if (operation.empty() && accept(symbol)) operation = symbol;
        if (operation.empty() && acceptName("in")) operation = "in";
        if (operation.empty() && isName("not") && peek(1).kind == TokenKind::Name && peek(1).text == "in") {
            m_at += 2;
            operation = "not in";
        }
        if (operation.empty()) return left;
        TRY_ASSIGN(left, binary(std::move(operation), std::move(left), leftToRight(0)));
    }
}

// Jinja's order: + and - bind looser than ~, which binds looser than * / // %.
Result<ExpressionPtr> Parser::leftToRight(std::size_t level) {
    static const std::array<std::vector<std::string_view>, 3> kLevels = {{{"+", "-"}, {"~"}, {"*", "//", "/", "%"}}};
    if (level == kLevels.size()) return power();
    TRY_ASSIGN(ExpressionPtr left, leftToRight(level + 1));
    for (;;) {
        std::string operation;
        for (const std::string_view symbol : kLevels[level])
            if (operation.empty() && accept(symbol)) operation = symbol;
        if (operation.empty()) return left;
        TRY_ASSIGN(left, binary(std::move(operation), std::move(left), leftToRight(level + 1)));
    }
}

Result<ExpressionPtr> Parser::power() {
    TRY_ASSIGN(ExpressionPtr left, unary(true));
    while (accept("**")) {
        TRY_ASSIGN(left, binary("**", std::move(left), unary(true)));
    }
    return left;
}

Result<ExpressionPtr> Parser::unary(bool withFilters) {
    const Level level(m_depth);
    if (m_depth > kMaxDepth) return wrong("nested deeper than " + std::to_string(kMaxDepth) + " levels", ErrorCode::TooLarge);
    ExpressionPtr value;
    if (isSymbol("-") || isSymbol("+")) {
        auto made = make(ExpressionKind::Unary);
        made->name = take().text;
        TRY_ASSIGN(ExpressionPtr operand, unary(false));
        made->children.push_back(std::move(operand));
        value = std::move(made);
    } else {
        TRY_ASSIGN(value, primary());
        TRY_ASSIGN(value, postfix(std::move(value)));
    }
    return withFilters ? filtersAndTests(std::move(value)) : Result<ExpressionPtr>(std::move(value));
}

Result<ExpressionPtr> Parser::primary() {
    auto made = make(ExpressionKind::Literal);
    const Token& token = peek();
    if (token.kind == TokenKind::Name) {
        ++m_at;
        if (token.text == "true" || token.text == "True") {
            made->value = true;
        } else if (token.text == "false" || token.text == "False") {
            made->value = false;
        } else if (token.text == "none" || token.text == "None") {
            made->value = None{};
        } else {
            made->kind = ExpressionKind::Name;
            made->name = token.text;
        }
        return ExpressionPtr(std::move(made));
    }
    if (token.kind == TokenKind::String) {
        std::string text;
        while (peek().kind == TokenKind::String) text += take().text;  // adjacent literals join
        made->value = Value::text(text);
        return ExpressionPtr(std::move(made));
    }
    if (token.kind == TokenKind::Integer || token.kind == TokenKind::Float) {
        ++m_at;
        const char* end = token.text.data() + token.text.size();
        std::int64_t integer = 0;
        double number = 0.0;
        const bool isInteger = token.kind == TokenKind::Integer;
        const auto read = isInteger ? std::from_chars(token.text.data(), end, integer)
                                    : std::from_chars(token.text.data(), end, number);
        if (read.ec != std::errc()) return wrong("the number " + token.text + " is too large");
        made->value = isInteger ? Value(integer) : Value(number);
        return ExpressionPtr(std::move(made));
    }
    if (accept("(")) {
        if (accept(")")) {
            made->kind = ExpressionKind::List;
            return ExpressionPtr(std::move(made));
        }
        TRY_ASSIGN(ExpressionPtr inner, expression());
        if (accept(")")) return inner;
        TRY(expect(","));
        TRY_ASSIGN(ExpressionPtr rest, sequence(")", ExpressionKind::List));
        made->kind = ExpressionKind::List;
        made->children.push_back(std::move(inner));
        for (auto& child : rest->children) made->children.push_back(std::move(child));
        return ExpressionPtr(std::move(made));
    }
    if (accept("[")) return sequence("]", ExpressionKind::List);
    if (accept("{")) return dictionary();
    return wrong("expected a value, found \"" + token.text + "\"");
}

Result<ExpressionPtr> Parser::sequence(std::string_view closing, ExpressionKind kind) {
    auto made = make(kind);
    while (!isSymbol(closing)) {
        TRY_ASSIGN(ExpressionPtr item, expression());
        made->children.push_back(std::move(item));
        if (!accept(",")) break;
    }
    TRY(expect(closing));
    return ExpressionPtr(std::move(made));
}

Result<ExpressionPtr> Parser::dictionary() {
    auto made = make(ExpressionKind::Dict);
    while (!isSymbol("}")) {
        TRY_ASSIGN(ExpressionPtr key, expression());
        TRY(expect(":"));
        TRY_ASSIGN(ExpressionPtr value, expression());
        made->children.push_back(std::move(key));
        made->children.push_back(std::move(value));
        if (!accept(",")) break;
    }
    TRY(expect("}"));
    return ExpressionPtr(std::move(made));
}

Result<ExpressionPtr> Parser::postfix(ExpressionPtr base) {
    for (;;) {
        if (accept(".")) {
            auto made = make(ExpressionKind::Attribute);
            if (peek().kind != TokenKind::Integer) {
                TRY_ASSIGN(made->name, name());
            } else {
                made->name = take().text;
            }
            made->children.push_back(std::move(base));
            base = std::move(made);
        } else if (accept("[")) {
            TRY_ASSIGN(base, subscript(std::move(base)));
        } else if (accept("(")) {
            auto made = make(ExpressionKind::Call);
            TRY_ASSIGN(made->arguments, arguments());
            made->children.push_back(std::move(base));
            base = std::move(made);
        } else {
            return base;
        }
    }
}

Result<ExpressionPtr> Parser::subscript(ExpressionPtr base) {
    auto made = make(ExpressionKind::Item);
    made->children.push_back(std::move(base));
    std::array<ExpressionPtr, 3> parts;
    std::size_t part = 0;
    for (; part < parts.size(); ++part) {
        if (!isSymbol(":") && !isSymbol("]")) {
            TRY_ASSIGN(parts[part], expression());
        }
        if (!accept(":")) break;
    }
    TRY(expect("]"));
    if (part > 0) {
        made->kind = ExpressionKind::Slice;
        for (auto& one : parts) made->children.push_back(std::move(one));
    } else {
        if (!parts[0]) return wrong("an index is missing");
        made->children.push_back(std::move(parts[0]));
    }
    return ExpressionPtr(std::move(made));
}

Result<std::vector<Argument>> Parser::arguments() {
    std::vector<Argument> found;
    while (!isSymbol(")")) {
        Argument argument;
        if (peek().kind == TokenKind::Name && peek(1).kind == TokenKind::Symbol && peek(1).text == "=") {
            argument.name = take().text;
            ++m_at;
        }
        TRY_ASSIGN(argument.value, expression());
        found.push_back(std::move(argument));
        if (!accept(",")) break;
    }
    TRY(expect(")"));
    return found;
}

Result<ExpressionPtr> Parser::filtersAndTests(ExpressionPtr base) {
    for (;;) {
        if (accept("|")) {
            auto made = make(ExpressionKind::Filter);
            TRY_ASSIGN(made->name, name());
            if (accept("(")) {
                TRY_ASSIGN(made->arguments, arguments());
            }
            made->children.push_back(std::move(base));
            base = std::move(made);
        } else if (acceptName("is")) {
            auto made = make(ExpressionKind::Test);
            made->negated = acceptName("not");
            TRY_ASSIGN(made->name, name());
            const bool takesValue = peek().kind == TokenKind::String || peek().kind == TokenKind::Integer ||
                                    peek().kind == TokenKind::Float || isSymbol("[") ||
                                    (peek().kind == TokenKind::Name && !isName("else") && !isName("or") &&
                                     !isName("and") && !isName("if") && !isName("is") && !isName("in") && !isName("not"));
            if (accept("(")) {
                TRY_ASSIGN(made->arguments, arguments());
            } else if (takesValue) {
                Argument argument;
                TRY_ASSIGN(argument.value, primary());
                TRY_ASSIGN(argument.value, postfix(std::move(argument.value)));
                made->arguments.push_back(std::move(argument));
            }
            made->children.push_back(std::move(base));
            base = std::move(made);
        } else {
            return base;
        }
    }
}

}  // namespace

Result<Block> parseTemplate(std::string_view source, std::string_view where) {
    if (source.size() > kMaxSource)
        return fail(ErrorCode::TooLarge, std::string(where) + ": " + std::to_string(source.size()) +
                                             " bytes of template, at most " + std::to_string(kMaxSource) + " are read");
    TRY_ASSIGN(auto tokens, cutTemplate(source, where));
    return Parser(std::move(tokens), std::string(where)).run();
}

}  // namespace espalier::templates
